/* tests/faulty/preview_test.c: every command can be asked what it would do, and GET /v1/commands lists all that changes something.
 * Through the real server, on both stores; a route that is new is asked by its row in routes.c. */
#include "routes.h"
#include "base/text.h"
#include "engine/command.h"
#include "http/contract.h"
#include "http/router.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_MAX 4000
#define ENTRIES 400 /* more than 64 KiB may not hold: such a body is read by another thread */

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* One a store. */
static struct shop shops[2];
static struct contract *contract;

static int open_shop(void **state, struct shop *shop, const char *server)
{
    if (shop->server.pid == 0) {
        site_make(&shop->site, NULL, server);
        server_start(&shop->server, &shop->site);
        client_open(&shop->client, shop->server.port, shop->site.key);
        shop_furnish(shop);
    }
    if (contract == NULL && client_call(&shop->client, "GET", "/openapi.json", NULL, NULL) == 200)
        contract = contract_of(shop->client.body);
    *state = shop;
    return contract == NULL;
}

static int on_sqlite(void **state)
{
    return open_shop(state, &shops[0], NULL);
}

/* *state stays NULL where no server is named. */
static int on_postgres(void **state)
{
    return site_postgres() == NULL ? 0 : open_shop(state, &shops[1], site_postgres());
}

static int close_shops(void **state)
{
    int violated = 0;
    for (size_t i = 0; i < COUNT(shops); i++) {
        if (shops[i].server.pid == 0)
            continue;
        client_close(&shops[i].client);
        server_stop(&shops[i].server);
        violated |= site_check(&shops[i].site);
        site_delete(&shops[i].site);
    }
    contract_free(contract);
    return violated;
}

static int call(struct shop *shop, const char *method, const char *target, const char *key, const char *body)
{
    int status = client_call(&shop->client, method, target, key, body);
    const struct contract_call said = { method, target, body, status, shop->client.body };
    const char *breach = contract_breach(contract, &said);
    if (breach != NULL)
        fail_msg("%s %s: %s, of %.600s", method, target, breach, body == NULL ? "" : body);
    return status;
}

/* The last answer with each time in it made one word: between a preview and the command the clock goes on. */
static char *without_times(const struct shop *shop)
{
    static const char like[] = "0000-00-00T00:00:00";
    char *text = strdup(shop->client.body), *to = text;
    for (const char *at = text; *at != '\0';) {
        size_t i = 0;
        while (like[i] != '\0' && (like[i] == '0' ? at[i] >= '0' && at[i] <= '9' : at[i] == like[i]))
            i++;
        if (like[i] == '\0') {
            at += strcspn(at, "\"");
            *to++ = '@';
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
    return text;
}

/* All that a preview might change: the events tell what happened, the positions what became of it. */
static char *state_of(struct shop *shop)
{
    char target[80], *text = NULL;
    size_t bytes = 0;
    assert_int_equal(call(shop, "GET", "/v1/inventory", NULL, NULL), 200);
    FILE *out = open_memstream(&text, &bytes);
    fputs(shop->client.body, out);
    for (int64_t count = 100; count == 100;) {
        count = 0;
        snprintf(target, sizeof target, "/v1/events?unit=DE&after=%ld&limit=100", (long)shop->seq);
        assert_int_equal(call(shop, "GET", target, NULL, NULL), 200);
        for (const char *at = shop->client.body; (at = strstr(at, "{\"seq\":")) != NULL; count++)
            shop->seq = number_after(at++, "seq");
    }
    fprintf(out, " %ld", (long)shop->seq);
    fclose(out);
    return text;
}

static void assert_unchanged(struct shop *shop, char *before, const char *target)
{
    char *now = state_of(shop);
    if (strcmp(now, before) != 0)
        fail_msg("%s as a preview changed something: %s, before %s", target, now, before);
    free(before);
    free(now);
}

/* The request that asks what another one would do: a POST in its body, all others by their query. */
static void ask_first(enum method method, const char *target, const char *body, char *dry_target, char *dry, size_t room)
{
    const bool empty = body[0] == '\0' || strcmp(body, "{}") == 0, posts = method == METHOD_POST;
    snprintf(dry_target, room, "%s%s", target, posts ? "" : "?dry_run=true");
    snprintf(dry, room, posts ? "{\"dry_run\":true%s%s" : "%.0s%s", posts && empty ? "}" : posts ? "," : "", posts && empty ? "" : body + posts);
}

/* The preview, then the command (under the same key), which must be done by it, and do what was said. */
static void preview_and_do(struct shop *shop, const struct good_request *request)
{
    char target[300], body[TEXT_MAX], dry_target[TEXT_MAX + 20], dry[TEXT_MAX + 20], key[40];
    const char *method = methods[request->method];
    shop_prepare(shop, request);
    shop_write(shop, request->target, target, sizeof target);
    shop_write(shop, request->body == NULL ? "" : request->body, body, sizeof body);
    if (strstr(body, "dry_run") != NULL)
        return;
    ask_first(request->method, target, body, dry_target, dry, sizeof dry);
    snprintf(key, sizeof key, "preview-%ld", shop->number);
    char *before = state_of(shop);
    int status = call(shop, method, dry_target, key, dry[0] == '\0' ? NULL : dry);
    char *said = without_times(shop);
    if (status != request->status || strstr(said, "problem") != NULL)
        fail_msg("%s %s %s: %d %s", method, dry_target, dry, status, said);
    assert_unchanged(shop, before, dry_target);
    status = call(shop, method, target, key, body[0] == '\0' ? NULL : body);
    char *done = without_times(shop);
    if (status != request->status || strcmp(said, done) != 0)
        fail_msg("%s %s: %d\nsaid %s\ndone %s", method, target, status, said, done);
    const bool of_entries = strncmp(said, "{\"results\"", strlen("{\"results\"")) == 0; /* of a batch each entry is told so */
    free(said);
    free(done);
    const bool keeps_keys = request->method == METHOD_POST && !of_entries && strcmp(request->path, "/v1/routing/try") != 0; /* which does nothing */
    if (keeps_keys && (call(shop, "POST", target, key, dry) != 422 || strstr(shop->client.body, "idempotency_mismatch") == NULL))
        fail_msg("%s under the key of another body: %s", target, shop->client.body);
}

static void every_command_says_what_it_will_do(void **state)
{
    struct shop *shop = *state;
    for (size_t i = 0; shop != NULL && i < good_request_count; i++)
        if (good_requests[i].method != METHOD_GET)
            preview_and_do(shop, &good_requests[i]);
}

static void asked_by_query(struct shop *shop, const struct good_request *request, const char *value)
{
    char target[300], asked[340];
    shop_write(shop, request->target, target, sizeof target);
    snprintf(asked, sizeof asked, "%s?dry_run=%s", target, value);
    int status = call(shop, methods[request->method], asked, NULL, request->body == NULL ? NULL : "{}");
    if (status != 400 || strstr(shop->client.body, "dry_run is neither true nor false") == NULL)
        fail_msg("%s %s: %d %s", methods[request->method], asked, status, shop->client.body);
}

static void what_it_cannot_be_is_said_where_it_stands(void **state)
{
    struct shop *shop = *state;
    static const char *const wrong[] = { "null", "1", "\"true\"", "{}" };
    for (size_t i = 0; shop != NULL && i < good_request_count; i++) {
        const struct good_request *request = &good_requests[i];
        char target[300], body[TEXT_MAX];
        if (request->method == METHOD_GET)
            continue;
        shop_prepare(shop, request);
        if (request->method != METHOD_POST)
            asked_by_query(shop, request, "maybe");
        for (size_t w = 0; request->method != METHOD_DELETE && w < COUNT(wrong); w++) {
            shop_write(shop, request->target, target, sizeof target);
            snprintf(body, sizeof body, "{\"dry_run\":%s}", request->method == METHOD_POST ? wrong[w] : "true");
            int status = call(shop, methods[request->method], target, NULL, body);
            const char *code = request->method == METHOD_POST ? "\"pointer\":\"/dry_run\",\"code\":\"wrong_type\""
                                                              : "\"pointer\":\"/dry_run\",\"code\":\"unknown_field\"";
            if (status != 422 || strstr(shop->client.body, code) == NULL)
                fail_msg("%s %s %s: %d %s", methods[request->method], target, body, status, shop->client.body);
        }
    }
}

/* ---- a batch is one preview ---- */

#define ADJUST(NODE, DELTA, REASON) "{\"node\":\"" NODE "\",\"sku\":\"SHADE\",\"delta\":" DELTA ",\"reason\":\"" REASON "\"}"

static void each_entry_comes_after_those_before_it(void **state)
{
    struct shop *shop = *state;
    if (shop == NULL)
        return;
    static const char batch[] = "/v1/inventory/adjustments/batch",
                      two_units[] = "{\"adjustments\":[" ADJUST("LEJ", "3", "found") "," ADJUST("VIE", "2", "found") "," ADJUST(
                          "LEJ", "-2", "correction") ","
                                                     "{\"node\":\"LEJ\"}," ADJUST("VIE", "-2", "correction") "," ADJUST(
                                                         "LEJ", "-2", "correction") "," ADJUST("VIE", "-2", "correction") "]%s}";
    static const int due[] = { 201, 201, 201, 422, 201, 409, 409 };
    char body[TEXT_MAX];
    (void)call(shop, "PUT", "/v1/units/AT", NULL, "{\"name\":\"A\",\"currency\":\"EUR\",\"country\":\"AT\",\"time_zone\":\"Europe/Vienna\"}");
    (void)call(shop, "PUT", "/v1/nodes/VIE", NULL,
               "{\"unit\":\"AT\",\"name\":\"V\",\"kind\":\"warehouse\",\"country\":\"AT\",\"postal_code\":\"1010\"}");
    char *before = state_of(shop);
    char *done = NULL;
    for (int turn = 0; turn < 4; turn++) { /* nothing of a preview stays for the next; then it is done, and its key gives it again */
        snprintf(body, sizeof body, two_units, turn != 2 ? ",\"dry_run\":true" : "");
        assert_int_equal(client_call(&shop->client, "POST", batch, "batch", body), 200); /* one entry is not as it is described */
        const char *at = shop->client.body;
        for (size_t i = 0; i < COUNT(due); i++, at++) {
            at = strstr(at, "{\"status\":");
            if (at == NULL || number_after(at, "status") != due[i])
                fail_msg("entry %zu in turn %d: %s", i, turn, shop->client.body);
        }
        if (turn == 1)
            assert_unchanged(shop, before, batch);
        if (turn == 2)
            done = strdup(shop->client.body);
    }
    assert_string_equal(shop->client.body, done);
    free(done);
}

static void many_entries_are_one_preview(void **state)
{
    struct shop *shop = *state;
    if (shop == NULL)
        return;
    char *body = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&body, &bytes);
    fputs("{\"dry_run\":true,\"adjustments\":[", out);
    for (int i = 0; i < ENTRIES; i++)
        fprintf(out, "%s{\"node\":\"LEJ\",\"sku\":\"BULB\",\"delta\":1,\"reason\":\"found\",\"document\":\"D-%d\"}%110s", i == 0 ? "" : ",", i, "");
    fputs("]}", out);
    fclose(out);
    assert_true(bytes > 65536);
    assert_int_equal(client_send(&shop->client, "POST", "/v1/inventory/adjustments/batch", "application/json", body, bytes), 200);
    free(body);
    size_t made = 0;
    const char *last = NULL;
    for (const char *at = shop->client.body; (at = strstr(at, "\"status\":201")) != NULL; made++)
        last = at++;
    assert_int_equal(made, ENTRIES);
    assert_int_equal(number_after(last, "available"), ENTRIES);
    assert_int_equal(call(shop, "GET", "/v1/inventory?node=LEJ&sku=BULB", NULL, NULL), 200);
    assert_true(number_after(shop->client.body, "on_hand") <= 0); /* there is none */
}

/* ---- what there is to send ---- */

static bool is_listed(const char *list, const char *name)
{
    char quoted[100];
    snprintf(quoted, sizeof quoted, "{\"name\":\"%s\",", name);
    return strstr(list, quoted) != NULL;
}

/* The item of the route, from "{" to "}"; NULL: there is none. Each name has one item, but for a batch of it. */
static char *item_of(const char *list, const struct route *route)
{
    const struct command_type *type = route->command != NULL ? route->command : route->batch_of;
    char head[200], batch[80] = "null";
    if (route->batch_name != NULL)
        snprintf(batch, sizeof batch, "\"%s\"", route->batch_name);
    snprintf(head, sizeof head, "{\"name\":\"%s\",\"method\":\"%s\",\"path\":\"%s\",\"batch\":%s,", type->name, methods[route->method], route->path,
             batch);
    const char *at = strstr(list, head);
    const char *end = at == NULL ? NULL : strstr(at + 1, "{\"name\":"); /* a path has braces of its own */
    return at == NULL ? NULL : strndup(at, end == NULL ? strlen(at) : (size_t)(end - at));
}

static void judge_item(const char *list, const struct route *route)
{
    char *item = item_of(list, route), inverse[80], note[300];
    if (item == NULL)
        fail_msg("%s %s is not in %s", methods[route->method], route->path, list);
    const char *dry = strstr(item, "\"dry_run\":");
    if (strncmp(dry, "\"dry_run\":true", strlen("\"dry_run\":true")) != 0)
        fail_msg("dry_run of %.300s", item);
    text_after(item, "inverse", inverse, sizeof inverse);
    text_after(item, "note", note, sizeof note);
    const bool none = strncmp(strstr(item, "\"inverse\":"), "\"inverse\":null", 14) == 0;
    if (none ? strncmp(strstr(item, "\"note\":"), "\"note\":null", 11) == 0 : !is_listed(list, inverse))
        fail_msg("what takes it back is no command, or nothing says why there is none: %.300s", item);
    free(item);
}

static void all_that_changes_something_is_listed(void **state)
{
    struct shop *shop = *state;
    size_t due = 0, listed = 0;
    if (shop == NULL)
        return;
    assert_int_equal(call(shop, "GET", "/v1/commands", NULL, NULL), 200);
    for (const struct route_table *const *table = http_routes; *table != NULL; table++)
        for (size_t i = 0; i < (*table)->count; i++) {
            if ((*table)->routes[i].read != NULL)
                continue;
            judge_item(shop->client.body, &(*table)->routes[i]);
            due++;
        }
    for (const char *at = shop->client.body; (at = strstr(at, "{\"name\":")) != NULL; at++)
        listed++;
    assert_int_equal(listed, due);
    assert_true(due > 20);
    assert_non_null(strstr(shop->client.body, "],\"next\":null}"));
}

#define ON_BOTH(scene)                                          \
    { #scene " on SQLite", scene, on_sqlite, NULL, NULL },      \
    {                                                           \
#scene " on PostgreSQL", scene, on_postgres, NULL, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(every_command_says_what_it_will_do),
        ON_BOTH(what_it_cannot_be_is_said_where_it_stands),
        ON_BOTH(each_entry_comes_after_those_before_it),
        ON_BOTH(many_entries_are_one_preview),
        { "all_that_changes_something_is_listed", all_that_changes_something_is_listed, on_sqlite, NULL, NULL },
    };
    setenv("MILLRACE_WEBHOOKS", "off", 1); /* their hosts are not there */
    return cmocka_run_group_tests_name("preview", tests, NULL, close_shops);
}
