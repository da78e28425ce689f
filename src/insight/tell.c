/* src/insight/tell.c: an event as others see it: codes and outside ids instead of the numbers that rows hold. */
#include "base/id.h"
#include "insight/insight.h"
#include "orders/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Codes of one table's rows, by id. Nothing is ever deleted from masters, so they may be read after the events. */
struct codes {
    const struct db_table *table;
    int64_t *ids;
    size_t count;
    struct db_rows rows; /* in the order of ids */
};
enum { CODES_NODE, CODES_SKU, CODES_CHANNEL, CODES_UNIT, CODES_CLASS, CODES_WEBHOOK, CODES_ROUTING, CODES_COUNT };
struct event_names {
    struct codes of[CODES_COUNT];
};

static void codes_want(struct codes *codes, int64_t id)
{
    if (id > 0 && (codes->count == 0 || codes->ids[codes->count - 1] != id))
        codes->ids[codes->count++] = id;
}

static enum db_result codes_load(const struct event_source *source, struct codes *codes)
{
    size_t distinct = 0;
    qsort(codes->ids, codes->count, sizeof *codes->ids, by_number);
    int64_t *keys = ARENA_ARRAY(source->arena, int64_t, 2 * codes->count + 1);
    for (size_t i = 0; i < codes->count; i++) {
        if (i > 0 && codes->ids[i] == codes->ids[i - 1])
            continue;
        keys[2 * distinct] = codes->table == &webhook_table ? 0 : source->unit; /* they are the company's, units have no copies */
        keys[2 * distinct + 1] = codes->ids[i];
        distinct++;
    }
    return distinct == 0 ? DB_OK : db_load(source->db, source->arena, codes->table, keys, distinct, &codes->rows);
}

static size_t column(const struct db_table *table, const char *name)
{
    size_t i = 0;
    while (!text_equal(table->columns[i].name, name))
        i++;
    return table->columns[i].offset;
}

/* NULL: there is none, which only an event without one asks for. */
static const char *code_of(const struct codes *codes, int64_t id)
{
    size_t at_id = column(codes->table, "id"), at_code = column(codes->table, "code"), low = 0, high = codes->rows.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *row = db_row(&codes->rows, middle);
        int64_t found;
        const char *code;
        memcpy(&found, row + at_id, sizeof found);
        memcpy(&code, row + at_code, sizeof code);
        if (found == id)
            return code;
        if (found < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Which table tells the code of an event's subject; CODES_COUNT: none, it has an id of its own. */
static size_t table_of_subject(enum subject_kind kind)
{
    switch (kind) {
    case SUBJECT_UNIT:
        return CODES_UNIT;
    case SUBJECT_NODE:
        return CODES_NODE;
    case SUBJECT_SKU:
    case SUBJECT_BUNDLE:
        return CODES_SKU;
    case SUBJECT_CLASS:
        return CODES_CLASS;
    case SUBJECT_CHANNEL:
    case SUBJECT_FENCE:
        return CODES_CHANNEL;
    case SUBJECT_WEBHOOK:
        return CODES_WEBHOOK;
    case SUBJECT_RATES:
    case SUBJECT_SHIPPING:
    case SUBJECT_POLICY:
        return CODES_ROUTING;
    case SUBJECT_NONE:
    case SUBJECT_ORDER:
    case SUBJECT_FULFILMENT:
    case SUBJECT_POSITION:
    case SUBJECT_EXCEPTION:
    case SUBJECT_LISTING:
    case SUBJECT_RESERVATION:
    case SUBJECT_ADJUSTMENT:
    case SUBJECT_TRANSFER:
    case SUBJECT_INSPECTION:
    case SUBJECT_SUPPLY:
    case SUBJECT_RECALL:
    case SUBJECT_SNAPSHOT:
    case SUBJECT_COUNT:
    case SUBJECT_RETURN:
    case SUBJECT_KIND_COUNT:
        break;
    }
    return CODES_COUNT;
}

enum db_result event_names_load(const struct event_source *source, const struct event_page *page, struct event_names **out)
{
    static const struct db_table *const tables[CODES_COUNT] = { &node_table,        &sku_table,     &channel_table,       &business_unit_table,
                                                                &goods_class_table, &webhook_table, &routing_master_table };
    struct event_names *names = ARENA_NEW(source->arena, struct event_names);
    for (size_t t = 0; t < CODES_COUNT; t++)
        names->of[t] = (struct codes){ .table = tables[t], .ids = ARENA_ARRAY(source->arena, int64_t, 2 * page->count + 1) };
    for (size_t i = 0; i < page->count; i++) {
        const struct event_row *event = &page->events[i];
        size_t of_subject = table_of_subject((enum subject_kind)event->subject_kind);
        codes_want(&names->of[CODES_NODE], event->node);
        codes_want(&names->of[CODES_SKU], event->sku);
        codes_want(&names->of[CODES_CLASS], event->class);
        if (of_subject < CODES_COUNT)
            codes_want(&names->of[of_subject], event->subject);
    }
    enum db_result result = DB_OK;
    for (size_t t = 0; t < CODES_COUNT && result == DB_OK; t++)
        result = codes_load(source, &names->of[t]);
    *out = names;
    return result;
}

/* ---- subject ---- */

static const char *outside_id(const struct event_source *source, const char *prefix, int64_t id)
{
    return id_text(source->arena, prefix, source->unit, id);
}

static const char *subject_id(const struct event_source *source, const struct event_names *names, const struct event_row *event)
{
    enum subject_kind kind = (enum subject_kind)event->subject_kind;
    const char *node = code_of(&names->of[CODES_NODE], event->node), *sku = code_of(&names->of[CODES_SKU], event->sku);
    size_t table = table_of_subject(kind);
    if (subject_prefix(kind) != NULL)
        return outside_id(source, subject_prefix(kind), event->subject);
    if (kind == SUBJECT_POSITION && event->class > 0) /* another position: nobody must take it for what may be sold */
        return arena_printf(source->arena, "%s/%s/%s", node, sku, code_of(&names->of[CODES_CLASS], event->class));
    if (kind == SUBJECT_POSITION)
        return arena_printf(source->arena, "%s/%s", node, sku);
    if (kind == SUBJECT_FENCE)
        return arena_printf(source->arena, "%s/%s/%s", code_of(&names->of[CODES_CHANNEL], event->subject), node, sku);
    return table == CODES_COUNT ? NULL : code_of(&names->of[table], event->subject);
}

/* ---- data ---- */

/* What the row says, and which keys of its text these stand for: ours win. */
static const char *const own_keys[] = { "order", "node", "sku", "class", "quantity", "amount", "unit_cost", "document" };

static void write_own(const struct event_source *source, const struct event_names *names, const struct event_row *event, struct json_writer *json,
                      bool written[COUNT(own_keys)])
{
    enum { ORDER, NODE, SKU, CLASS, QUANTITY, AMOUNT, UNIT_COST, DOCUMENT };
    const struct {
        bool there;
        const char *text;
        int64_t number; /* where text is NULL */
        bool is_money;
    } values[COUNT(own_keys)] = {
        [ORDER] = { event->about > 0, event->about > 0 ? outside_id(source, "ord", event->about) : NULL, 0, false },
        [NODE] = { event->node > 0, code_of(&names->of[CODES_NODE], event->node), 0, false },
        [SKU] = { event->sku > 0, code_of(&names->of[CODES_SKU], event->sku), 0, false },
        [CLASS] = { event->class > 0, code_of(&names->of[CODES_CLASS], event->class), 0, false },
        [QUANTITY] = { event->quantity != NULL_INT, NULL, event->quantity, false },
        [AMOUNT] = { event->amount != NULL_INT && event->currency != NULL, NULL, event->amount, true },
        [UNIT_COST] = { event->unit_cost != NULL_INT && event->currency != NULL, NULL, event->unit_cost, true },
        [DOCUMENT] = { event->document != NULL, event->document, 0, false },
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        written[i] = values[i].there;
        if (!values[i].there)
            continue;
        json_key(json, own_keys[i]);
        struct money money = { .minor = values[i].number };
        snprintf(money.currency, sizeof money.currency, "%.3s", event->currency == NULL ? "" : event->currency);
        if (values[i].is_money)
            json_money(json, money);
        else if (i == QUANTITY)
            json_int(json, values[i].number);
        else
            json_text(json, values[i].text);
    }
}

static void write_position(const struct event_source *source, const struct event_names *names, const struct event_row *event,
                           struct json_writer *json)
{
    const struct {
        const char *name;
        int64_t units;
    } buckets[] = {
        { "available", event->available }, { "reserved", event->reserved }, { "allocated", event->allocated }, { "quarantined", event->quarantined }
    };
    int64_t on_hand = 0;
    for (size_t i = 0; i < COUNT(buckets); i++)
        on_hand += buckets[i].units;
    json_key(json, "node");
    json_text(json, code_of(&names->of[CODES_NODE], event->node));
    json_key(json, "sku");
    json_text(json, code_of(&names->of[CODES_SKU], event->sku));
    if (event->class > 0) {
        json_key(json, "class");
        json_text(json, code_of(&names->of[CODES_CLASS], event->class));
    }
    json_key(json, "on_hand");
    json_int(json, on_hand);
    for (size_t i = 0; i < COUNT(buckets); i++) {
        json_key(json, buckets[i].name);
        json_int(json, buckets[i].units);
    }
}

static bool is_written(const struct json_reader *key, const bool written[COUNT(own_keys)])
{
    for (size_t i = 0; i < COUNT(own_keys); i++)
        if (written[i] && key->bytes == strlen(own_keys[i]) && memcmp(key->text, own_keys[i], key->bytes) == 0)
            return true;
    return false;
}

/* Of an order's state, shown as the order shows its own. */
static void write_fulfilments(const struct event_source *source, const struct numbers *told, struct json_writer *json)
{
    json_array(json);
    for (size_t i = 0; i + 2 <= told->count; i += 2) {
        json_object(json);
        json_key(json, "id");
        json_text(json, outside_id(source, "ful", told->at[i]));
        json_key(json, "state");
        json_text(json, fulfilment_names[told->at[i + 1]]);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The members of the event's text where it is a JSON object, each as it stands; what is none adds nothing. An order's event keeps its
 * whole state, for answers that are given again: part of it is inner. */
static void write_text(const struct event_source *source, const struct event_row *event, struct json_writer *json,
                       const bool written[COUNT(own_keys)])
{
    struct arena *arena = source->arena;
    const char *text = event->data;
    bool of_order = event->subject_kind == SUBJECT_ORDER;
    struct json_reader reader;
    json_open(&reader, arena, text, strlen(text));
    if (json_next(&reader) != JSON_OBJECT)
        return;
    while (json_next(&reader) == JSON_KEY) {
        const char *key = arena_text_n(arena, reader.text, reader.bytes);
        bool ours = is_written(&reader, written);
        enum state_member state = of_order ? order_state_member(key, strlen(key)) : STATE_NONE;
        if (state == STATE_SHOWN && strcmp(key, "fulfilments") == 0) {
            struct numbers fulfilments;
            if (!numbers_read(&reader, &fulfilments))
                return;
            json_key(json, key);
            write_fulfilments(source, &fulfilments, json);
            continue;
        }
        const char *from = reader.at; /* behind the colon, which goes with the key; our own text has no spaces */
        if (!json_skip(&reader))
            return;
        if (ours || state == STATE_INNER)
            continue;
        json_key(json, key);
        json_raw(json, from, (size_t)(reader.at - from));
    }
}

void event_write(const struct event_source *source, const struct event_names *names, const struct event_row *event, struct json_writer *json)
{
    json_object(json);
    json_key(json, "seq");
    json_int(json, event->seq);
    json_key(json, "type");
    json_text(json, event_name((enum event_type)event->type));
    json_key(json, "at");
    json_time(json, event->at);
    json_key(json, "unit");
    json_text(json, source->unit_code);
    json_key(json, "subject");
    json_object(json);
    json_key(json, "kind");
    json_text(json, subject_name((enum subject_kind)event->subject_kind));
    json_key(json, "id");
    json_text(json, subject_id(source, names, event));
    json_object_end(json);
    json_key(json, "data");
    json_object(json);
    bool written[COUNT(own_keys)] = { false };
    if (event->type == EVENT_POSITION_CHANGED)
        write_position(source, names, event, json);
    else if (event->type != EVENT_MASTER_CHANGED) /* its text is the whole resource as GET gives it */
        write_own(source, names, event, json, written);
    if (event->data != NULL)
        write_text(source, event, json, written);
    json_object_end(json);
    json_object_end(json);
}
