/* src/returns/api.c: /v1/returns: announced, received, inspected; one, and all in the order in which they were announced. */
#include "catalog/catalog.h"
#include "inventory/listed.h"
#include "returns/returns.h"
#include "returns_sql.h"

#define WRITERS (SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)
#define READERS (SCOPE_READ | SCOPE_ORDERS | SCOPE_INVENTORY | SCOPE_ADMIN)

static bool write(struct ws *ws, int64_t id, struct json_writer *json, int64_t *version)
{
    struct goods_return back;
    if (!return_open(ws, id, &back))
        return false;
    return_write(&back, json);
    *version = back.row->version;
    return true;
}

static enum db_result find(struct listed_page *page)
{
    struct returns_in_state_result *in_state;
    struct returns_page_result *any;
    struct db *db = page->reading->db;
    struct arena *arena = page->reading->arena;
    const int64_t state = page->state; /* 0: any */
    enum db_result result = state != 0 ? returns_in_state(db, arena, page->unit, state, page->after, page->most, &in_state, &page->count)
                                       : returns_page(db, arena, page->unit, page->after, page->most, &any, &page->count);
    for (size_t i = 0; result == DB_OK && i < page->count; i++)
        page->ids[i] = state != 0 ? in_state[i].id : any[i].id;
    return result;
}

static const struct listed listed = { .prefix = "rtn", .thing = "return", .table = &goods_return_table, .write = write, .find = find };

static void get_return(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_get(reading, request, answer, &listed);
}

static void list_returns(struct reading *reading, const struct request *request, struct answer *answer)
{
    listed_all(reading, request, answer, &listed);
}

static const struct route routes[] = {
    { .method = METHOD_POST,
      .path = "/v1/returns",
      .scopes = WRITERS,
      .command = &return_announce,
      .answer_of = &return_fields,
      .summary = "Goods of an order are to come back" },
    { .method = METHOD_GET,
      .path = "/v1/returns",
      .scopes = READERS,
      .read = list_returns,
      .answer_of = &return_fields,
      .list = true,
      .summary = "Returns, in the order in which they were announced",
      .query = { { .name = "state", .type = FIELD_ENUM, .names = return_states, .doc = "only those in this state" }, LIST_QUERY } },
    { .method = METHOD_GET,
      .path = "/v1/returns/{id}",
      .scopes = READERS,
      .read = get_return,
      .answer_of = &return_fields,
      .summary = "A return, and what became of its units" },
    { .method = METHOD_POST,
      .path = "/v1/returns/{id}/receive",
      .scopes = WRITERS,
      .command = &return_receive,
      .answer_of = &return_fields,
      .summary = "It has come, short, over or otherwise; once more for what came later" },
    { .method = METHOD_POST,
      .path = "/v1/returns/{id}/inspect",
      .scopes = WRITERS,
      .command = &return_inspect,
      .answer_of = &return_fields,
      .summary = "Say what became of units that came" },
    { .method = METHOD_POST,
      .path = "/v1/returns/{id}/cancel",
      .scopes = WRITERS,
      .command = &return_cancel,
      .answer_of = &return_fields,
      .summary = "What has not come will not" },
};
const struct route_table return_routes = { "returns", routes, COUNT(routes) };
