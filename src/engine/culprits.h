/* src/engine/culprits.h: commands that the store or the process cannot bear: what one would write breaks a rule of the store, or deciding it ended
 * the process twice. Each is an exception until the same request is done after all, which is what a release that mends it makes of it. */
#ifndef MILLRACE_ENGINE_CULPRITS_H
#define MILLRACE_ENGINE_CULPRITS_H

#include "engine/command.h"

#define CULPRITS_MAX 64 /* that are looked out for in a process; beyond it an exception stays open until the next start */
#define CULPRIT_CAUSE_BYTES 96

/* The open ones, as far as this process knows: of each unit those that stood when it first wrote there, and its own since. */
struct culprits {
    struct culprit {
        int64_t unit;
        char cause[CULPRIT_CAUSE_BYTES];
    } items[CULPRITS_MAX];
    size_t count;
};

/* What the exception of the command is known by: what was sent, or for what Millrace submits itself, its name. */
void culprit_cause(const struct command *command, char cause[CULPRIT_CAUSE_BYTES]);
/* The open one of this cause, or NULL. */
struct culprit *culprit_find(struct culprits *culprits, int64_t unit, const char *cause);
void culprit_add(struct culprits *culprits, int64_t unit, const char *cause);
void culprit_remove(struct culprits *culprits, struct culprit *culprit);
/* Those that stand open in the store. */
enum db_result culprits_load(struct culprits *culprits, struct db *db, struct arena *arena, int64_t unit);

/* Opens, or counts once more, the exception of a cause; or closes it. input: a struct culprit_report. Refuses nothing. */
struct culprit_report {
    const char *cause, *detail;
    bool is_done;
};
extern const struct command_type culprit_report;

#endif
