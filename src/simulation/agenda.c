/* src/simulation/agenda.c: a binary heap, and the queue before each node's pickers. */
#include "simulation/agenda.h"
#include <assert.h>

static bool earlier(const struct due *a, const struct due *b)
{
    return a->at != b->at ? a->at < b->at : a->turn < b->turn;
}

static void swap(struct due *a, struct due *b)
{
    struct due kept = *a;
    *a = *b;
    *b = kept;
}

void agenda_put(struct agenda *agenda, int64_t at, enum due_kind kind, int64_t which)
{
    agenda->heap = arena_room(agenda->arena, agenda->heap, agenda->count, &agenda->room, 1024, sizeof *agenda->heap);
    size_t i = agenda->count++;
    agenda->heap[i] = (struct due){ at, agenda->turns++, kind, which };
    for (; i > 0 && earlier(&agenda->heap[i], &agenda->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&agenda->heap[i], &agenda->heap[(i - 1) / 2]);
}

const struct due *agenda_next(const struct agenda *agenda)
{
    return agenda->count == 0 ? NULL : &agenda->heap[0];
}

struct due agenda_take(struct agenda *agenda)
{
    assert(agenda->count > 0);
    struct due taken = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    for (size_t i = 0, least = 0;; i = least) {
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < agenda->count; child++)
            if (earlier(&agenda->heap[child], &agenda->heap[least]))
                least = child;
        if (least == i)
            return taken;
        swap(&agenda->heap[i], &agenda->heap[least]);
    }
}

void agenda_begin(struct agenda *agenda, struct arena *arena, const struct script *script)
{
    *agenda = (struct agenda){ .arena = arena };
    for (size_t i = 0; i < script->receipt_count; i++)
        agenda_put(agenda, script->receipts[i].at, DUE_RECEIPT, (int64_t)i);
    for (size_t i = 0; i < script->miscount_count; i++)
        agenda_put(agenda, script->miscounts[i].at, DUE_MISCOUNT, (int64_t)i);
    for (size_t i = 0; i < script->order_count; i++) {
        const struct script_order *order = &script->orders[i];
        agenda_put(agenda, order->at, DUE_ORDER, (int64_t)i);
        if (order->pay_at > 0)
            agenda_put(agenda, order->pay_at, DUE_PAYMENT, (int64_t)i);
        if (order->give_up_at > 0)
            agenda_put(agenda, order->give_up_at, DUE_GIVE_UP, (int64_t)i);
    }
}

int64_t pickers_give(struct pickers *pickers, const struct script *script, int node, int64_t now)
{
    pickers->free_at[node] = max_i64(pickers->free_at[node], now) + script->pick_us[node];
    return pickers->free_at[node];
}
