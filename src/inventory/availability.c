/* src/inventory/availability.c: GET /v1/availability: the sum and its terms, from the rows as they stand. */
#include "inventory/availability.h"
#include "base/id.h"
#include "base/when.h"
#include "inventory/reads.h"
#include "inventory/stock.h"
#include "inventory_sql.h"
#include <string.h>

struct atp_terms availability_terms(struct ws *ws, const struct outlet *outlet, const struct listing_row *listing, const struct component *components,
                                    size_t count)
{
    int64_t buffer = outlet->channel->buffer;
    return (struct atp_terms){ .pool = outlet_pool(ws, outlet, components, count),
                               .buffer = listing == NULL ? buffer : max_i64(buffer, listing->buffer),
                               .quota_left = QUANTITY_MAX,
                               .cap = listing == NULL || listing->cap == NULL_INT ? QUANTITY_MAX : listing->cap,
                               .share_ppm = listing == NULL ? 1000000 : listing->share_ppm };
}

const struct listing_row *only_listing(struct ws *ws, const struct channel_row *channel, int64_t sku)
{
    if (channel->listings == 0)
        return NULL;
    struct ws_cursor cursor = ws_scan(ws, &listing_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(channel->id), db_int(sku)), 0);
    const struct listing_row *first = ws_next(ws, &cursor);
    return first != NULL && ws_next(ws, &cursor) == NULL ? first : NULL;
}

size_t recipe_of(struct ws *ws, const struct sku_row *sku, struct component **out)
{
    if (!sku->bundle) {
        *out = ARENA_NEW(ws_arena(ws), struct component);
        **out = (struct component){ sku->id, 1 };
        return 1;
    }
    struct component all[COMPONENTS_MAX]; /* not in the arena: of a thousand bundles it would be 24 MB at each attempt */
    size_t count = bundle_flatten(ws, sku->id, all, COMPONENTS_MAX);
    if (count > COMPONENTS_MAX)
        return 0;
    *out = ARENA_ARRAY(ws_arena(ws), struct component, count);
    memcpy(*out, all, count * sizeof *all);
    return count;
}

/* ---- the API: a list goes through pairs of a channel and a SKU ---- */

enum { QUERY_CHANNEL, QUERY_SKU, QUERY_LIMIT, QUERY_CURSOR };

#define PIECE 100

struct pair {
    int64_t unit, channel, sku;
    int64_t after; /* of its listings those behind this one; 0: all */
};

struct asked {
    struct reading *reading;
    struct arena *arena;
    int64_t unit, channel, sku; /* what is asked for; channel, sku 0: any */
    int64_t at[3];              /* channel, SKU, listing: the last item of the page before */
    const struct pair *pairs;   /* of one unit, by channel */
    size_t pair_count;
    int64_t limit; /* items that still fit */
    bool cut;      /* the page is full, and there is more in these pairs */
    struct json_writer *json;
};

static void number_or_null(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    if (value == QUANTITY_MAX)
        json_null(json);
    else
        json_int(json, value);
}

static void write_item(struct json_writer *json, const struct outlet *outlet, const struct sku_row *sku, const struct listing_row *listing,
                       const struct atp_terms *terms)
{
    json_object(json);
    json_key(json, "channel");
    json_text(json, outlet->channel->code);
    json_key(json, "sku");
    json_text(json, sku->code);
    json_key(json, "channel_sku");
    json_text(json, listing == NULL ? NULL : listing->channel_sku);
    json_key(json, "available");
    json_int(json, atp_show(terms));
    json_key(json, "terms");
    json_object(json);
    json_key(json, "pool");
    json_int(json, terms->pool);
    json_key(json, "buffer");
    json_int(json, terms->buffer);
    number_or_null(json, "quota_left", terms->quota_left);
    number_or_null(json, "cap", terms->cap);
    json_key(json, "share_ppm");
    json_int(json, terms->share_ppm);
    json_object_end(json);
    json_object_end(json);
}

static const struct channel_row *channel_of(struct ws *ws, const struct pair *pair)
{
    return ws_get(ws, &channel_table, WS_KEY(ws_unit(ws), pair->channel));
}

/* What the pairs ask of masters, in rounds: each tells the next what else is needed. */
static void want_masters(struct ws *ws, const struct asked *asked)
{
    const int64_t unit = ws_unit(ws);
    const struct channel_node_row *node;
    const struct bundle_component_row *part;
    for (size_t i = 0; i < asked->pair_count; i++) {
        const struct pair *pair = &asked->pairs[i];
        ws_want(ws, &channel_table, WS_KEY(unit, pair->channel));
        ws_want(ws, &sku_table, WS_KEY(unit, pair->sku));
        ws_want_path(ws, &node_of_channel, WS_PREFIX(db_int(unit), db_int(pair->channel)), 0);
        ws_want_path(ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(pair->channel), db_int(pair->sku)), 0);
    }
    ws_settle(ws);
    for (size_t i = 0; i < asked->pair_count; i++) {
        const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(unit, asked->pairs[i].sku));
        if (sku != NULL && sku->bundle)
            ws_want_path(ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
        struct ws_cursor cursor = ws_scan(ws, &node_of_channel, WS_PREFIX(db_int(unit), db_int(asked->pairs[i].channel)), 0);
        while ((node = ws_next(ws, &cursor)) != NULL)
            ws_want(ws, &node_table, WS_KEY(unit, node->node));
    }
    ws_settle(ws);
    for (size_t i = 0; i < asked->pair_count; i++) {
        const struct sku_row *sku = ws_get(ws, &sku_table, WS_KEY(unit, asked->pairs[i].sku));
        if (sku == NULL || !sku->bundle)
            continue;
        struct ws_cursor cursor = ws_scan(ws, &component_of_bundle, WS_PREFIX(db_int(unit), db_int(sku->id)), 0);
        while ((part = ws_next(ws, &cursor)) != NULL)
            ws_want(ws, &sku_table, WS_KEY(unit, part->sku));
    }
    ws_settle(ws);
}

/* A pair with what its terms are made of. */
struct made {
    struct outlet outlet;
    const struct sku_row *sku;
    struct component *components;
    size_t count;
};

/* Positions of all pairs together, then the fences that stand in them, then what those hold. */
static void want_stock(struct ws *ws, const struct made *made, size_t count)
{
    const int64_t unit = ws_unit(ws);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++)
            for (size_t n = 0; n < made[i].outlet.node_count; n++)
                for (size_t c = 0; c < made[i].count; c++) {
                    int64_t node = made[i].outlet.nodes[n]->id, sku = made[i].components[c].sku;
                    const struct position_row *position = NULL;
                    if (round == 0)
                        ws_want_path(ws, &position_of_sku, WS_PREFIX(db_int(unit), db_int(sku)), 0);
                    else
                        position = position_find(ws, node, sku, 0);
                    if (position != NULL && position->fenced > 0)
                        fence_claims_want(ws, node, sku);
                }
        ws_settle(ws);
    }
}

/* One item for each listing, or one with null where the SKU has none on the channel. */
static void write_pair(struct ws *ws, struct asked *asked, const struct pair *pair, const struct made *made, struct json_writer *json)
{
    const struct listing_row *listing;
    size_t listings = 0;
    struct ws_cursor cursor = ws_scan(ws, &listing_of_sku, WS_PREFIX(db_int(ws_unit(ws)), db_int(pair->channel), db_int(pair->sku)), 0);
    while ((listing = ws_next(ws, &cursor)) != NULL || listings == 0) {
        listings++;
        if (listing != NULL && listing->id <= pair->after)
            continue;
        if (listing == NULL && pair->after != 0)
            break;
        if (asked->limit == 0) {
            asked->cut = true;
            return;
        }
        struct atp_terms terms = availability_terms(ws, &made->outlet, listing, made->components, made->count);
        write_item(json, &made->outlet, made->sku, listing, &terms);
        asked->limit--;
        memcpy(asked->at, (const int64_t[]){ pair->channel, pair->sku, listing == NULL ? 0 : listing->id }, sizeof asked->at);
        if (listing == NULL)
            break;
    }
}

static void read_pairs(struct ws *ws, void *context)
{
    struct asked *asked = context, as_it_was = *asked;
    struct json_writer attempt;
    struct made *made = ARENA_ARRAY(ws_arena(ws), struct made, asked->pair_count);
    want_masters(ws, asked);
    for (size_t i = 0; i < asked->pair_count; i++) {
        made[i].sku = ws_get(ws, &sku_table, WS_KEY(ws_unit(ws), asked->pairs[i].sku));
        if (i > 0 && asked->pairs[i].channel == asked->pairs[i - 1].channel)
            made[i].outlet = made[i - 1].outlet;
        else
            outlet_open(ws, channel_of(ws, &asked->pairs[i]), &made[i].outlet);
        made[i].count = made[i].sku == NULL ? 0 : recipe_of(ws, made[i].sku, &made[i].components);
    }
    want_stock(ws, made, asked->pair_count);
    json_begin(&attempt, ws_arena(ws));
    *asked = as_it_was; /* an attempt that lacks a row is run again */
    for (size_t i = 0; i < asked->pair_count && !asked->cut; i++)
        if (made[i].sku != NULL)
            write_pair(ws, asked, &asked->pairs[i], &made[i], &attempt);
    if (attempt.out.size > 0)
        json_raw(asked->json, attempt.out.at, attempt.out.size);
}

/* The next pairs behind asked->at, of one unit; *more: there are some behind them. */
static enum db_result pairs_next(struct asked *asked, bool first, struct pair *pairs, size_t *count, bool *more)
{
    struct sku_ids_page_result *skus;
    struct channels_from_result *channels;
    const size_t piece = (size_t)min_i64(asked->limit, PIECE); /* most pairs are one item */
    size_t n = 0;
    enum db_result result = DB_OK;
    *count = 0;
    *more = false;
    if (asked->channel != 0 && asked->sku != 0) {
        pairs[(*count)++] = (struct pair){ asked->unit, asked->channel, asked->sku, asked->at[2] };
        return DB_OK;
    }
    bool resumes = first && asked->at[2] != 0; /* more of the pair where the page before ended */
    if (asked->channel != 0) {
        if (resumes)
            pairs[(*count)++] = (struct pair){ asked->unit, asked->channel, asked->at[1], asked->at[2] };
        result = sku_ids_page(asked->reading->db, asked->arena, asked->unit, asked->at[1], (int64_t)piece + 1, &skus, &n);
        for (size_t i = 0; result == DB_OK && i < n && i < piece; i++)
            pairs[(*count)++] = (struct pair){ asked->unit, asked->channel, skus[i].id, 0 };
        *more = n > piece;
        return result;
    }
    result = channels_from(asked->reading->db, asked->arena, 0, asked->at[0] - (resumes ? 1 : 0), (int64_t)piece + 1, &channels, &n);
    size_t i = 0;
    for (; result == DB_OK && i < n && i < piece; i++) {
        if (*count == 0)
            asked->unit = channels[i].owner;
        if (channels[i].owner != asked->unit)
            break;
        pairs[(*count)++] = (struct pair){ asked->unit, channels[i].id, asked->sku, resumes && channels[i].id == asked->at[0] ? asked->at[2] : 0 };
    }
    *more = i < n;
    return result;
}

static enum db_result write_items(struct asked *asked, bool *more)
{
    struct pair *pairs = ARENA_ARRAY(asked->arena, struct pair, PIECE + 1);
    enum db_result result = DB_OK;
    *more = true;
    for (bool first = true; result == DB_OK && *more && !asked->cut && asked->limit > 0; first = false) {
        result = pairs_next(asked, first, pairs, &asked->pair_count, more);
        asked->pairs = pairs;
        if (result == DB_OK && asked->pair_count > 0)
            result = ws_read(asked->reading, asked->unit, when_now_us(), read_pairs, asked);
        if (asked->pair_count > 0 && !asked->cut) { /* also where the last ones wrote nothing */
            asked->at[0] = pairs[asked->pair_count - 1].channel;
            asked->at[1] = pairs[asked->pair_count - 1].sku;
            asked->at[2] = 0;
        }
    }
    *more = *more || asked->cut;
    return result;
}

/* Codes to ids; *unknown: what there is none of. */
static enum db_result resolve(struct asked *asked, const struct request *request, const char **unknown)
{
    const char *channel = request->query_text[QUERY_CHANNEL], *sku = request->query_text[QUERY_SKU];
    struct master_sku_result row;
    bool found;
    enum db_result result = DB_OK;
    *unknown = NULL;
    if (channel != NULL) {
        result = channel_place(asked->reading, channel, &asked->unit, &asked->channel);
        *unknown = asked->channel == 0 ? channel : NULL;
    }
    if (result == DB_OK && sku != NULL) {
        result = master_sku(asked->reading->db, asked->arena, 0, sku, &row, &found);
        asked->sku = result == DB_OK && found ? row.id : 0;
        if (*unknown == NULL)
            *unknown = asked->sku == 0 ? sku : NULL;
    }
    return result;
}

/* A channel alone: all SKUs on it, by their making; a SKU alone: all channels. */
void get_availability(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct json_writer json;
    struct asked asked = { .reading = reading, .arena = request->arena, .limit = request->query_number[QUERY_LIMIT], .json = &json };
    const char *cursor = request->query_text[QUERY_CURSOR], *unknown;
    bool more;
    if (request->query_text[QUERY_CHANNEL] == NULL && request->query_text[QUERY_SKU] == NULL) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "name a channel, a sku, or both");
        return;
    }
    if (cursor != NULL && !cursor_parse(cursor, "atp", asked.at, 3)) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, "cursor is not one that this list has given");
        return;
    }
    enum db_result result = resolve(&asked, request, &unknown);
    if (result == DB_OK && unknown != NULL) {
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL, arena_printf(request->arena, "there is no %s", unknown));
        return;
    }
    list_begin(&json, request->arena);
    if (result == DB_OK)
        result = write_items(&asked, &more);
    if (result != DB_OK) {
        answer_store(answer, request->arena, result);
        return;
    }
    char next[CURSOR_BYTES_MAX];
    cursor_format("atp", asked.at, 3, next);
    list_end(&json, more ? next : NULL, answer);
}

/* ---- what it looks like, for /openapi.json ---- */

struct item_io {
    struct field_presence presence;
    const char *channel, *sku, *channel_sku;
    int64_t available;
    void *terms;
};
#define AT(type, member) offsetof(struct type, member)
static const struct field terms_rows[] = {
    { "pool", FIELD_INT, AT(atp_terms, pool), .read_only = true,
      .doc = "available at the channel's nodes, and what fences of its and of lower groups hold" },
    { "buffer", FIELD_INT, AT(atp_terms, buffer), .read_only = true, .doc = "the larger of the listing's and the channel's" },
    { "quota_left", FIELD_INT, AT(atp_terms, quota_left), .read_only = true, .nullable = true, .doc = "null: no quota" },
    { "cap", FIELD_INT, AT(atp_terms, cap), .read_only = true, .nullable = true, .doc = "shown at most; null: no cap" },
    { "share_ppm", FIELD_INT, AT(atp_terms, share_ppm), .read_only = true, .doc = "of the pool that is shown" },
};
static const struct field_table terms_fields = { "AtpTerms", terms_rows, COUNT(terms_rows), sizeof(struct atp_terms) };
static const struct field item_rows[] = {
    { "channel", FIELD_CODE, AT(item_io, channel), .read_only = true },
    { "sku", FIELD_CODE, AT(item_io, sku), .read_only = true },
    { "channel_sku", FIELD_CODE, AT(item_io, channel_sku), .read_only = true, .nullable = true, .doc = "null: it has no listing on the channel" },
    { "available", FIELD_INT, AT(item_io, available), .read_only = true, .doc = "max(0, min(cap, share of pool, quota_left, pool - buffer))" },
    { "terms", FIELD_OBJECT, AT(item_io, terms), .read_only = true, .of = &terms_fields },
};
const struct field_table availability_fields = { "Availability", item_rows, COUNT(item_rows), sizeof(struct item_io) };
