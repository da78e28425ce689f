/* src/insight/undo.h: the request that takes back what an event tells. It is one that anybody could have sent: it is judged like all others, so
 * where the world has moved on it is refused with the reasons that it has. Design: docs/design/engine.md. */
#ifndef MILLRACE_INSIGHT_UNDO_H
#define MILLRACE_INSIGHT_UNDO_H

#include "engine/api.h"
#include "engine/event.h"

struct undo {
    enum method method;
    const char *target;   /* path, percent-encoded */
    const char *body;     /* JSON; NULL: none */
    const char *if_match; /* the version that the event made: it is refused where there is another one since; NULL: any */
    const char *why;      /* not NULL: nothing takes it back, and why; the others are not set then */
};
/* What takes back event `seq` of the unit, for this reason (NULL: it names the event), on a snapshot of the store. *found: there is such an event.
 * Texts live in reading->arena. What is read is of the past, or guarded by the request itself. */
enum db_result undo_of(const struct reading *reading, int64_t unit, int64_t seq, const char *reason, bool *found, struct undo *undo);

/* Whether somebody has decided what takes back events of this type, or why nothing does. For a test. */
bool undo_is_decided(enum event_type type);

#endif
