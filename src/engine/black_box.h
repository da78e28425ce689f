/* src/engine/black_box.h: which command was being decided when the process died. A command that was at two deaths in a row
 * ended the process, and is refused from then on; one death alone, as by kill -9, refuses nobody. */
#ifndef MILLRACE_ENGINE_BLACK_BOX_H
#define MILLRACE_ENGINE_BLACK_BOX_H

#include "engine/command.h"

struct black_box;

/* Maps the page at `path`, made where there is none. NULL: it cannot be made, or is not a black box; *error says why and
 * lives as long as the arena. One process at a time has it: a second one gets NULL. */
struct black_box *black_box_open(const char *path, struct arena *arena, const char **error);
void black_box_close(struct black_box *box); /* NULL is allowed, here and below */

/* Around decide. False: the command is the culprit of two deaths, and must not be decided. What did not come from
 * outside has no digest, and is never a culprit. */
bool black_box_enter(struct black_box *box, const struct command *command);
void black_box_leave(struct black_box *box);

#endif
