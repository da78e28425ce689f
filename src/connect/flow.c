/* src/connect/flow.c: see flow.h. Items lie in the order of their numbers, so a pass from the front meets the oldest of each key first: whether an
 * earlier one of the key was met decides all. */
#include "connect/flow.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_US INT64_C(1000000) /* after the third failure in a row, and twice as long after each further one */
#define RETRY_AFTER_MAX_S 86400
#define PAUSE_MAX_US INT64_C(60000000) /* an event that was never tried waits no longer than this for one that fails */

static int64_t hastened(const struct flow *flow, int64_t us)
{
    return flow->hasten > 1 ? us / flow->hasten : us;
}

static uint64_t seed_of(const struct flow *flow, int64_t seq)
{
    return hash_u64((uint64_t)flow->webhook << 40 ^ (uint64_t)flow->unit << 20 ^ (uint64_t)seq);
}

/* ---- items ---- */

static struct flow_item *item_make(struct flow *flow)
{
    if (flow->count == flow->room) {
        const size_t room = flow->room == 0 ? 64 : 2 * flow->room;
        struct flow_item *items = realloc(flow->items, room * sizeof *items);
        if (items == NULL)
            return NULL;
        flow->items = items;
        flow->room = room;
    }
    return &flow->items[flow->count++];
}

static size_t place_of(const struct flow *flow, int64_t seq)
{
    size_t low = 0, high = flow->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (flow->items[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct flow_item *item_of(struct flow *flow, int64_t seq)
{
    const size_t at = place_of(flow, seq);
    return at < flow->count && flow->items[at].seq == seq ? &flow->items[at] : NULL;
}

static void item_end(struct flow *flow, struct flow_item *item)
{
    const size_t at = (size_t)(item - flow->items);
    memmove(item, item + 1, (flow->count - at - 1) * sizeof *item);
    flow->count--;
}

bool flow_load(struct flow *flow, const struct webhook_subscription_row *row, const struct webhook_waiting_row *waiting, size_t count)
{
    flow->unit = row->unit;
    flow->webhook = row->webhook;
    flow->epoch = row->epoch;
    flow->fresh_at = row->fresh_at;
    flow->seq = flow->read = row->seq;
    flow->failing = row->failing;
    flow->failing_since_us = row->failing_since;
    flow->count = flow->flying = flow->sent_count = 0;
    flow->pause_us = 0;
    flow->asked_us = 0;
    flow->is_gone = false;
    for (size_t i = 0; i < count; i++) {
        struct flow_item *item = item_make(flow);
        if (item == NULL)
            return false;
        *item = (struct flow_item){ .seq = waiting[i].seq,
                                    .key = waiting[i].subject,
                                    .kind = (enum waiting_kind)waiting[i].kind,
                                    .attempts = waiting[i].attempts,
                                    .kept = true };
        if (waiting[i].tried_at >= row->fresh_at && waiting[i].attempts > 0)
            item->due_us = waiting[i].tried_at + hastened(flow, webhook_wait_us(waiting[i].attempts, seed_of(flow, waiting[i].seq)));
    }
    return true;
}

void flow_free(struct flow *flow)
{
    free(flow->items);
    flow->items = NULL;
    flow->count = flow->room = 0;
}

/* ---- what is read ---- */

size_t flow_room(const struct flow *flow)
{
    size_t fresh = 0;
    for (size_t i = 0; i < flow->count; i++)
        fresh += !flow->items[i].kept;
    if (fresh >= FLOW_FRESH_MAX || flow->count >= WEBHOOK_WAITING_MAX)
        return 0;
    return FLOW_FRESH_MAX - fresh < WEBHOOK_WAITING_MAX - flow->count ? FLOW_FRESH_MAX - fresh : WEBHOOK_WAITING_MAX - flow->count;
}

bool flow_read(struct flow *flow, int64_t seq, int64_t key, bool wanted)
{
    assert(seq > flow->read);
    if (wanted && item_of(flow, seq) == NULL) { /* else it is asked for once more, and comes that way */
        const size_t at = place_of(flow, seq);
        if (item_make(flow) == NULL)
            return false;
        memmove(&flow->items[at + 1], &flow->items[at], (flow->count - 1 - at) * sizeof *flow->items);
        flow->items[at] = (struct flow_item){ .seq = seq, .key = key };
    }
    flow->read = seq;
    return true;
}

/* ---- what is sent ---- */

/* The keys that a pass has met; a table twice as large as there can be items. */
#define KEYS 4096
struct keys {
    int64_t key[KEYS];
    uint8_t is[KEYS]; /* 0: free, 1: met, 2: and what was met waits in a row */
};
_Static_assert(KEYS >= 2 * (WEBHOOK_WAITING_MAX + FLOW_FRESH_MAX), "a pass finds a free place");

static uint8_t *key_place(struct keys *keys, int64_t key)
{
    size_t at = (size_t)hash_u64((uint64_t)key) % KEYS;
    while (keys->is[at] != 0 && keys->key[at] != key)
        at = (at + 1) % KEYS;
    keys->key[at] = key;
    return &keys->is[at];
}

static void note(struct flow *flow, const struct flow_item *item, enum sent_outcome outcome)
{
    assert(flow->sent_count < WEBHOOK_REPORT_MAX);
    flow->sent[flow->sent_count++] = (struct webhook_sent){ .seq = item->seq, .kind = item->kind, .key = item->key, .outcome = outcome };
}

static size_t room_to_note(const struct flow *flow)
{
    return WEBHOOK_REPORT_MAX - flow->sent_count - flow->flying; /* each under way will be noted */
}

/* One that fails is asked by one event at a time, with a pause between: enough to see when it is well again. */
static size_t at_once(const struct flow *flow, int64_t now_us, size_t most)
{
    if (flow->is_gone || now_us < flow->asked_us || (flow->failing >= WEBHOOK_FAILING && (now_us < flow->pause_us || flow->flying > 0)))
        return 0;
    const size_t limit = flow->failing >= WEBHOOK_FAILING ? 1 : FLOW_AT_ONCE;
    const size_t left = limit > flow->flying ? limit - flow->flying : 0;
    return left < most ? left : most;
}

size_t flow_take(struct flow *flow, int64_t now_us, size_t most, int64_t *out)
{
    struct keys keys;
    size_t count = 0;
    most = at_once(flow, now_us, most);
    memset(keys.is, 0, sizeof keys.is);
    for (size_t i = 0; i < flow->count && i < KEYS / 2; i++) {
        struct flow_item *item = &flow->items[i];
        uint8_t *met = key_place(&keys, item->key);
        if (*met == 2 && !item->kept && room_to_note(flow) > 0) {
            note(flow, item, SENT_HELD);
            item->kept = true;
        }
        if (*met == 0 && !item->is_flying && item->due_us <= now_us && count < most && room_to_note(flow) > 0) {
            item->is_flying = true;
            flow->flying++;
            out[count++] = item->seq;
        }
        *met = *met == 2 || item->kept ? 2 : 1;
    }
    return count;
}

void flow_put_back(struct flow *flow, int64_t seq)
{
    struct flow_item *item = item_of(flow, seq);
    if (item == NULL || !item->is_flying)
        return;
    item->is_flying = false;
    flow->flying--;
}

/* ---- what came of it ---- */

static void failed(struct flow *flow, const struct flow_answer *answer, int64_t now_us)
{
    flow->failing_since_us = flow->failing == 0 ? answer->at : flow->failing_since_us;
    flow->failing++;
    flow->is_gone = flow->is_gone || answer->gone;
    /* Nobody may keep events waiting for longer than they are kept; a new process, or another URL, asks again. */
    if (answer->retry_after_s > 0)
        flow->asked_us = max_i64(flow->asked_us, now_us + hastened(flow, min_i64(answer->retry_after_s, RETRY_AFTER_MAX_S) * 1000000));
    if (flow->failing < WEBHOOK_FAILING)
        return;
    const int64_t doublings = min_i64(flow->failing - WEBHOOK_FAILING, 6);
    flow->pause_us = now_us + hastened(flow, min_i64(PAUSE_US << doublings, PAUSE_MAX_US));
}

void flow_answered(struct flow *flow, const struct flow_answer *answer, int64_t now_us)
{
    struct flow_item *item = item_of(flow, answer->seq);
    if (item == NULL || !item->is_flying)
        return;
    item->is_flying = false;
    flow->flying--;
    item->attempts++;
    if (answer->delivered) {
        flow->failing = 0;
        flow->pause_us = 0;
    } else
        failed(flow, answer, now_us);
    const int64_t wait_us = item->kind == WAITING_TEST ? 0 : webhook_wait_us(item->attempts, seed_of(flow, item->seq));
    /* The last attempt of an event is not its end where nothing at all gets through: then the webhook ends, and the event waits for a person. */
    const bool waits = wait_us > 0 || (item->kind != WAITING_TEST && flow->failing_since_us <= now_us - hastened(flow, WEBHOOK_DEAD_US / 2));
    note(flow, item, answer->delivered ? SENT_DELIVERED : waits ? SENT_FAILED : SENT_GIVEN_UP);
    struct webhook_sent *sent = &flow->sent[flow->sent_count - 1];
    sent->at = answer->at;
    sent->took_us = answer->took_us;
    sent->status = answer->status;
    sent->detail = answer->detail;
    if (sent->outcome != SENT_FAILED) {
        item_end(flow, item);
        return;
    }
    item->kept = true;
    item->due_us = now_us + hastened(flow, wait_us > 0 ? wait_us : PAUSE_MAX_US);
}

int64_t flow_cursor(const struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++)
        if (!flow->items[i].kept && flow->items[i].seq <= flow->read)
            return max_i64(flow->seq, flow->items[i].seq - 1);
    return flow->read;
}

void flow_reported(struct flow *flow, int64_t seq, size_t count)
{
    flow->seq = max_i64(flow->seq, seq);
    memmove(flow->sent, flow->sent + count, (flow->sent_count - count) * sizeof *flow->sent);
    flow->sent_count -= count;
}

bool flow_is_dead(const struct flow *flow, int64_t now_us)
{
    return flow->failing >= WEBHOOK_FAILING && flow->failing_since_us <= now_us - hastened(flow, WEBHOOK_DEAD_US);
}
