/* src/engine/lease.c: one row for each role of a unit. The term rises whenever the holder changes, and never falls, so an old holder's word is known
 * by its term alone, whatever the time. A process that comes again under its own number keeps its term. */
#include "engine/lease.h"

static const struct lease_row *find(struct ws *ws, enum lease_role role)
{
    return ws_get(ws, &lease_table, WS_KEY(ws_unit(ws), role));
}

void lease_want(struct ws *ws, enum lease_role role)
{
    ws_want(ws, &lease_table, WS_KEY(ws_unit(ws), role));
}

static void want(struct ws *ws, const struct command *command)
{
    lease_want(ws, ((const struct lease_claim *)command->input)->role);
}

static void take_decide(struct ws *ws, struct command *command)
{
    const struct lease_claim *claim = command->input;
    const struct lease_row *there = find(ws, claim->role);
    const int64_t now_us = ws_now_us(ws);
    if (there != NULL && there->holder != claim->holder && there->until > now_us && !claim->is_alone) {
        fault_add(&command->faults, FAULT_STATE_CONFLICT, NULL, "another process holds the lease");
        return;
    }
    struct lease_row row = {
        .unit = ws_unit(ws), .role = claim->role, .holder = claim->holder, .term = there == NULL ? 1 : there->term, .until = now_us + LEASE_US
    };
    if (there == NULL)
        ws_insert(ws, &lease_table, &row);
    else {
        row.term += there->holder != claim->holder;
        *(struct lease_row *)ws_edit(ws, there) = row;
    }
    command->answer.status = 200;
}

static bool holds(const struct lease_row *row, const struct lease_claim *claim)
{
    return row != NULL && row->holder == claim->holder && row->term == claim->term;
}

static void end_decide(struct ws *ws, struct command *command)
{
    const struct lease_claim *claim = command->input;
    const struct lease_row *there = find(ws, claim->role);
    command->answer.status = 200;
    command->existing = !holds(there, claim);
    if (!command->existing)
        ((struct lease_row *)ws_edit(ws, there))->until = 0;
}

bool lease_renew(struct ws *ws, const struct lease_claim *claim, struct faults *faults)
{
    const struct lease_row *there = find(ws, claim->role);
    if (!holds(there, claim)) {
        fault_add(faults, FAULT_STATE_CONFLICT, NULL, "another process holds the lease since");
        return false;
    }
    ((struct lease_row *)ws_edit(ws, there))->until = ws_now_us(ws) + LEASE_US;
    return true;
}

#define LEASE_COMMAND(NAME, COMPANY, TEXT, DECIDE) \
    const struct command_type NAME = {             \
        .name = TEXT,                              \
        .queue = QUEUE_BULK,                       \
        .company = COMPANY,                        \
        .passes_barrier = true,                    \
        .prefetch = want,                          \
        .decide = DECIDE,                          \
        .inverse = "none: a matter of our own",    \
    }
LEASE_COMMAND(lease_take, false, "lease.take", take_decide);
LEASE_COMMAND(company_lease_take, true, "lease.take", take_decide);
LEASE_COMMAND(lease_end, false, "lease.end", end_decide);
LEASE_COMMAND(company_lease_end, true, "lease.end", end_decide);
