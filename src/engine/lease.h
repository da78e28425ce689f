/* src/engine/lease.h: work that only one process may do at a time, such as sending a unit's events to others. Whoever takes a lease holds it for a
 * time and renews it with what it reports; who was slow finds that another has it by its term, and what he reports is refused. The time is the
 * engine's: no two processes compare their clocks. Design: docs/design/webhooks.md. */
#ifndef MILLRACE_ENGINE_LEASE_H
#define MILLRACE_ENGINE_LEASE_H

#include "engine/ws.h"

/* The number is what the row keeps: new roles at the end. */
enum lease_role { LEASE_NONE, LEASE_WEBHOOKS };

#define LEASE_US INT64_C(15000000) /* how long it is held without a word */

struct lease_claim {
    enum lease_role role;
    int64_t holder; /* a random number of the process, not 0 */
    int64_t term;   /* 0: none is held yet, one is asked for */
    bool is_alone;  /* no other process writes to this store: a lease that a dead one left is taken at once */
};

/* Commands of a unit, and of the company. input: a struct lease_claim without a term. Accepted: it is held, also where it was held before; the row
 * of `lease` says the term. Refused with STATE_CONFLICT while another holds it. */
extern const struct command_type lease_take, company_lease_take;
/* Gives back what is held, so that another need not wait. input: a struct lease_claim with its term; nothing is done where it is not held. */
extern const struct command_type lease_end, company_lease_end;

/* In a command that reports what was done under the lease: renews it. False with STATE_CONFLICT: another has it. */
bool lease_renew(struct ws *ws, const struct lease_claim *claim, struct faults *faults);
/* A hint for prefetch. */
void lease_want(struct ws *ws, enum lease_role role);

#endif
