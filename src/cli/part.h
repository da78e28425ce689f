/* src/cli/part.h: a file that appears whole under its name, or not at all. It is written as PATH.part, which whoever comes later takes
 * up again: a process that died leaves nothing that looks whole, and nothing that grows with each try. */
#ifndef MILLRACE_CLI_PART_H
#define MILLRACE_CLI_PART_H

#include "base/text.h"

struct part {
    const char *path, *name; /* of the whole, and while it is written */
    int file;                /* for reading and writing, locked; -1: none */
};
/* Opens PATH.part, empty (0600). False with *error, a sentence in the arena: it cannot be made, or another process writes it. */
bool part_open(struct part *part, const char *path, struct arena *arena, const char **error);
/* Syncs it, gives it its name and syncs the folder. `replace`: in place of a file that is there; else such a file stays and this fails.
 * False with *error. part_close is due all the same. */
bool part_finish(struct part *part, bool replace, struct arena *arena, const char **error);
/* Takes away what was not finished. */
void part_close(struct part *part);

#endif
