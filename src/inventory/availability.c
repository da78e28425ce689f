/* src/inventory/availability.c: GET /v1/availability: the sum and its terms, from the rows as they stand. */
#include "inventory/availability.h"
#include "base/when.h"
#include "inventory/reads.h"
#include <string.h>

#define RECIPE_MAX 1500

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

size_t recipe_of(struct ws *ws, const struct sku_row *sku, struct component **out)
{
    if (!sku->bundle) {
        *out = ARENA_NEW(ws_arena(ws), struct component);
        **out = (struct component){ sku->id, 1 };
        return 1;
    }
    *out = ARENA_ARRAY(ws_arena(ws), struct component, RECIPE_MAX);
    size_t count = bundle_flatten(ws, sku->id, *out, RECIPE_MAX);
    return count > RECIPE_MAX ? 0 : count;
}

/* ---- the API ---- */

struct asked {
    const char *channel, *sku;
    struct arena *arena;
    const char *body;
    size_t bytes;
    int64_t owner;
    const char *unknown;
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

/* One item for each listing, or one with null where the SKU has none on the channel. */
static void read_items(struct ws *ws, void *context)
{
    struct asked *asked = context;
    const int64_t unit = ws_unit(ws);
    struct outlet outlet;
    struct json_writer json;
    const struct sku_row *sku = ws_find(ws, &sku_by_code, WS_PREFIX(db_int(unit), db_text(asked->sku)));
    asked->unknown = sku == NULL ? "sku" : NULL;
    if (sku == NULL)
        return;
    outlet_open(ws, ws_find(ws, &channel_by_code, WS_PREFIX(db_int(unit), db_text(asked->channel))), &outlet);
    struct component *components;
    size_t count = recipe_of(ws, sku, &components);
    json_begin(&json, asked->arena);
    json_object(&json);
    json_key(&json, "items");
    json_array(&json);
    const struct listing_row *listing;
    size_t listings = 0;
    struct ws_cursor cursor = ws_scan(ws, &listing_of_sku, WS_PREFIX(db_int(unit), db_int(outlet.channel->id), db_int(sku->id)), 0);
    while ((listing = ws_next(ws, &cursor)) != NULL || listings == 0) {
        struct atp_terms terms = availability_terms(ws, &outlet, listing, components, count);
        write_item(&json, &outlet, sku, listing, &terms);
        listings++;
        if (listing == NULL)
            break;
    }
    json_array_end(&json);
    json_key(&json, "next");
    json_null(&json);
    json_object_end(&json);
    asked->body = json.out.at;
    asked->bytes = json.out.size;
}

static void read_channel(struct ws *ws, void *context)
{
    struct asked *asked = context;
    const struct channel_row *channel = ws_find(ws, &channel_by_code, WS_PREFIX(db_int(0), db_text(asked->channel)));
    asked->owner = channel == NULL ? 0 : channel->owner;
}

void get_availability(struct reading *reading, const struct request *request, struct answer *answer)
{
    struct asked asked = { .channel = request->query_text[0], .sku = request->query_text[1], .arena = request->arena };
    enum db_result result = ws_read(reading->db, reading->vault, 0, when_now_us(), read_channel, &asked);
    if (result == DB_OK && asked.owner != 0)
        result = ws_read(reading->db, reading->vault, asked.owner, when_now_us(), read_items, &asked);
    if (result != DB_OK)
        answer_fault(answer, request->arena, FAULT_BUSY, NULL, "the store did not answer in time");
    else if (asked.owner == 0 || asked.unknown != NULL)
        answer_fault(answer, request->arena, FAULT_MALFORMED_QUERY, NULL,
                     arena_printf(request->arena, "there is no %s", asked.owner == 0 ? asked.channel : asked.sku));
    else
        *answer = (struct answer){ .status = 200, .body = asked.body, .body_bytes = asked.bytes };
}
