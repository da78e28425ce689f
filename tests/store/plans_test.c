/* tests/store/plans_test.c: no request does work that grows with the number of orders ever taken.
 * Every route is called on a company with few orders and again when it has ten times as many, or a hundred times with
 * MILLRACE_PLAN_ORDERS=1000000: reserved, released, delivered and cancelled ones. What the store did is counted: on SQLite
 * steps of its machine, rows of full scans and pages, and each statement's plan must stay what it was; on PostgreSQL rows
 * read and blocks, after ANALYZE. Pages may grow as trees grow deeper. A route that is not in the table fails the test. */
#include "engine/api.h"
#include "http/own.h"
#include "http/router.h"
#include "store/shop.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BATCH 400
#define DRAWS 3
#define ANALYZE_TRIES 5
#define CALLS 3 /* of each request: the dearest counts, but for the first, which loads what is kept */

/* ---- what the store has done so far ---- */

struct work {
    int64_t steps, rows, pages;
};

static sqlite3 *opened; /* by the shop: its only connection */
static int note_connection(sqlite3 *handle, const char **error, const void *routines)
{
    opened = handle;
    return SQLITE_OK;
}

static struct work work_of_sqlite(void)
{
    struct work work = { 0 };
    int now[2] = { 0 }, highest;
    for (sqlite3_stmt *s = sqlite3_next_stmt(opened, NULL); s != NULL; s = sqlite3_next_stmt(opened, s)) {
        work.steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 0);
        work.rows += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    }
    sqlite3_db_status(opened, SQLITE_DBSTATUS_CACHE_HIT, &now[0], &highest, 0);
    sqlite3_db_status(opened, SQLITE_DBSTATUS_CACHE_MISS, &now[1], &highest, 0);
    work.pages = (int64_t)now[0] + now[1];
    return work;
}

static int64_t number_of(struct shop *shop, const char *sql)
{
    static const struct db_column columns[] = { { "n", DB_INT, false, 0 } };
    struct db_statement *statement = ARENA_NEW(shop->arena, struct db_statement);
    struct db_rows rows;
    *statement = (struct db_statement){ .name = "count", .sqlite = sql, .postgres = sql, .columns = columns, .column_count = 1, .row_size = 8 };
    if (db_query(engine_db(shop->engine), shop->arena, statement, NULL, &rows) != DB_OK)
        fail_msg("%s: %s", sql, db_last_error(engine_db(shop->engine)));
    return *(const int64_t *)db_row(&rows, 0);
}

/* The connection's own counts are handed over first. Other tests have schemas of their own in the same database. */
static struct work work_of_postgres(struct shop *shop)
{
    struct work work = { 0 };
    (void)number_of(shop, "SELECT length(pg_stat_force_next_flush()::text)::bigint AS n");
    work.rows =
        number_of(shop, "SELECT ((SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE schemaname = current_schema()) + "
                        "(SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE schemaname = current_schema()))::bigint AS n");
    work.pages = number_of(shop, "SELECT coalesce(sum(coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0) + "
                                 "coalesce(idx_blks_hit, 0)), 0)::bigint AS n FROM pg_statio_user_tables WHERE schemaname = current_schema()");
    return work;
}

static struct work work_so_far(struct shop *shop)
{
    return db_is_sqlite(engine_db(shop->engine)) ? work_of_sqlite() : work_of_postgres(shop);
}

/* ---- requests ---- */

static int number; /* makes what must be new */

static struct reply new_order(struct shop *shop, const char *payment)
{
    return shop_must(
        shop, 201, "POST", "/v1/orders",
        "{\"channel\":\"web\",\"channel_order_id\":\"W-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"
        "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}},"
        "{\"sku\":\"BULB\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"%s\"}}",
        ++number, payment);
}

static const char *id_after(struct shop *shop, const char *body, const char *after, const char *name)
{
    char id[64];
    text_in(body, after, name, id, sizeof id);
    if (id[0] == '\0')
        fail_msg("no %s in %s", name, body);
    return arena_text(shop->arena, id);
}

static const char *pending_order(struct shop *shop)
{
    return id_after(shop, new_order(shop, "pending").body, NULL, "id");
}

/* The event of an adjustment, which is the last that it tells. */
static const char *adjusted(struct shop *shop)
{
    receive(shop, "LEJ", "LAMP", 1);
    return arena_printf(shop->arena, "DE:%ld", (long)number_of(shop, "SELECT event_seq AS n FROM unit_clock WHERE unit = 1"));
}

static const char *held_order(struct shop *shop)
{
    const char *id = pending_order(shop);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/holds", id),
              "{\"kind\":\"fraud\",\"source\":\"x\",\"reason\":\"looks odd\"}");
    return id;
}

static const char *hand_order(struct shop *shop) /* of a channel that releases by hand */
{
    struct reply made =
        shop_must(shop, 201, "POST", "/v1/orders",
                  "{\"channel\":\"hand\",\"channel_order_id\":\"H-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                  "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,"
                  "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"captured\"}}",
                  ++number);
    return id_after(shop, made.body, NULL, "id");
}

static const char *const steps[][2] = {
    { "pick", "{}" }, { "pack", "{\"packages\":[{\"weight_g\":1}]}" }, { "ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}" }, { "deliver", "{}" }
};

static const char *fulfilment_after(struct shop *shop, size_t done)
{
    const char *id = id_after(shop, new_order(shop, "captured").body, "\"fulfilments\"", "id");
    for (size_t i = 0; i < done; i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", id, steps[i][0]), "%s", steps[i][1]);
    return id;
}
static const char *released(struct shop *shop)
{
    return fulfilment_after(shop, 0);
}
static const char *picked(struct shop *shop)
{
    return fulfilment_after(shop, 1);
}
static const char *packed(struct shop *shop)
{
    return fulfilment_after(shop, 2);
}
static const char *shipped(struct shop *shop)
{
    return fulfilment_after(shop, 3);
}

/* On its way, and lost. */
static const char *lost(struct shop *shop)
{
    const char *id = fulfilment_after(shop, 3);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/lost", id), "{\"reason\":\"x\"}");
    return id;
}

/* Of a node that others run: released, sent, asked to give it back. The one before is cancelled: what a node declined waits, and a queue is no
 * past. */
enum theirs { RELEASED, SENT, ASKED };
static const char *theirs(struct shop *shop, enum theirs how_far)
{
    static char before[64];
    if (before[0] != '\0')
        shop_call(shop, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", before), "{\"reason\":\"x\"}");
    shop_call(shop, "PUT", "/v1/nodes/FBA", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    shop_call(shop, "PUT", "/v1/channels/fba", "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"b2b\",\"nodes\":[\"FBA\"],\"shortage\":\"backorder\"}");
    receive(shop, "FBA", "LAMP", 1);
    struct reply made = order(shop, "fba", arena_printf(shop->arena, "F-%d", ++number), "LAMP", 1);
    const char *id = id_after(shop, made.body, NULL, "id");
    snprintf(before, sizeof before, "%s", id);
    made = shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/payments", id),
                     "{\"kind\":\"captured\",\"amount\":{\"amount\":\"99.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}");
    const char *work = id_after(shop, made.body, "\"fulfilments\"", "id");
    if (how_far >= SENT)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/send", work), "{}");
    if (how_far == ASKED)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\"}");
    return work;
}
static const char *released_theirs(struct shop *shop)
{
    return theirs(shop, RELEASED);
}
static const char *sent(struct shop *shop)
{
    return theirs(shop, SENT);
}
static const char *asked(struct shop *shop)
{
    return theirs(shop, ASKED);
}
static const char *order_of(struct shop *shop, const char *work)
{
    return id_after(shop, shop_must(shop, 200, "GET", arena_printf(shop->arena, "/v1/fulfilments/%s", work), NULL).body, NULL, "order");
}
static const char *sent_order(struct shop *shop)
{
    return order_of(shop, sent(shop));
}
static const char *declined_order(struct shop *shop)
{
    const char *work = sent(shop);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/decline", work), "{\"reason\":\"x\"}");
    return order_of(shop, work);
}

#define RESERVATION "{\"channel\":\"web\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}],\"ttl_s\":600}"
static const char *reservation(struct shop *shop)
{
    return id_after(shop, shop_must(shop, 201, "POST", "/v1/reservations", RESERVATION).body, NULL, "id");
}
#define TRANSFER "{\"from\":\"LEJ\",\"to\":\"HAM\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}"
static const char *transfer_after(struct shop *shop, int done)
{
    static const char *const verbs[][2] = { { "ship", "" }, { "receive", "{\"lines\":[]}" } };
    receive(shop, "LEJ", "LAMP", 1);
    const char *id = id_after(shop, shop_must(shop, 201, "POST", "/v1/transfers", TRANSFER).body, NULL, "id");
    for (int i = 0; i < done; i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/transfers/%s/%s", id, verbs[i][0]), "%s", verbs[i][1]);
    return id;
}
static const char *requested(struct shop *shop)
{
    return transfer_after(shop, 0);
}
static const char *under_way(struct shop *shop)
{
    return transfer_after(shop, 1);
}
static const char *came_short(struct shop *shop)
{
    return transfer_after(shop, 2);
}
#define SUPPLY(KIND, ALSO) \
    "{\"node\":\"LEJ\",\"kind\":\"" KIND "\"" ALSO ",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":2,\"expected_at\":\"2030-12-01T08:00:00Z\"}]}"
static const char *expected(struct shop *shop)
{
    const char *purchase = id_after(shop, shop_must(shop, 201, "POST", "/v1/supplies", SUPPLY("purchase", "")).body, NULL, "id");
    return id_after(shop, shop_must(shop, 201, "POST", "/v1/supplies", SUPPLY("asn", ",\"purchase\":\"%s\""), purchase).body, NULL, "id");
}
#define LAMPS_AT_LEJ "{\"node\":\"LEJ\",\"skus\":[\"LAMP\"]}"
static const char *sheet(struct shop *shop)
{
    return id_after(shop, shop_must(shop, 201, "POST", "/v1/counts", LAMPS_AT_LEJ).body, NULL, "id");
}
static const char *differing_sheet(struct shop *shop)
{
    const char *id = sheet(shop);
    number++;
    for (int i = 0; i < 2; i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/counts/%s/lines", id),
                  "{\"counter\":\"%d\",\"lines\":[{\"sku\":\"LAMP\",\"counted\":%d}]}", i, 1000000 + number);
    return id;
}
/* An order that waits makes one. */
static const char *exception_of_short_order(struct shop *shop)
{
    static const char more[] =
        "{\"channel\":\"web\",\"channel_order_id\":\"E-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
        "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"NONE\",\"quantity\":1,"
        "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}";
    shop_must(shop, 201, "POST", "/v1/orders", more, ++number);
    return id_after(shop, shop_must(shop, 200, "GET", "/v1/exceptions?limit=1", NULL).body, "\"items\"", "id");
}
static const char *fresh(struct shop *shop)
{
    return arena_printf(shop->arena, "X%d", ++number);
}
/* A node that others keep, and something there that it will not name. */
static const char *elsewhere(struct shop *shop)
{
    (void)shop_call(shop, "PUT", "/v1/nodes/FAR",
                    "{\"unit\":\"DE\",\"name\":\"F\",\"kind\":\"third_party\",\"authority\":\"mirrored\",\"country\":\"DE\",\"postal_code\":\"1\"}");
    receive(shop, "FAR", "BULB", 3);
    receive(shop, "FAR", "LAMP", 3);
    return fresh(shop);
}
/* Three at a node. */
static const char *toy(struct shop *shop)
{
    const char *sku = fresh(shop);
    shop_must(shop, 201, "PUT", arena_printf(shop->arena, "/v1/skus/%s", sku), "{\"name\":\"Toy\"}");
    receive(shop, "LEJ", sku, 3);
    return sku;
}
static const char *called_back(struct shop *shop)
{
    const char *body =
        shop_must(shop, 201, "POST", "/v1/recalls", "{\"sku\":\"%s\",\"nodes\":[\"LEJ\",\"HAM\"],\"reason\":\"paint\"}", toy(shop)).body;
    shop_jobs(shop, 1);
    return id_after(shop, body, NULL, "id");
}
static const char *order_that_left(struct shop *shop)
{
    const char *body = new_order(shop, "captured").body, *work = id_after(shop, body, "\"fulfilments\"", "id");
    for (size_t i = 0; i < 3; i++)
        shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/fulfilments/%s/%s", work, steps[i][0]), "%s", steps[i][1]);
    return id_after(shop, body, NULL, "id");
}
static const char *expected_back(struct shop *shop)
{
    return id_after(shop,
                    shop_must(shop, 201, "POST", "/v1/returns", "{\"order\":\"%s\",\"node\":\"LEJ\",\"lines\":[{\"line\":1,\"quantity\":1}]}",
                              order_that_left(shop))
                        .body,
                    NULL, "id");
}
static const char *came_back(struct shop *shop)
{
    const char *id = expected_back(shop);
    shop_must(shop, 200, "POST", arena_printf(shop->arena, "/v1/returns/%s/receive", id), "{\"lines\":[{\"line\":1,\"quantity\":1}]}");
    return id;
}
/* Two in quarantine and two to sell, and a class. */
static const char *kept_back(struct shop *shop)
{
    (void)shop_call(shop, "PUT", "/v1/classes/B", "{\"name\":\"B\"}");
    receive(shop, "LEJ", "LAMP", 4);
    shop_must(shop, 201, "POST", "/v1/inventory/quarantine", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":2,\"reason\":\"quality\"}");
    return fresh(shop);
}

/* `target` and `body` may name, by %s, what `prepare` made. */
struct call {
    const char *method, *route, *target, *body;
    const char *(*prepare)(struct shop *shop);
};
#define MASTER_READS(LIST, PART, EXAMPLE)                                                                                         \
    { "GET", LIST PART, LIST EXAMPLE, NULL, NULL }, { "GET", LIST PART "/history", LIST EXAMPLE "/history?limit=5", NULL, NULL }, \
    {                                                                                                                             \
        "GET", LIST, LIST "?limit=5", NULL, NULL                                                                                  \
    }
#define MASTER(LIST, PART, EXAMPLE, BODY)                                                                                             \
    { "PUT", LIST PART, LIST "/%s", BODY, fresh }, { "PATCH", LIST PART, LIST EXAMPLE, "{\"name\":\"%s\"}", fresh },                  \
        { "GET", LIST PART, LIST EXAMPLE, NULL, NULL }, { "GET", LIST PART "/history", LIST EXAMPLE "/history?limit=5", NULL, NULL }, \
    {                                                                                                                                 \
        "GET", LIST, LIST "?limit=5", NULL, NULL                                                                                      \
    }
#define FENCE "/v1/channels/{code}/fences/{node}/{sku}"
#define ORDER_OF(CHANNEL)                                                                                                                                      \
    "{\"channel\":\"" CHANNEL                                                                                                                                  \
    "\",\"channel_order_id\":\"%s\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":\"A\"},"                                \
    "\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}," \
    "{\"sku\":\"KIT\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"pending\"}}"

static const struct call calls[] = {
    { "POST", "/v1/orders", "/v1/orders", ORDER_OF("web"), fresh },
    { "POST", "/v1/orders", "/v1/orders", ORDER_OF("b2b"), fresh },
    { "POST", "/v1/orders", "/v1/orders", ORDER_OF("market"), fresh },
    { "POST", "/v1/commands/{id}/undo", "/v1/commands/%s/undo", "{}", adjusted },
    { "GET", "/v1/orders/{id}", "/v1/orders/%s", NULL, pending_order },
    { "GET", "/v1/orders/{id}/decisions", "/v1/orders/%s/decisions", NULL, pending_order },
    { "GET", "/v1/orders", "/v1/orders?limit=20", NULL, NULL },
    { "GET", "/v1/orders", "/v1/orders?stage=reserved&limit=20", NULL, NULL },
    { "GET", "/v1/orders", "/v1/orders?stage=delivered&channel=web&limit=20", NULL, NULL },
    { "GET", "/v1/orders", "/v1/orders?channel=web&limit=20", NULL, NULL },
    { "GET", "/v1/orders", "/v1/orders?hold=fraud&limit=2", NULL, NULL },
    { "GET", "/v1/orders", "/v1/orders?stage=reserved&limit=20&cursor=%s", NULL, pending_order },
    { "POST", "/v1/orders/{id}/edit", "/v1/orders/%s/edit", "{\"set\":[{\"line\":1,\"quantity\":2}],\"ship_to\":{\"name\":\"B\",\"country\":\"AT\"}}",
      pending_order },
    { "POST", "/v1/orders/{id}/substitute", "/v1/orders/%s/substitute", "{\"line\":1,\"sku\":\"SHADE\"}", pending_order },
    { "POST", "/v1/orders/{id}/cancel", "/v1/orders/%s/cancel", "{\"reason\":\"x\"}", pending_order },
    { "POST", "/v1/orders/{id}/holds", "/v1/orders/%s/holds", "{\"kind\":\"fraud\",\"source\":\"x\",\"reason\":\"looks odd\"}", pending_order },
    { "POST", "/v1/orders/{id}/holds/{kind}/clear", "/v1/orders/%s/holds/fraud/clear", "{\"source\":\"x\",\"reason\":\"fine\"}", held_order },
    { "POST", "/v1/orders/{id}/payments", "/v1/orders/%s/payments",
      "{\"kind\":\"captured\",\"amount\":{\"amount\":\"20.00\",\"currency\":\"EUR\"},\"reference\":\"p\"}", pending_order },
    { "POST", "/v1/orders/{id}/release", "/v1/orders/%s/release", "{}", hand_order },
    { "POST", "/v1/orders/{id}/cancel", "/v1/orders/%s/cancel", "{\"reason\":\"x\"}", sent_order },
    { "POST", "/v1/orders/{id}/refusals/{node}/clear", "/v1/orders/%s/refusals/FBA/clear", "{\"reason\":\"x\"}", declined_order },
    { "POST", "/v1/fulfilments/{id}/send", "/v1/fulfilments/%s/send", "{}", released_theirs },
    { "POST", "/v1/fulfilments/{id}/accept", "/v1/fulfilments/%s/accept", "{}", sent },
    { "POST", "/v1/fulfilments/{id}/decline", "/v1/fulfilments/%s/decline", "{\"reason\":\"x\"}", sent },
    { "POST", "/v1/fulfilments/{id}/fail", "/v1/fulfilments/%s/fail", "{\"reason\":\"x\",\"lost\":[{\"line\":1,\"quantity\":1}]}", sent },
    { "POST", "/v1/fulfilments/{id}/cancel", "/v1/fulfilments/%s/cancel", "{}", asked },
    { "POST", "/v1/fulfilments/{id}/reject_cancel", "/v1/fulfilments/%s/reject_cancel", "{\"reason\":\"x\"}", asked },
    { "GET", "/v1/fulfilments", "/v1/fulfilments?node=LEJ&state=released&limit=20", NULL, NULL },
    { "GET", "/v1/fulfilments", "/v1/fulfilments?node=FBA&state=cancel_requested&limit=20", NULL, asked },
    { "GET", "/v1/fulfilments/{id}", "/v1/fulfilments/%s", NULL, released },
    { "POST", "/v1/fulfilments/{id}/pick", "/v1/fulfilments/%s/pick", "{}", released },
    { "POST", "/v1/fulfilments/{id}/pick", "/v1/fulfilments/%s/pick", "{\"lines\":[{\"line\":1,\"quantity\":0}]}", released },
    { "POST", "/v1/fulfilments/{id}/pack", "/v1/fulfilments/%s/pack", "{\"packages\":[{\"weight_g\":1}]}", picked },
    { "POST", "/v1/fulfilments/{id}/ship", "/v1/fulfilments/%s/ship", "{\"carrier\":\"DHL\",\"tracking\":\"T\"}", packed },
    { "POST", "/v1/fulfilments/{id}/ship", "/v1/fulfilments/%s/ship",
      "{\"carrier\":\"DHL\",\"tracking\":\"T\",\"lines\":[{\"line\":1,\"quantity\":1}]}", packed },
    { "POST", "/v1/fulfilments/{id}/deliver", "/v1/fulfilments/%s/deliver", "{}", shipped },
    { "POST", "/v1/fulfilments/{id}/lost", "/v1/fulfilments/%s/lost", "{\"reason\":\"x\"}", shipped },
    { "POST", "/v1/fulfilments/{id}/damaged", "/v1/fulfilments/%s/damaged", "{\"reason\":\"x\",\"then\":\"refund\"}", shipped },
    { "POST", "/v1/fulfilments/{id}/settle", "/v1/fulfilments/%s/settle", "{\"then\":\"refund\"}", lost },
    { "POST", "/v1/inventory/adjustments", "/v1/inventory/adjustments",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":3,\"reason\":\"receipt\",\"document\":\"%s\"}", fresh },
    { "POST", "/v1/inventory/adjustments", "/v1/inventory/adjustments",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"delta\":-1,\"reason\":\"damage\",\"document\":\"%s\"}", fresh },
    { "POST", "/v1/inventory/adjustments", "/v1/inventory/adjustments",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"class\":\"B\",\"delta\":3,\"reason\":\"receipt\",\"document\":\"%s\"}", kept_back },
    { "POST", "/v1/inventory/quarantine", "/v1/inventory/quarantine",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":1,\"reason\":\"quality\",\"document\":\"%s\"}", kept_back },
    { "POST", "/v1/inventory/release", "/v1/inventory/release", "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"quantity\":1,\"document\":\"%s\"}", kept_back },
    { "POST", "/v1/inventory/regrade", "/v1/inventory/regrade",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"to_class\":\"B\",\"quantity\":1,\"document\":\"%s\"}", kept_back },
    { "POST", "/v1/inspections", "/v1/inspections",
      "{\"node\":\"LEJ\",\"sku\":\"LAMP\",\"document\":\"%s\",\"lines\":[{\"disposition\":\"restock_as\",\"class\":\"B\",\"quantity\":1},"
      "{\"disposition\":\"restock\",\"quantity\":1}]}",
      kept_back },
    { "POST", "/v1/nodes/{code}/snapshot", "/v1/nodes/FAR/snapshot",
      "{\"taken_at\":\"2025-11-24T08:00:00Z\",\"document\":\"%s\",\"whole\":true,\"items\":[{\"sku\":\"LAMP\",\"quantity\":2,\"quarantined\":1}]}",
      elsewhere },
    { "POST", "/v1/returns", "/v1/returns", "{\"order\":\"%s\",\"node\":\"LEJ\",\"lines\":[{\"line\":1,\"quantity\":1}]}", order_that_left },
    { "GET", "/v1/returns", "/v1/returns?limit=5", NULL, NULL },
    { "GET", "/v1/returns", "/v1/returns?state=expected&limit=5", NULL, NULL },
    { "GET", "/v1/returns/{id}", "/v1/returns/%s", NULL, expected_back },
    { "POST", "/v1/returns/{id}/receive", "/v1/returns/%s/receive", "{\"lines\":[{\"line\":1,\"quantity\":1}]}", expected_back },
    { "POST", "/v1/returns/{id}/inspect", "/v1/returns/%s/inspect", "{\"lines\":[{\"line\":1,\"quantity\":1,\"disposition\":\"restock\"}]}",
      came_back },
    { "POST", "/v1/returns/{id}/cancel", "/v1/returns/%s/cancel", "{}", expected_back },
    { "POST", "/v1/recalls", "/v1/recalls", "{\"sku\":\"%s\",\"nodes\":[\"LEJ\",\"HAM\"],\"reason\":\"paint\"}", toy },
    { "GET", "/v1/recalls", "/v1/recalls?limit=5", NULL, NULL },
    { "GET", "/v1/recalls", "/v1/recalls?state=ended&limit=5", NULL, NULL },
    { "GET", "/v1/recalls/{id}", "/v1/recalls/%s", NULL, called_back },
    { "POST", "/v1/recalls/{id}/end", "/v1/recalls/%s/end", "{\"release\":true,\"reason\":\"over\"}", called_back },
    { "GET", "/v1/inventory", "/v1/inventory?sku=LAMP", NULL, NULL },
    { "GET", "/v1/inventory", "/v1/inventory?node=LEJ&limit=2", NULL, NULL },
    { "GET", "/v1/inventory", "/v1/inventory?limit=2", NULL, NULL },
    { "GET", "/v1/inventory/movements", "/v1/inventory/movements?limit=20", NULL, NULL },
    { "GET", "/v1/inventory/movements", "/v1/inventory/movements?node=LEJ&limit=5", NULL, NULL },
    { "GET", "/v1/availability", "/v1/availability?channel=web&sku=KIT", NULL, NULL },
    { "GET", "/v1/availability", "/v1/availability?sku=LAMP", NULL, NULL },
    { "GET", "/v1/availability", "/v1/availability?channel=web&limit=2", NULL, NULL },
    { "PUT", FENCE, "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":2}", NULL },
    { "PATCH", FENCE, "/v1/channels/b2b/fences/LEJ/LAMP", "{\"quantity\":3}", NULL },
    { "GET", FENCE, "/v1/channels/b2b/fences/LEJ/LAMP", NULL, NULL },
    { "GET", FENCE "/history", "/v1/channels/b2b/fences/LEJ/LAMP/history?limit=5", NULL, NULL },
    { "GET", "/v1/channels/{code}/fences", "/v1/channels/b2b/fences?limit=5", NULL, NULL },
    { "POST", "/v1/reservations", "/v1/reservations", RESERVATION, NULL },
    { "DELETE", "/v1/reservations/{id}", "/v1/reservations/%s", NULL, reservation },
    { "POST", "/v1/transfers", "/v1/transfers", TRANSFER, requested },
    { "POST", "/v1/counts", "/v1/counts", LAMPS_AT_LEJ, NULL },
    { "GET", "/v1/counts", "/v1/counts?limit=2", NULL, NULL },
    { "GET", "/v1/counts", "/v1/counts?state=open&limit=2", NULL, NULL },
    { "GET", "/v1/counts/{id}", "/v1/counts/%s", NULL, sheet },
    { "POST", "/v1/counts/classes", "/v1/counts/classes", "{\"unit\":\"DE\",\"dry_run\":true}", NULL },
    { "GET", "/v1/counts/classes", "/v1/counts/classes?node=LEJ&limit=2", NULL, NULL },
    { "GET", "/v1/counts/classes", "/v1/counts/classes?node=LEJ&class=A&limit=2", NULL, NULL },
    { "PUT", "/v1/units/{code}/counting", "/v1/units/DE/counting", "{\"window_days\":7,\"every_days\":0}", NULL },
    { "GET", "/v1/units/{code}/counting", "/v1/units/DE/counting", NULL, NULL },
    { "GET", "/v1/counts/due", "/v1/counts/due?node=LEJ&limit=5", NULL, NULL },
    { "GET", "/v1/counts/accuracy", "/v1/counts/accuracy?node=LEJ", NULL, NULL },
    { "POST", "/v1/counts/{id}/lines", "/v1/counts/%s/lines", "{\"lines\":[{\"sku\":\"LAMP\",\"counted\":0}]}", sheet },
    { "POST", "/v1/counts/{id}/cancel", "/v1/counts/%s/cancel", "{\"reason\":\"no\"}", sheet },
    { "POST", "/v1/counts/{id}/acknowledge", "/v1/counts/%s/acknowledge", "{\"reason\":\"no\"}", differing_sheet },
    { "PUT", "/v1/nodes/{code}/counting", "/v1/nodes/LEJ/counting", "{\"days_a\":7}", NULL },
    { "GET", "/v1/nodes/{code}/counting", "/v1/nodes/LEJ/counting", NULL, NULL },
    { "GET", "/v1/transfers", "/v1/transfers?limit=5", NULL, NULL },
    { "GET", "/v1/transfers", "/v1/transfers?state=requested&limit=5", NULL, NULL },
    { "GET", "/v1/transfers/{id}", "/v1/transfers/%s", NULL, under_way },
    { "POST", "/v1/transfers/{id}/ship", "/v1/transfers/%s/ship", "{}", requested },
    { "POST", "/v1/transfers/{id}/receive", "/v1/transfers/%s/receive", "{\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}", under_way },
    { "POST", "/v1/transfers/{id}/settle", "/v1/transfers/%s/settle", "{\"reason\":\"gone\"}", came_short },
    { "POST", "/v1/transfers/{id}/cancel", "/v1/transfers/%s/cancel", "{}", requested },
    { "POST", "/v1/supplies", "/v1/supplies", SUPPLY("purchase", ",\"reference\":\"PO-1\""), NULL },
    { "GET", "/v1/supplies", "/v1/supplies?limit=5", NULL, expected },
    { "GET", "/v1/supplies", "/v1/supplies?state=open&limit=5", NULL, NULL },
    { "GET", "/v1/supplies", "/v1/supplies?node=LEJ&limit=5", NULL, NULL },
    { "GET", "/v1/supplies", "/v1/supplies?sku=LAMP&limit=5", NULL, NULL },
    { "GET", "/v1/supplies/{id}", "/v1/supplies/%s", NULL, expected },
    { "GET", "/v1/availability/dates", "/v1/availability/dates?channel=web&sku=LAMP", NULL, NULL },
    { "POST", "/v1/supplies/{id}/change", "/v1/supplies/%s/change", "{\"lines\":[{\"line\":1,\"quantity\":1}]}", expected },
    { "POST", "/v1/supplies/{id}/receive", "/v1/supplies/%s/receive", "{\"document\":\"DN\",\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1}]}",
      expected },
    { "POST", "/v1/supplies/{id}/close", "/v1/supplies/%s/close", "{\"reason\":\"gone\"}", expected },
    { "PUT", "/v1/webhooks/{code}", "/v1/webhooks/%s", "{\"url\":\"https://erp.example/\"}", fresh },
    { "PATCH", "/v1/webhooks/{code}", "/v1/webhooks/erp", "{\"description\":\"%s\"}", fresh },
    { "GET", "/v1/webhooks/{code}", "/v1/webhooks/erp", NULL, NULL },
    { "GET", "/v1/webhooks/{code}/history", "/v1/webhooks/erp/history?limit=5", NULL, NULL },
    { "GET", "/v1/webhooks", "/v1/webhooks?limit=5", NULL, NULL },
    { "GET", "/v1/webhooks/{code}/deliveries", "/v1/webhooks/erp/deliveries?limit=5", NULL, NULL },
    { "GET", "/v1/webhooks/{code}/subscriptions", "/v1/webhooks/erp/subscriptions", NULL, NULL },
    { "POST", "/v1/webhooks/{code}/rotate", "/v1/webhooks/erp/rotate", "{}", NULL },
    { "POST", "/v1/webhooks/{code}/test", "/v1/webhooks/erp/test", "{}", NULL },
    { "POST", "/v1/webhooks/{code}/replay", "/v1/webhooks/erp/replay", "{\"event\":7}", NULL },
    { "GET", "/v1/exceptions", "/v1/exceptions?limit=20", NULL, NULL },
    { "GET", "/v1/exceptions/{id}", "/v1/exceptions/%s", NULL, exception_of_short_order },
    { "GET", "/v1/jobs", "/v1/jobs?limit=20", NULL, NULL },
    { "GET", "/v1/ledger/trial", "/v1/ledger/trial?limit=20", NULL, NULL },
    { "GET", "/v1/ledger/postings", "/v1/ledger/postings?account=stock&limit=20", NULL, NULL },
    { "GET", "/v1/ledger/stock", "/v1/ledger/stock?node=LEJ&limit=2", NULL, NULL },
    { "GET", "/v1/events", "/v1/events?limit=20", NULL, NULL },
    { "GET", "/v1/events", "/v1/events?after=3000&limit=20", NULL, NULL },
    MASTER("/v1/nodes", "/{code}", "/LEJ", "{\"unit\":\"DE\",\"name\":\"%s\",\"kind\":\"warehouse\",\"country\":\"DE\",\"postal_code\":\"04103\"}"),
    MASTER("/v1/skus", "/{code}", "/LAMP", "{\"name\":\"%s\"}"),
    MASTER("/v1/bundles", "/{code}", "/KIT", "{\"name\":\"%s\",\"components\":[{\"sku\":\"BULB\",\"quantity\":2}]}"),
    MASTER_READS("/v1/routing/rates", "/{code}", "/L"),
    { "PUT", "/v1/routing/rates/{code}", "/v1/routing/rates/L",
      "{\"unit\":\"DE\",\"name\":\"%s\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":9,\"price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}]}",
      fresh },
    { "PATCH", "/v1/routing/rates/{code}", "/v1/routing/rates/L", "{\"name\":\"%s\"}", fresh },
    MASTER_READS("/v1/routing/nodes", "/{code}", "/HAM"),
    { "PUT", "/v1/routing/nodes/{code}", "/v1/routing/nodes/HAM", "{\"time_zone\":\"Europe/Berlin\",\"closed\":[\"2026-12-25\"]}", NULL },
    { "PATCH", "/v1/routing/nodes/{code}", "/v1/routing/nodes/HAM", "{\"handling_days\":2}", NULL },
    MASTER_READS("/v1/routing/policies", "/{code}", "/b2b"),
    { "PUT", "/v1/routing/policies/{code}", "/v1/routing/policies/b2b", "{\"unit\":\"DE\",\"channel\":\"b2b\",\"first\":\"lowest_cost\"}", NULL },
    { "PATCH", "/v1/routing/policies/{code}", "/v1/routing/policies/b2b", "{\"first\":\"fewest_parcels\"}", NULL },
    { "POST", "/v1/routing/try", "/v1/routing/try",
      "{\"channel\":\"web\",\"ship_to\":{\"country\":\"DE\"},\"lines\":[{\"sku\":\"LAMP\",\"quantity\":1},{\"sku\":\"KIT\",\"quantity\":1}]}", NULL },
    { "POST", "/v1/routing/try", "/v1/routing/try", "{\"order\":\"%s\"}", pending_order },
    { "POST", "/v1/orders/{id}/replan", "/v1/orders/%s/replan", "{}", pending_order },
    MASTER("/v1/classes", "/{code}", "/B", "{\"name\":\"%s\"}"),
    MASTER("/v1/channels", "/{code}", "/web", "{\"unit\":\"DE\",\"name\":\"%s\",\"kind\":\"store\",\"nodes\":[\"LEJ\"],\"shortage\":\"reject\"}"),
    { "PUT", "/v1/units/{code}", "/v1/units/DE", "{\"name\":\"%s\",\"currency\":\"EUR\",\"country\":\"DE\",\"time_zone\":\"Europe/Berlin\"}", fresh },
    { "PATCH", "/v1/units/{code}", "/v1/units/DE", "{\"name\":\"%s\"}", fresh },
    { "GET", "/v1/units/{code}", "/v1/units/DE", NULL, NULL },
    { "GET", "/v1/units/{code}/history", "/v1/units/DE/history?limit=5", NULL, NULL },
    { "GET", "/v1/units", "/v1/units?limit=5", NULL, NULL },
    { "PUT", "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/hand/listings/%s", "{\"sku\":\"SHADE\"}", fresh },
    { "PATCH", "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/web/listings/L", "{\"buffer\":1}", NULL },
    { "GET", "/v1/channels/{code}/listings/{channel_sku}", "/v1/channels/web/listings/L", NULL, NULL },
    { "GET", "/v1/channels/{code}/listings/{channel_sku}/history", "/v1/channels/web/listings/L/history?limit=5", NULL, NULL },
    { "GET", "/v1/channels/{code}/listings", "/v1/channels/web/listings?limit=5", NULL, NULL },
};

static struct work work_of_call(struct shop *shop, const struct call *call)
{
    const char *made = call->prepare == NULL ? "" : call->prepare(shop);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const char *target = arena_printf(shop->arena, call->target, made),
               *body = call->body == NULL ? NULL : arena_printf(shop->arena, call->body, made);
#pragma GCC diagnostic pop
    struct work before = work_so_far(shop);
    struct reply reply = local_call(shop->local, shop->arena, call->method, target, body);
    struct work after = work_so_far(shop);
    if (reply.status >= 300)
        fail_msg("%s %s: %d %s", call->method, target, reply.status, reply.body);
    return (struct work){ after.steps - before.steps, after.rows - before.rows, after.pages - before.pages };
}

static void measure(struct shop *shop, struct work works[])
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        works[i] = (struct work){ 0 };
        for (int n = 0; n < CALLS; n++) {
            struct work work = work_of_call(shop, &calls[i]);
            if (n == 0)
                continue;
            works[i].steps = max_i64(works[i].steps, work.steps);
            works[i].rows = max_i64(works[i].rows, work.rows);
            works[i].pages = max_i64(works[i].pages, work.pages);
        }
    }
}

/* ---- the past ---- */

static void run_all(struct shop *shop, struct command **commands, size_t count)
{
    engine_run(shop->engine, commands, count);
    for (size_t i = 0; i < count; i++)
        if (commands[i]->state != COMMAND_ACCEPTED)
            fail_msg("the past: %s", commands[i]->answer.body);
}

static struct command *follow_up(struct shop *shop, struct arena *arena, const struct command *order, size_t step)
{
    char id[64];
    text_in(order->answer.body, step == COUNT(steps) ? NULL : "\"fulfilments\"", "id", id, sizeof id);
    if (step == COUNT(steps))
        return local_command(shop->local, arena, "POST", arena_printf(arena, "/v1/orders/%s/cancel", id), "{\"reason\":\"x\"}", NULL);
    return local_command(shop->local, arena, "POST", arena_printf(arena, "/v1/fulfilments/%s/%s", id, steps[step][0]), steps[step][1], NULL);
}

/* Of four orders one stays reserved, one is released, one is delivered, one is cancelled. */
static void past_batch(struct shop *shop, struct arena *arena, int count)
{
    static struct command *orders[BATCH], *next[BATCH];
    for (int i = 0; i < count; i++)
        orders[i] = local_command(
            shop->local, arena, "POST", "/v1/orders",
            arena_printf(arena,
                         "{\"channel\":\"web\",\"channel_order_id\":\"P-%d\",\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\","
                         "\"customer\":{\"name\":\"A\"},\"ship_to\":{\"name\":\"A\",\"country\":\"DE\"},\"lines\":[{\"sku\":\"%s\",\"quantity\":1,"
                         "\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":\"%s\"}}",
                         ++number,
                         i % 3 == 0   ? "LAMP"
                         : i % 3 == 1 ? "BULB"
                                      : "KIT",
                         i % 4 == 1 || i % 4 == 2 ? "captured" : "pending"),
            NULL);
    run_all(shop, orders, (size_t)count);
    for (size_t step = 0; step <= COUNT(steps); step++) {
        size_t n = 0;
        for (int i = step == COUNT(steps) ? 3 : 2; i < count; i += 4)
            next[n++] = follow_up(shop, arena, orders[i], step);
        run_all(shop, next, n);
    }
}

static void live_through(struct shop *shop, int orders)
{
    struct arena *arena = arena_new((size_t)256 << 20);
    int64_t wal_bytes;
    for (int done = 0; done < orders; done += BATCH) {
        past_batch(shop, arena, orders - done < BATCH ? orders - done : BATCH);
        arena_reset(arena);
        (void)db_checkpoint(engine_db(shop->engine), CHECKPOINT_WAITS_US, &wal_bytes);
    }
    arena_free(arena);
}

/* ---- the judgement ---- */

static char *plans_of_all(struct arena *arena)
{
    struct buffer out = { .arena = arena };
    buffer_text(&out, "");
    for (sqlite3_stmt *s = sqlite3_next_stmt(opened, NULL); s != NULL; s = sqlite3_next_stmt(opened, s)) {
        sqlite3_stmt *plan = NULL;
        if (sqlite3_stmt_isexplain(s) != 0 ||
            sqlite3_prepare_v2(opened, arena_printf(arena, "EXPLAIN QUERY PLAN %s", sqlite3_sql(s)), -1, &plan, NULL) != SQLITE_OK)
            continue;
        while (sqlite3_step(plan) == SQLITE_ROW)
            buffer_printf(&out, "%s: %s\n", sqlite3_sql(s), (const char *)sqlite3_column_text(plan, 3));
        sqlite3_finalize(plan);
    }
    return out.at;
}

/* Each line of the plans of before stands in those of after. */
static void assert_same_plans(const char *before, const char *after)
{
    for (const char *at = before; *at != '\0';) {
        size_t bytes = strcspn(at, "\n") + 1;
        char *line = strndup(at, bytes);
        if (strstr(after, line) == NULL)
            fail_msg("another plan than with few orders for %s", line);
        free(line);
        at += bytes;
    }
}

static bool grew(int64_t small, int64_t large, int64_t of_ten, int64_t slack)
{
    return large > small * of_ten / 10 + slack;
}

static bool is_worse(const struct work *s, const struct work *l)
{
    return grew(s->steps, l->steps, 12, 300) || grew(s->rows, l->rows, 12, 30) || grew(s->pages, l->pages, 16, 60);
}

static bool any_is_worse(const struct work small[], const struct work large[])
{
    for (size_t i = 0; i < COUNT(calls); i++)
        if (is_worse(&small[i], &large[i]))
            return true;
    return false;
}

static void keep_least(struct work works[], const struct work others[])
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        works[i].steps = min_i64(works[i].steps, others[i].steps);
        works[i].rows = min_i64(works[i].rows, others[i].rows);
        works[i].pages = min_i64(works[i].pages, others[i].pages);
    }
}

static void judge(const struct work small[], const struct work large[])
{
    int worse = 0;
    for (size_t i = 0; i < COUNT(calls); i++) {
        const struct work *s = &small[i], *l = &large[i];
        if (!is_worse(s, l))
            continue;
        worse++;
        print_error("%s %s: steps %ld -> %ld, rows %ld -> %ld, pages %ld -> %ld\n", calls[i].method, calls[i].target, (long)s->steps, (long)l->steps,
                    (long)s->rows, (long)l->rows, (long)s->pages, (long)l->pages);
    }
    if (worse > 0)
        fail_msg("%d requests do work that grows with the orders", worse);
}

static void furnish(struct shop *shop)
{
    static const char *const skus[] = { "LAMP", "BULB", "SHADE" };
    shop_furnish(shop);
    shop_must(shop, 201, "PUT", "/v1/skus/NONE", "{\"name\":\"Never there\"}");
    shop_must(
        shop, 201, "PUT", "/v1/channels/hand",
        "{\"unit\":\"DE\",\"name\":\"Hand\",\"kind\":\"store\",\"priority\":2,\"nodes\":[\"LEJ\"],\"shortage\":\"backorder\",\"release\":\"manual\"}");
    shop_must(shop, 201, "PUT", "/v1/channels/web/listings/L", "{\"sku\":\"SHADE\"}");
    shop_must(shop, 201, "PUT", "/v1/webhooks/erp", "{\"url\":\"https://erp.example/\"}");
    shop_must(
        shop, 201, "PUT", "/v1/routing/rates/L",
        "{\"unit\":\"DE\",\"name\":\"L\",\"zones\":[{\"country\":\"DE\",\"steps\":[{\"up_to_g\":9,\"price\":{\"amount\":\"1.00\",\"currency\":\"EUR\"}}]}]}");
    shop_must(shop, 201, "PUT", "/v1/routing/nodes/HAM", "{\"time_zone\":\"Europe/Berlin\",\"rates\":\"L\"}");
    shop_must(shop, 201, "PUT", "/v1/routing/policies/b2b", "{\"unit\":\"DE\",\"channel\":\"b2b\"}");
    for (size_t i = 0; i < COUNT(skus); i++)
        receive(shop, "LEJ", skus[i], 100000000);
}

static void script(struct shop *shop, const char *sql)
{
    struct db *db = engine_db(shop->engine);
    if (db_script(db, sql) != DB_OK)
        fail_msg("%s: %s", sql, db_last_error(db));
}

/* The server's own vacuum reads whole tables, and its pages would be counted with those of the request beside it. */
static void stop_autovacuum(struct shop *shop)
{
    script(shop, "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP "
                 "EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)', t); END LOOP; END $$");
}

/* Of all tables in one statement, which a loaded machine does not end in the 5 s of a request; and the server's own autovacuum may have one
 * of them, for which a lock waits 5 s. Without statistics the figures would be of other plans, so it must be done in the end. */
static void analyze(struct shop *shop)
{
    struct db *db = engine_db(shop->engine);
    enum db_result result = DB_BUSY;
    script(shop, "SET statement_timeout = '60s'");
    for (int tries = 1; tries <= ANALYZE_TRIES && result == DB_BUSY; tries++)
        if ((result = db_script(db, "ANALYZE")) == DB_BUSY)
            print_message("ANALYZE, try %d of %d: %s\n", tries, ANALYZE_TRIES, db_last_error(db));
    if (result != DB_OK)
        fail_msg("ANALYZE is not done, %s: %s", db_result_name(result), db_last_error(db));
    script(shop, "SET statement_timeout = '5s'");
    /* A table of a page is read whole or by its index, as its statistics fall out; what has no index is read whole all the same. */
    script(shop, "SET enable_seqscan = off");
}

static void play(enum store store)
{
    static struct work small[COUNT(calls)], large[COUNT(calls)], again[COUNT(calls)];
    if (!store_is_there(store))
        skip();
    const char *wanted = getenv("MILLRACE_PLAN_ORDERS"), *plans = "";
    int orders = wanted == NULL || store == STORE_POSTGRES ? 10000 : atoi(wanted), few = orders >= 1000000 ? orders / 100 : orders / 10;
    struct shop *shop = shop_open(store);
    struct arena *arena = arena_new((size_t)16 << 20);
    if (store == STORE_POSTGRES)
        stop_autovacuum(shop);
    furnish(shop);
    live_through(shop, few);
    if (store == STORE_POSTGRES)
        analyze(shop);
    measure(shop, small); /* holds, fences and versions that the calls make are there from now on */
    measure(shop, small);
    if (store == STORE_SQLITE)
        plans = plans_of_all(arena);
    live_through(shop, orders - few);
    if (store == STORE_POSTGRES)
        analyze(shop);
    measure(shop, large);
    /* PostgreSQL's statistics are of a sample that it draws, and of two indexes that fit it may take the longer one by them: what grows does so
     * with other samples, too. */
    for (int draw = 1; store == STORE_POSTGRES && draw < DRAWS && any_is_worse(small, large); draw++) {
        analyze(shop);
        measure(shop, again);
        keep_least(large, again);
    }
    judge(small, large);
    if (store == STORE_SQLITE)
        assert_same_plans(plans, plans_of_all(arena));
    arena_free(arena);
    shop_close(shop);
}

static void on_sqlite(void **state)
{
    (void)state;
    play(STORE_SQLITE);
}

static void on_postgres(void **state)
{
    (void)state;
    play(STORE_POSTGRES);
}

/* ---- no route is forgotten ---- */

static bool is_called(const struct route *route)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    for (size_t i = 0; i < COUNT(calls); i++)
        if (strcmp(calls[i].method, methods[route->method]) == 0 && strcmp(calls[i].route, route->path) == 0)
            return true;
    return false;
}

static void every_route_is_measured(void **state)
{
    (void)state;
    for (const struct route_table *const *table = http_routes; *table != NULL; table++)
        for (size_t i = 0; i < (*table)->count; i++) {
            const struct route *route = &(*table)->routes[i];
            /* The server's own read nothing of a company; a batch is its commands, one by one. */
            if (*table != &own_routes && route->batch_of == NULL && !is_called(route))
                fail_msg("%s is not in the table of calls", route->path);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_route_is_measured), cmocka_unit_test(on_sqlite), cmocka_unit_test(on_postgres) };
    sqlite3_auto_extension((void (*)(void))note_connection);
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
