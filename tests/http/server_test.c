/* tests/http/server_test.c: what a client of the server sees, byte by byte. */
#include "server_shop.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const struct http_options ordinary = { 0 };
static const struct http_options hasty = { .request_us = 300000, .idle_us = 400000, .drain_us = 300000, .stream_comment_us = 200000 };

static int open_ordinary(void **state)
{
    *state = shop_open(&ordinary);
    return 0;
}

static int open_hasty(void **state)
{
    *state = shop_open(&hasty);
    return 0;
}

static int close_shop(void **state)
{
    if (*state != NULL)
        shop_close(*state);
    return 0;
}

/* Method, path, key, headers and body in; status and parts of the answer out. */
static const char json[] = "Content-Type: application/json\r\n";
static const struct {
    const char *says, *method, *target, *key, *headers, *body;
    int status;
    const char *in_head, *in_body;
} calls[] = {
    { "alive", "GET", "/healthz", NULL, NULL, NULL, 200, "X-Content-Type-Options: nosniff", "ok" },
    { "ready", "GET", "/readyz", NULL, NULL, NULL, 200, "Cache-Control: no-store", "ready" },
    { "a read", "GET", "/v1/things/LAMP", READ_KEY, NULL, NULL, 200, "ETag: \"v7\"", "{\"code\":\"LAMP\",\"actor\":\"reader\"}" },
    { "a code with a slash and a blank", "GET", "/v1/things/A%2FB%20C", READ_KEY, NULL, NULL, 200, "", "\"A/B C\"" },
    { "a code in UTF-8", "GET", "/v1/things/caf%C3%A9", READ_KEY, NULL, NULL, 200, "", "caf\xc3\xa9" },
    { "an encoded literal", "GET", "/v1/%74hings/LAMP", READ_KEY, NULL, NULL, 200, "", "LAMP" },
    { "the absolute form", "GET", "http://other.test/v1/things/LAMP", READ_KEY, NULL, NULL, 200, "", "LAMP" },
    { "a code in NFD", "GET", "/v1/things/cafe%CC%81", READ_KEY, NULL, NULL, 400, "problem+json", "malformed_request" },
    { "a control character", "GET", "/v1/things/A%0A", READ_KEY, NULL, NULL, 400, "", "malformed_request" },
    { "65 bytes", "GET", "/v1/things/01234567890123456789012345678901234567890123456789012345678901234", READ_KEY, NULL, NULL, 400, "", "" },
    { "dots", "GET", "/v1/things/%2e%2e", READ_KEY, NULL, NULL, 400, "", "malformed_request" },
    { "half an escape", "GET", "/v1/things/%4", READ_KEY, NULL, NULL, 400, "", "malformed_request" },
    { "nothing there", "GET", "/v1/nothing", READ_KEY, NULL, NULL, 404, "problem+json", "\"type\":\"/docs#not_found\"" },
    { "an empty part", "GET", "/v1/things/", READ_KEY, NULL, NULL, 400, "", "" },
    { "another method", "PATCH", "/v1/things/LAMP", READ_KEY, NULL, NULL, 405, "Allow: GET, HEAD, DELETE", "method_not_allowed" },
    { "options", "OPTIONS", "/v1/things", READ_KEY, NULL, NULL, 405, "Allow: GET, HEAD, POST", "" },
    { "head", "HEAD", "/v1/things/LAMP", READ_KEY, NULL, NULL, 200, "Content-Length: 32", "" },
    { "no key", "GET", "/v1/things/LAMP", NULL, NULL, NULL, 401, "WWW-Authenticate: Bearer", "unauthenticated" },
    { "a wrong key", "GET", "/v1/things/LAMP", "mr_x", NULL, NULL, 401, "", "the key is not known" },
    { "a key that was made just now", "POST", "/v1/things", LATE_KEY, NULL, "{\"sku\":\"A\"}", 201, "", "" },
    { "reading is not writing", "POST", "/v1/things", READ_KEY, NULL, "{\"sku\":\"A\"}", 403, "", "orders or admin" },
    { "the query", "GET", "/v1/things?limit=7&q=a%20b+c", READ_KEY, NULL, NULL, 200, "", "\"limit\":7,\"q\":true" },
    { "its preset", "GET", "/v1/things?", READ_KEY, NULL, NULL, 200, "", "\"limit\":100,\"q\":false" },
    { "limit 0", "GET", "/v1/things?limit=0", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "limit 1001", "GET", "/v1/things?limit=1001", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "limit in words", "GET", "/v1/things?limit=ten", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "limit with zeros", "GET", "/v1/things?limit=010", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "limit twice", "GET", "/v1/things?limit=1&limit=1", READ_KEY, NULL, NULL, 400, "", "came twice" },
    { "an unknown parameter", "GET", "/v1/things?colour=red", READ_KEY, NULL, NULL, 400, "", "unknown parameter" },
    { "an unknown kind", "GET", "/v1/things?kind=table", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "a broken escape", "GET", "/v1/things?q=%f", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "not UTF-8", "GET", "/v1/things?q=%ff", READ_KEY, NULL, NULL, 400, "", "malformed_query" },
    { "a command", "POST", "/v1/things", ADMIN_KEY, NULL, "{\"sku\":\"LAMP\",\"quantity\":2}", 201, "Location: /v1/things/x", "\"quantity\":2" },
    { "with a charset", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json; charset=UTF-8\r\n", "{\"sku\":\"A\"}", 201, "", "" },
    { "another charset", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json; charset=latin1\r\n", "{\"sku\":\"A\"}", 415, "", "" },
    { "a form", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/x-www-form-urlencoded\r\n", "sku=A", 415, "", "unsupported_media_type" },
    { "refused", "POST", "/v1/things", ADMIN_KEY, NULL, "{\"sku\":\"SHORT\"}", 409, "problem+json", "\"code\":\"shortage\"" },
    { "two faults at once", "POST", "/v1/things", ADMIN_KEY, NULL, "{\"quantity\":0,\"x\":1}", 422, "problem+json", "\"pointer\":\"/quantity\"" },
    { "no JSON", "POST", "/v1/things", ADMIN_KEY, NULL, "{\"sku\":", 400, "problem+json", "malformed_json" },
    { "no body", "POST", "/v1/things", ADMIN_KEY, json, NULL, 400, "problem+json", "malformed_json" },
    { "no body is due", "DELETE", "/v1/things/LAMP", ADMIN_KEY, NULL, NULL, 204, "", "" },
    { "no body is due, {} is fine", "DELETE", "/v1/things/LAMP", ADMIN_KEY, NULL, "{}", 204, "", "" },
    { "no body is due, fields are not", "DELETE", "/v1/things/LAMP", ADMIN_KEY, NULL, "{\"a\":1}", 422, "", "unknown_field" },
    { "a key for once", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json\r\nIdempotency-Key: k 1\r\n", "{\"sku\":\"A\"}", 201, "",
      "\"has_key\":true" },
    { "an empty one", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json\r\nIdempotency-Key:\r\n", "{\"sku\":\"A\"}", 400, "", "" },
    { "not ASCII", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json\r\nIdempotency-Key: \xc3\xa9\r\n", "{\"sku\":\"A\"}", 400, "",
      "" },
    { "two of them", "POST", "/v1/things", ADMIN_KEY, "Idempotency-Key: a\r\nIdempotency-Key: b\r\n", "{\"sku\":\"A\"}", 400, "", "" },
    { "an ETag", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json\r\nIf-Match: \"v1\"\r\n", "{\"sku\":\"A\"}", 201, "",
      "\"if_match\":\"v1\"" },
    { "a bare ETag", "POST", "/v1/things", ADMIN_KEY, "Content-Type: application/json\r\nIf-Match: v1\r\n", "{\"sku\":\"A\"}", 400, "", "If-Match" },
    { "more than an arena", "GET", "/v1/hungry", NULL, NULL, NULL, 503, "Retry-After: 1", "busy" },
    { "docs", "GET", "/docs", NULL, NULL, NULL, 200, "Content-Security-Policy: default-src 'none'; script-src 'sha256-", "id=\"shortage\"" },
    { "openapi", "GET", "/openapi.json", NULL, NULL, NULL, 200, "application/json", "\"operationId\":\"post_things_batch\"" },
};

static void one_call_each(void **state)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct reply reply = call(*state, calls[i].method, calls[i].target, calls[i].key, calls[i].headers, calls[i].body);
        if (reply.status != calls[i].status || !has(reply.head, calls[i].in_head == NULL ? "" : calls[i].in_head) ||
            !has(reply.body, calls[i].in_body))
            fail_msg("%s: %s%.400s", calls[i].says, reply.head, reply.body);
    }
}

static void a_connection_is_kept(void **state)
{
    struct client *client = client_open(*state);
    for (int i = 0; i < 3; i++) {
        client_text(client, "GET /v1/things/T%d HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " READ_KEY "\r\n\r\n", i);
        const struct reply *reply = client_answer(client, false);
        assert_non_null(reply);
        assert_int_equal(reply->status, 200);
        assert_false(has(reply->head, "Connection:"));
    }
    client_text(client, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_true(has(client_answer(client, false)->head, "Connection: close"));
    assert_true(client_is_closed(client, 1000));
    client_close(client);
}

static void old_clients_close_unless_they_say_otherwise(void **state)
{
    struct client *client = client_open(*state);
    client_text(client, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(has(client_answer(client, false)->head, "Connection: keep-alive"));
    client_text(client, "GET /healthz HTTP/1.0\r\n\r\n");
    assert_true(has(client_answer(client, false)->head, "Connection: close"));
    assert_true(client_is_closed(client, 1000));
    client_close(client);
}

/* Reads, commands and answers at once, in one write: answered in the order of the requests. */
static void a_hundred_requests_in_one_write(void **state)
{
    struct client *client = client_open(*state);
    char *all = calloc(100, 300), *at = all;
    for (int i = 0; i < 100; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"sku\":\"P%d\"}", i);
        if (i % 3 == 0)
            at += sprintf(at, "GET /v1/things/P%d HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", i, READ_KEY);
        else if (i % 3 == 1)
            at += sprintf(at, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
                          body);
        else
            at += sprintf(
                at,
                "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
                strlen(body), body);
    }
    client_send(client, all, (size_t)(at - all));
    for (int i = 0; i < 100; i++) {
        char part[32];
        const struct reply *reply = client_answer(client, false);
        snprintf(part, sizeof part, "\"P%d\"", i);
        if (reply == NULL || !has(reply->body, part))
            fail_msg("answer %d: %s", i, reply == NULL ? "none" : reply->body);
    }
    free(all);
    client_close(client);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] =
        "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"sku\r\n6\r\n\":\"A\"}\r\n0\r\nX-Trailer: Host: b\r\n\r\n"
        "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"sku\":\"B\"}";
    struct client *client = client_open(*state);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        client_send(client, request + i, 1);
        if (i % 16 == 0)
            usleep(200);
    }
    assert_true(has(client_answer(client, false)->body, "\"A\""));
    assert_true(has(client_answer(client, false)->body, "\"B\""));
    client_close(client);
}

static void who_expects_100_gets_it_or_a_refusal(void **state)
{
    struct client *client = client_open(*state);
    client_text(client,
                "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    assert_int_equal(client_answer(client, true)->status, 100);
    client_text(client, "{\"sku\":\"A\"}");
    assert_int_equal(client_answer(client, false)->status, 201);
    client_text(client, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    assert_int_equal(client_answer(client, false)->status, 413);
    assert_true(client_is_closed(client, 3000));
    client_close(client);
}

static void what_is_too_large_is_refused(void **state)
{
    static const struct {
        const char *says, *before, *after;
        size_t times;
        int status;
    } cases[] = {
        { "a path of 8100 bytes", "GET /v1/skus/", " HTTP/1.1\r\nHost: a\r\n\r\n", 8100, 400 },
        { "a path of 9000 bytes", "GET /v1/skus/", " HTTP/1.1\r\nHost: a\r\n\r\n", 9000, 414 },
        { "headers of 30 KB", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ", "\r\n\r\n", 30000, 200 },
        { "headers of 40 KB", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ", "\r\n\r\n", 40000, 431 },
        { "a body of 9 MB", "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n", "", 9000000, 413 },
        { "a chunk of 9 MB", "POST /v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n895440\r\n", "\r\n0\r\n\r\n", 9000000, 413 },
        { "a chunk extension of 1 MB", "POST /v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", "\r\nx\r\n0\r\n\r\n", 1000000,
          400 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client *client = client_open(*state);
        char *many = malloc(cases[i].times);
        memset(many, 'x', cases[i].times);
        client_text(client, "%s", cases[i].before);
        client_send(client, many, cases[i].times);
        client_text(client, "%s", cases[i].after);
        const struct reply *reply = client_answer(client, false);
        if (reply == NULL || reply->status != cases[i].status)
            fail_msg("%s: %d", cases[i].says, reply == NULL ? 0 : reply->status);
        free(many);
        client_close(client);
    }
}

static void a_large_answer_reaches_a_slow_reader_whole(void **state)
{
    struct client *client = client_open(*state);
    client_text(client, "GET /v1/large HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(100000);
    const struct reply *reply = client_answer(client, false);
    assert_int_equal(reply->body_bytes, 6 << 20);
    assert_int_equal(reply->body[(6 << 20) - 1], '"');
    assert_int_equal(client_answer(client, false)->status, 200);
    client_close(client);
}

/* ---- batches ---- */

static void each_entry_stands_alone(void **state)
{
    struct reply reply = call(*state, "POST", "/v1/things/batch", ADMIN_KEY, "Content-Type: application/json\r\nIdempotency-Key: k\r\n",
                              " { \"things\" : [ {\"sku\":\"A\"} , {\"sku\":\"SHORT\"},{\"quantity\":0}, 7,{\"sku\":\"B\"}\n] } ");
    assert_int_equal(reply.status, 200);
    assert_true(strncmp(reply.body, "{\"results\":[{\"status\":201,\"thing\":{\"sku\":\"A\"", 44) == 0);
    assert_true(has(reply.body, "{\"status\":409,\"problem\":{\"type\":\"/docs#shortage\""));
    assert_true(has(reply.body, "\"pointer\":\"/quantity\""));
    assert_true(has(reply.body, "wrong_type"));
    assert_true(has(reply.body, "\"thing\":{\"sku\":\"B\""));
    assert_true(has(reply.body, "\"has_key\":true"));
}

static void batches_have_their_own_form(void **state)
{
    static const struct {
        const char *says, *body;
        int status;
        const char *in_body;
    } cases[] = {
        { "nothing to do", "{\"things\":[]}", 200, "{\"results\":[]}" },
        { "a preview of all, each behind the one before it", "{\"things\":[{\"sku\":\"A\"},{},{\"sku\":\"B\"}],\"dry_run\":true}", 200,
          "\"sku\":\"B\",\"quantity\":1,\"dry_run\":true,\"before\":1" },
        { "said first", "{\"dry_run\":true,\"things\":[{\"sku\":\"A\",\"dry_run\":false}]}", 200, "\"dry_run\":true,\"before\":0" },
        { "a preview of one of them", "{\"things\":[{\"sku\":\"A\"},{\"sku\":\"B\",\"dry_run\":true}]}", 200,
          "\"sku\":\"B\",\"quantity\":1,\"dry_run\":true,\"before\":0" },
        { "the others of them", "{\"things\":[{\"sku\":\"A\"},{\"sku\":\"B\",\"dry_run\":true}]}", 200,
          "\"sku\":\"A\",\"quantity\":1,\"dry_run\":false" },
        { "no preview", "{\"things\":[{\"sku\":\"A\"}],\"dry_run\":false}", 200, "\"dry_run\":false" },
        { "a preview of nothing", "{\"things\":[],\"dry_run\":true}", 200, "{\"results\":[]}" },
        { "a preview of what has no form", "{\"things\":[{}],\"dry_run\":true}", 200, "\"pointer\":\"/sku\"" },
        { "neither yes nor no", "{\"things\":[{\"sku\":\"A\"}],\"dry_run\":\"true\"}", 422, "\"pointer\":\"/dry_run\"" },
        { "nothing said", "{\"things\":[{\"sku\":\"A\"}],\"dry_run\":null}", 422, "\"pointer\":\"/dry_run\"" },
        { "the list is missing", "{}", 422, "\"pointer\":\"/things\"" },
        { "not a list", "{\"things\":{}}", 422, "wrong_type" },
        { "not an object", "[]", 422, "wrong_type" },
        { "a field too many", "{\"things\":[],\"colour\":1}", 422, "\"pointer\":\"/colour\"" },
        { "broken in the middle", "{\"things\":[{\"sku\":\"A\"},{]}", 400, "malformed_json" },
        { "a comma too many", "{\"things\":[{\"sku\":\"A\"},]}", 400, "malformed_json" },
        { "more behind it", "{\"things\":[]}{}", 400, "malformed_json" },
        { "nothing", "", 400, "malformed_json" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reply reply = call(*state, "POST", "/v1/things/batch", ADMIN_KEY, NULL, cases[i].body);
        if (reply.status != cases[i].status || !has(reply.body, cases[i].in_body))
            fail_msg("%s: %s%s", cases[i].says, reply.head, reply.body);
    }
}

/* On a machine that takes a second for an answer it would never be refused. */
static void a_key_that_asks_too_often_waits(void **state)
{
    struct reply reply = { 0 };
    int allowed = 0;
    while (allowed < 50 && (reply = call(*state, "GET", "/v1/things/LAMP", SLOW_KEY, NULL, NULL)).status == 200)
        allowed++;
    assert_true(allowed >= 2);
    assert_int_equal(reply.status, 429);
    assert_true(has(reply.head, "Retry-After: 1") && has(reply.body, "rate_limited") && has(reply.body, "the key slow may ask 1 times a second"));
    assert_int_equal(call(*state, "GET", "/v1/things/LAMP", READ_KEY, NULL, NULL).status, 200);
}

static void a_thousand_entries_and_not_one_more(void **state)
{
    for (int count = 1000; count <= 1001; count++) {
        char *body = calloc(1, 200000), *at = body + sprintf(body, "{\"things\":[");
        for (int i = 0; i < count; i++)
            at += sprintf(at, "%s{\"sku\":\"A\",\"note\":\"%0100d\"}", i > 0 ? "," : "", i); /* over 64 KiB: parsed by a reader */
        memcpy(at, "]}", sizeof "]}");
        struct reply reply = call(*state, "POST", "/v1/things/batch", ADMIN_KEY, NULL, body);
        assert_int_equal(reply.status, count == 1000 ? 200 : 422);
        assert_true(has(reply.body, count == 1000 ? "\"status\":201" : "batch_too_large"));
        free(body);
    }
}

/* ---- time ---- */

static void who_sends_too_slowly_gets_408(void **state)
{
    struct client *client = client_open(*state);
    for (const char *at = "GET /healthz HTTP/1.1\r\nHost: aaaaaaaaaaaa"; *at != '\0'; at++) {
        client_send(client, at, 1);
        usleep(15000);
    }
    const struct reply *reply = client_answer(client, false);
    assert_non_null(reply);
    assert_int_equal(reply->status, 408);
    assert_true(client_is_closed(client, 3000));
    client_close(client);
}

static void who_sends_nothing_is_let_go_of(void **state)
{
    struct client *client = client_open(*state);
    client_text(client, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(client_answer(client, false)->status, 200);
    assert_true(client_is_closed(client, 2000));
    client_close(client);
}

static void more_connections_than_allowed_hear_503(void **state)
{
    struct http_options few = { .connections_max = 2 };
    struct shop *shop = shop_open(&few);
    struct client *clients[3];
    *state = shop;
    for (int i = 0; i < 3; i++) {
        clients[i] = client_open(shop);
        client_text(clients[i], "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_int_equal(client_answer(clients[i], false)->status, i < 2 ? 200 : 503);
    }
    for (int i = 0; i < 3; i++)
        client_close(clients[i]);
}

/* ---- the end ---- */

static void *stop(void *context)
{
    http_stop(((struct shop *)context)->server);
    return NULL;
}

static void what_runs_is_answered_before_the_end(void **state)
{
    struct shop *shop = *state;
    struct client *busy = client_open(shop), *idle = client_open(shop), *gone = client_open(shop);
    pthread_t stopper;
    shop_hold(shop, true);
    client_text(busy, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"sku\":\"A\"}");
    client_text(gone, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"sku\":\"B\"}");
    client_text(idle, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(client_answer(idle, false)->status, 200);
    client_close(gone);
    pthread_create(&stopper, NULL, stop, shop);
    assert_true(client_is_closed(idle, 2000));
    usleep(500000); /* longer than the hasty drain: commands are waited for all the same */
    shop_hold(shop, false);
    const struct reply *reply = client_answer(busy, false);
    assert_non_null(reply);
    assert_int_equal(reply->status, 201);
    assert_true(has(reply->head, "Connection: close"));
    pthread_join(stopper, NULL);
    assert_int_equal(atomic_load(&shop_counts()->decided), 2);
    shop->server = NULL;
    client_close(busy);
    client_close(idle);
}

/* ---- events ---- */

static void events_come_live_and_go_on_where_they_stopped(void **state)
{
    struct shop *shop = *state;
    struct client *client = client_open(shop);
    atomic_store(&shop_counts()->last_event, 3);
    client_text(client, "GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " READ_KEY
                        "\r\nAccept: text/event-stream\r\nLast-Event-ID: U:2\r\n\r\n");
    const struct reply *reply = client_answer(client, true);
    assert_int_equal(reply->status, 200);
    assert_true(has(reply->head, "Content-Type: text/event-stream"));
    atomic_store(&shop_counts()->last_event, 20000); /* more than a page */
    http_wake_streams(shop->server);
    for (int waited = 0; waited < 100 && !has(client->in, "\"seq\":20000}"); waited++) {
        client_is_closed(client, 100);
        client->at = client->bytes; /* read on */
    }
    assert_false(has(client->in, "\"seq\":2}"));
    assert_true(has(client->in, "id: U:3\n"));
    assert_true(has(client->in, "\"seq\":20000}"));
    for (int waited = 0; waited < 50 && !has(client->in, "\n:\n"); waited++) {
        client_is_closed(client, 100);
        client->at = client->bytes;
    }
    assert_true(has(client->in, "\n:\n"));
    client_close(client);
    struct reply refused = call(shop, "GET", "/v1/events", READ_KEY, "Accept: text/event-stream\r\nLast-Event-ID: nowhere\r\n", NULL);
    assert_int_equal(refused.status, 400);
}

static void figures_are_there(void **state)
{
    call(*state, "GET", "/v1/things/LAMP", READ_KEY, NULL, NULL);
    struct reply reply = call(*state, "GET", "/metrics", NULL, NULL, NULL);
    assert_true(has(reply.body, "millrace_http_requests_total{route=\"/v1/things/{code}\",method=\"GET\",status=\"2xx\"} 1\n"));
    assert_true(has(reply.body, "millrace_http_request_seconds_count{route=\"/v1/things/{code}\",method=\"GET\"} 1\n"));
    assert_true(has(reply.body, "millrace_engine_batches_total 1\n"));
}

int main(void)
{
#define WITH(test, open) cmocka_unit_test_setup_teardown(test, open, close_shop)
    const struct CMUnitTest tests[] = {
        WITH(one_call_each, open_ordinary),
        WITH(a_connection_is_kept, open_ordinary),
        WITH(old_clients_close_unless_they_say_otherwise, open_ordinary),
        WITH(a_hundred_requests_in_one_write, open_ordinary),
        WITH(a_request_may_come_byte_by_byte, open_ordinary),
        WITH(who_expects_100_gets_it_or_a_refusal, open_ordinary),
        WITH(what_is_too_large_is_refused, open_ordinary),
        WITH(a_large_answer_reaches_a_slow_reader_whole, open_ordinary),
        WITH(each_entry_stands_alone, open_ordinary),
        WITH(batches_have_their_own_form, open_ordinary),
        WITH(a_key_that_asks_too_often_waits, open_ordinary),
        WITH(a_thousand_entries_and_not_one_more, open_ordinary),
        WITH(who_sends_too_slowly_gets_408, open_hasty),
        WITH(who_sends_nothing_is_let_go_of, open_hasty),
        WITH(more_connections_than_allowed_hear_503, NULL),
        WITH(what_runs_is_answered_before_the_end, open_hasty),
        WITH(events_come_live_and_go_on_where_they_stopped, open_hasty),
        WITH(figures_are_there, open_ordinary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
