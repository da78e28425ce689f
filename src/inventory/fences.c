/* src/inventory/fences.c: units kept at a node for a channel's group: a standing claim. PUT sets what is wanted and what
 * is held; orders of the group use it up, facts may shrink it. */
#include "inventory/fences.h"
#include "base/id.h"
#include "inventory/stock.h"
#include "inventory_sql.h"
#include <assert.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)

struct fence_io {
    struct field_presence presence;
    const char *code;
    int64_t version;
    int64_t quantity, held;
};
static const struct field rows[] = {
    { "version", FIELD_INT, AT(fence_io, version), .read_only = true, .doc = "rises with every change; the ETag" },
    { "quantity", FIELD_INT, AT(fence_io, quantity), .required = true, .min = 0, .max = QUANTITY_MAX, .doc = "0 gives all back" },
    { "held", FIELD_INT, AT(fence_io, held), .read_only = true, .doc = "what stands in reserved now" },
};
const struct field_table fence_fields = { "Fence", rows, COUNT(rows), sizeof(struct fence_io) };

struct fence {
    const struct channel_row *channel;
    const struct node_row *node;
    const struct sku_row *sku;
    const struct fence_row *row; /* NULL: none was set */
    const struct claim_row *claim;
};

static struct holder holder_of(const struct fence *fence)
{
    return (struct holder){ .kind = CLAIM_FENCE, .id = fence->channel->id };
}

static bool fence_find(struct ws *ws, const char *const *path, struct fence *fence)
{
    const int64_t unit = ws_unit(ws);
    fence->channel = ws_find(ws, &channel_by_code, WS_PREFIX(db_int(unit), db_text(path[0])));
    fence->node = ws_find(ws, &node_by_code, WS_PREFIX(db_int(unit), db_text(path[1])));
    fence->sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(path[2])));
    if (fence->channel == NULL || fence->channel->owner != unit || fence->node == NULL || fence->sku == NULL)
        return false;
    struct holder holder = holder_of(fence);
    fence->row = ws_get(ws, &fence_table, WS_KEY(unit, fence->channel->id, fence->node->id, fence->sku->id));
    fence->claim = claim_find(ws, fence->node->id, fence->sku->id, &holder);
    return true;
}

static const char *fence_json(struct arena *arena, const struct fence *fence, int64_t quantity, int64_t version, size_t *bytes)
{
    struct fence_io io = { .version = version, .quantity = quantity, .held = fence->claim == NULL ? 0 : fence->claim->soft };
    struct json_writer json;
    json_begin(&json, arena);
    fields_write(&json, &fence_fields, &io);
    *bytes = json.out.size;
    return json.out.at;
}

static bool fence_edge(struct edge *edge, const struct request *request, struct command *command, struct faults *faults)
{
    memcpy(command->path, request->path, sizeof command->path);
    command->of_channel = request->path[0];
    return true;
}

static void hold_units(struct ws *ws, struct fence *fence, int64_t quantity)
{
    struct stock stock = stock_begin(ws, (struct cause){ CAUSE_FENCE, fence->channel->id });
    struct holder holder = holder_of(fence);
    int64_t held = fence->claim == NULL ? 0 : fence->claim->soft;
    if (quantity > held)
        claim_take(&stock, fence->node->id, fence->sku->id, &holder, quantity - held);
    else if (quantity < held)
        claim_give_back(&stock, fence->claim, held - quantity, 0);
    stock_end(&stock);
    stock_followers.supply(ws, stock.freed, stock.freed_count);
    fence->claim = claim_find(ws, fence->node->id, fence->sku->id, &holder); /* what waited may have used some of it up */
}

static void answer_fence(struct command *command, const struct fence *fence, int64_t quantity, int64_t version, int status)
{
    command->answer.status = status;
    command->answer.body = fence_json(command->arena, fence, quantity, version, &command->answer.body_bytes);
    command->answer.etag = arena_printf(command->arena, "%ld", (long)version);
}

/* Who changed it, and what it was after that. */
static void write_history(struct ws *ws, struct command *command, const struct fence_row *row)
{
    const char *body = arena_text(ws_arena(ws), command->answer.body);
    struct master_change_row change = { .unit = row->unit,
                                        .kind = SUBJECT_FENCE,
                                        .subject = row->id,
                                        .version = row->version,
                                        .at = ws_now_us(ws),
                                        .actor = ws_actor(ws),
                                        .body = body };
    ws_insert(ws, &master_change_table, &change);
    struct event_row event = event_of(EVENT_MASTER_CHANGED, SUBJECT_FENCE, row->channel);
    event.node = row->node;
    event.sku = row->sku;
    event.quantity = row->quantity;
    event.class = 0;
    event.data = body;
    command->event_seq = ws_event(ws, event);
}

static void fence_decide(struct ws *ws, struct command *command)
{
    const struct fence_io *in = command->input;
    struct fence fence;
    if (!fence_find(ws, command->path, &fence)) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no such channel, node or SKU");
        return;
    }
    if (fence.sku->bundle) {
        fault_add(&command->faults, FAULT_HOLDS_NO_STOCK, NULL, "%s is a bundle: fence its components", fence.sku->code);
        return;
    }
    const bool is_patch = command->type->mode == FIELDS_PATCH;
    if (is_patch && fence.row == NULL) {
        fault_add(&command->faults, FAULT_NOT_FOUND, NULL, "there is no such fence");
        return;
    }
    const struct position_row *position = position_find(ws, fence.node->id, fence.sku->id, 0);
    int64_t held = fence.claim == NULL ? 0 : fence.claim->soft, free = position == NULL || position->blocked != 0 ? 0 : position->available;
    int64_t version = fence.row == NULL ? 0 : fence.row->version;
    const bool asks_nothing = is_patch && !field_came(&fence_fields, in, "quantity"); /* nor to hold again what orders have used */
    int64_t quantity = asks_nothing ? fence.row->quantity : in->quantity;
    if (!if_match_holds(command->if_match, version) || !if_none_match_holds(command->if_none_match, version))
        fault_add(&command->faults, FAULT_PRECONDITION_FAILED, NULL, "it is at version %ld", (long)version);
    else if (!asks_nothing && quantity - held > free)
        fault_add(&command->faults, FAULT_SHORTAGE, "/quantity", "asked %ld, %ld are held and %ld available", (long)quantity, (long)held, (long)free);
    if (command->faults.count > 0)
        return;
    if (asks_nothing || (fence.row != NULL && fence.row->quantity == quantity && held == quantity)) {
        command->existing = true; /* it stands so already */
        answer_fence(command, &fence, quantity, version, 200);
        return;
    }
    struct fence_row row = { .unit = ws_unit(ws),
                             .channel = fence.channel->id,
                             .node = fence.node->id,
                             .sku = fence.sku->id,
                             .quantity = quantity,
                             .version = version + 1,
                             .id = fence.row == NULL || fence.row->id == 0 ? ws_next_id(ws) : fence.row->id };
    if (fence.row == NULL)
        ws_insert(ws, &fence_table, &row);
    else
        *(struct fence_row *)ws_edit(ws, fence.row) = row;
    hold_units(ws, &fence, quantity);
    answer_fence(command, &fence, quantity, row.version, version == 0 ? 201 : 200);
    write_history(ws, command, &row);
}

const struct command_type fence_put = { .name = "fence.put",
                                        .input = &fence_fields,
                                        .mode = FIELDS_PUT,
                                        .queue = QUEUE_PEOPLE,
                                        .edge = fence_edge,
                                        .decide = fence_decide,
                                        .inverse = "fence.put: the quantity before" };
const struct command_type fence_patch = { .name = "fence.patch",
                                          .input = &fence_fields,
                                          .mode = FIELDS_PATCH,
                                          .queue = QUEUE_PEOPLE,
                                          .edge = fence_edge,
                                          .decide = fence_decide,
                                          .inverse = "fence.put: the quantity before" };

/* ---- read ---- */

struct fence_read {
    const struct request *request;
    const char *body;
    size_t bytes;
    int64_t id, version, owner;
};

static void read_owner(struct ws *ws, void *context)
{
    struct fence_read *read = context;
    const struct channel_row *channel = ws_find(ws, &channel_by_code, WS_PREFIX(db_int(0), db_text(read->request->path[0])));
    read->owner = channel == NULL ? 0 : channel->owner;
}

static void read_fence(struct ws *ws, void *context)
{
    struct fence_read *read = context;
    struct fence fence;
    if (!fence_find(ws, read->request->path, &fence) || fence.row == NULL)
        return;
    read->body = fence_json(read->request->arena, &fence, fence.row->quantity, fence.row->version, &read->bytes);
    read->id = fence.row->id;
    read->version = fence.row->version;
}

static bool find_fence(struct reading *reading, const struct request *request, struct answer *answer, struct fence_read *read)
{
    enum db_result result = ws_read(reading, 0, 0, read_owner, read);
    if (result == DB_OK && read->owner != 0)
        result = ws_read(reading, read->owner, 0, read_fence, read);
    if (result != DB_OK)
        answer_store(answer, request->arena, result);
    else if (read->body == NULL)
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, "there is no such fence");
    return result == DB_OK && read->body != NULL;
}

void get_fence(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct fence_read read = { .request = request };
    if (find_fence(reading, request, answer, &read))
        *answer = (struct answer){
            .status = 200, .body = read.body, .body_bytes = read.bytes, .etag = arena_printf(request->arena, "%ld", (long)read.version)
        };
}

void get_fence_history(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct fence_read read = { .request = request };
    if (find_fence(reading, request, answer, &read))
        master_history(reading, request, answer, read.owner, SUBJECT_FENCE, read.id);
}

/* ---- a channel's fences ---- */

struct fence_item_io {
    struct field_presence presence;
    const char *node, *sku;
    int64_t version, quantity, held;
};
static const struct field item_rows[] = {
    { "node", FIELD_CODE, AT(fence_item_io, node), .read_only = true },
    { "sku", FIELD_CODE, AT(fence_item_io, sku), .read_only = true },
    { "version", FIELD_INT, AT(fence_item_io, version), .read_only = true, .doc = "the ETag" },
    { "quantity", FIELD_INT, AT(fence_item_io, quantity), .read_only = true, .doc = "as it was set" },
    { "held", FIELD_INT, AT(fence_item_io, held), .read_only = true, .doc = "what stands in reserved now" },
};
const struct field_table fence_item_fields = { "FenceItem", item_rows, COUNT(item_rows), sizeof(struct fence_item_io) };

struct fence_page {
    struct arena *arena; /* of the answer */
    struct fence_item_io *items;
    int64_t *nodes, *skus; /* of each item */
    size_t count;
    int64_t channel;
};

/* Codes and what is held, of all items of the page together. */
static void show_page(struct ws *ws, void *context)
{
    struct fence_page *page = context;
    const int64_t unit = ws_unit(ws);
    const struct holder holder = { .kind = CLAIM_FENCE, .id = page->channel };
    for (size_t i = 0; i < page->count; i++) {
        ws_want(ws, &node_table, WS_KEY(unit, page->nodes[i]));
        ws_want(ws, &sku_table, WS_KEY(unit, page->skus[i]));
        claim_want(ws, page->nodes[i], page->skus[i], &holder);
    }
    ws_settle(ws);
    for (size_t i = 0; i < page->count; i++) {
        const struct node_row *node = ws_get(ws, &node_table, WS_KEY(unit, page->nodes[i]));
        const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(unit, page->skus[i]));
        const struct claim_row *claim = claim_find(ws, page->nodes[i], page->skus[i], &holder);
        page->items[i].node = arena_text(page->arena, node->code);
        page->items[i].sku = arena_text(page->arena, sku->code);
        page->items[i].held = claim == NULL ? 0 : claim->soft;
    }
}

static enum db_result read_page(struct reading *reading, int64_t unit, struct fence_page *page, int64_t at[2], int64_t limit, bool *more)
{
    struct fences_of_node_result *rest;
    struct fences_behind_result *behind = NULL;
    size_t rest_count, behind_count = 0;
    enum db_result result = fences_of_node(reading->db, reading->arena, unit, page->channel, at[0], at[1], limit + 1, &rest, &rest_count);
    if (result == DB_OK && (int64_t)rest_count <= limit)
        result = fences_behind(reading->db, reading->arena, unit, page->channel, at[0], limit + 1 - (int64_t)rest_count, &behind, &behind_count);
    if (result != DB_OK)
        return result;
    page->count = (size_t)min_i64(limit, (int64_t)(rest_count + behind_count));
    *more = rest_count + behind_count > page->count;
    page->items = ARENA_ARRAY(reading->arena, struct fence_item_io, page->count + 1);
    page->nodes = ARENA_ARRAY(reading->arena, int64_t, page->count + 1);
    page->skus = ARENA_ARRAY(reading->arena, int64_t, page->count + 1);
    for (size_t i = 0; i < page->count; i++) {
        assert(i < rest_count || behind != NULL);
        struct fences_behind_result row =
            i < rest_count ? (struct fences_behind_result){ rest[i].node, rest[i].sku, rest[i].quantity, rest[i].version } : behind[i - rest_count];
        page->items[i] = (struct fence_item_io){ .quantity = row.quantity, .version = row.version };
        at[0] = page->nodes[i] = row.node;
        at[1] = page->skus[i] = row.sku;
    }
    return ws_read(reading, unit, 0, show_page, page);
}

void list_fences(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct fence_page page = { .arena = request->arena };
    const char *cursor = request->query_text[1];
    int64_t unit, at[2] = { 0, 0 };
    bool more = false;
    if (cursor != NULL && !cursor_parse(cursor, "fence", at, 2)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    enum db_result result = channel_place(reading, request->path[0], &unit, &page.channel);
    if (result == DB_OK && page.channel == 0) {
        answer_fault(answer, request->arena, FAULT_NOT_FOUND, NULL, arena_printf(request->arena, "there is no channel %s", request->path[0]));
        return;
    }
    if (result == DB_OK)
        result = read_page(reading, unit, &page, at, request->query_number[0], &more);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    struct json_writer json;
    char next[CURSOR_BYTES_MAX];
    list_begin(&json, request->arena);
    for (size_t i = 0; i < page.count; i++)
        fields_write(&json, &fence_item_fields, &page.items[i]);
    cursor_format("fence", at, 2, next);
    list_end(&json, more ? next : NULL, answer);
}
