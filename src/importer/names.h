/* src/importer/names.h: a table from names to numbers, for what is looked up while a file is read. */
#ifndef MILLRACE_IMPORTER_NAMES_H
#define MILLRACE_IMPORTER_NAMES_H

#include "base/text.h"

struct names {
    struct arena *arena;
    struct name {
        const char *text; /* NULL: free */
        uint32_t value;
    } * slots;
    size_t room, count;
};

/* The place of a name's number; a new name comes with `fresh`. The place is void after the next call. */
uint32_t *names_of(struct names *names, const char *text, uint32_t fresh);
/* The same where the name must not be made: NULL when it is not there. */
uint32_t *names_find(const struct names *names, const char *text);

#endif
