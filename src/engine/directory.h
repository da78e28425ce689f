/* src/engine/directory.h: which unit a channel or a node belongs to, or has this code, which never changes: what was asked once is remembered. */
#ifndef MILLRACE_ENGINE_DIRECTORY_H
#define MILLRACE_ENGINE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum directory_kind { DIRECTORY_CHANNEL, DIRECTORY_NODE, DIRECTORY_UNIT };

/* Open addressing; zero is empty. Not safe for several threads by itself. */
struct directory {
    struct entry {
        char *code; /* NULL: free */
        enum directory_kind kind;
        int64_t unit;
    } * entries;
    size_t size, count;
};
bool directory_find(const struct directory *directory, const char *code, enum directory_kind kind, int64_t *unit);
/* A help only: without memory nothing is remembered, and the store is asked again. */
void directory_add(struct directory *directory, const char *code, enum directory_kind kind, int64_t unit);
void directory_free(struct directory *directory);

#endif
