/* tests/http/server_vectors_test.c: the raw requests of ../shared/vectors, over a socket: what is accepted, what is
 * refused, and that no body ever becomes a request. And JSON values that clients should not be able to get through. */
#include "server_shop.h"
#include "vectors.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int open_shop(void **state)
{
    *state = shop_open(&(struct http_options){ 0 });
    return 0;
}

static int close_shop(void **state)
{
    shop_close(*state);
    return 0;
}

/* ---- raw requests ---- */

struct seen {
    int answers, first, last, decided, smuggled;
    bool switched;
};

/* Sends in pieces of `piece` bytes, then no more, and gathers all answers. */
static struct seen send_raw(struct shop *shop, const char *raw, size_t bytes, size_t piece)
{
    struct seen seen = { 0 };
    struct client *client = client_open(shop);
    int decided = atomic_load(&shop_counts()->decided), smuggled = atomic_load(&shop_counts()->smuggled);
    for (size_t at = 0; at < bytes; at += piece) {
        client_send(client, raw + at, bytes - at < piece ? bytes - at : piece);
        if (piece < bytes)
            usleep(50);
    }
    client_finish(client);
    for (const struct reply *reply; (reply = client_answer(client, false)) != NULL; seen.answers++) {
        seen.first = seen.answers == 0 ? reply->status : seen.first;
        seen.last = reply->status;
        seen.switched |= reply->status == 101;
    }
    seen.decided = atomic_load(&shop_counts()->decided) - decided;
    seen.smuggled = atomic_load(&shop_counts()->smuggled) - smuggled;
    client_close(client);
    return seen;
}

/* What `expect` says in the file's "about". */
static bool as_expected(const char *expect, const struct seen *seen)
{
    bool refused = seen->answers <= 1 && seen->decided == 0 && (seen->answers == 0 || seen->first >= 400);
    bool accepted = seen->answers == 1 && seen->first < 500 && seen->first != 400;
    if (seen->smuggled > 0 || seen->switched)
        return false;
    if (strcmp(expect, "accept") == 0)
        return accepted;
    if (strcmp(expect, "accept2") == 0)
        return seen->answers == 2 && seen->first == 200 && seen->last == 200;
    if (strcmp(expect, "reject") == 0)
        return refused;
    if (strcmp(expect, "one") == 0)
        return seen->answers == 1;
    if (strcmp(expect, "either") == 0)
        return accepted || refused;
    return strcmp(expect, "no101") == 0;
}

static void raw_requests(void **state)
{
    static const size_t pieces[] = { 1000000, 1, 7 };
    struct shop *shop = *state;
    char *text = vectors_text(shop->arena, "http/raw-requests.json");
    struct json_reader json;
    struct vector vector;
    size_t count = 0, wrong = 0;
    if (text == NULL)
        skip();
    list_open(&json, shop->arena, text, "vectors");
    for (; list_next(&json, &vector); count++) {
        char *raw = arena_alloc(shop->arena, strlen(member(&vector, "raw")) + 1);
        size_t bytes = bytes_of(member(&vector, "raw"), raw);
        for (size_t p = 0; p < COUNT(pieces); p++) {
            struct seen seen = send_raw(shop, raw, bytes, pieces[p]);
            if (as_expected(member(&vector, "expect"), &seen))
                continue;
            print_error("%s (%s), in pieces of %zu: %d answers, %d to %d, %d decided, %d smuggled\n", member(&vector, "id"),
                        member(&vector, "expect"), pieces[p], seen.answers, seen.first, seen.last, seen.decided, seen.smuggled);
            wrong++;
        }
    }
    assert_true(count >= 65);
    assert_int_equal(wrong, 0);
}

/* The same requests with a content type, so that what gets through is executed: what must be refused is not, even so. */
static void raw_requests_that_could_do_harm(void **state)
{
    static const char host[] = "Host: shop.test\r\n", type[] = "Content-Type: application/json\r\n";
    struct shop *shop = *state;
    char *text = vectors_text(shop->arena, "http/raw-requests.json");
    struct json_reader json;
    struct vector vector;
    size_t wrong = 0;
    if (text == NULL)
        skip();
    list_open(&json, shop->arena, text, "vectors");
    while (list_next(&json, &vector)) {
        char *raw = arena_alloc(shop->arena, strlen(member(&vector, "raw")) + strlen(type) + 1);
        size_t bytes = bytes_of(member(&vector, "raw"), raw);
        char *after = memmem(raw, bytes, host, strlen(host));
        if (after != NULL) {
            after += strlen(host);
            memmove(after + strlen(type), after, bytes - (size_t)(after - raw));
            memcpy(after, type, strlen(type));
            bytes += strlen(type);
        }
        struct seen seen = send_raw(shop, raw, bytes, bytes);
        if (as_expected(member(&vector, "expect"), &seen))
            continue;
        print_error("%s (%s): %d answers, %d to %d, %d decided\n", member(&vector, "id"), member(&vector, "expect"), seen.answers, seen.first,
                    seen.last, seen.decided);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* ---- values and strings ---- */

static void quantities_and_objects(void **state)
{
    struct shop *shop = *state;
    char *text = vectors_text(shop->arena, "json/api-values.json");
    struct json_reader json;
    struct vector vector;
    if (text == NULL)
        skip();
    list_open(&json, shop->arena, text, "quantity");
    while (list_next(&json, &vector)) {
        char *body = arena_printf(shop->arena, "{\"sku\":\"A\",\"quantity\":%s}", member(&vector, "literal"));
        int decided = atomic_load(&shop_counts()->decided);
        struct reply reply = call(shop, "POST", "/v1/things", ADMIN_KEY, NULL, body);
        bool refused = reply.status >= 400 && reply.status < 500 && atomic_load(&shop_counts()->decided) == decided;
        if (truth(&vector, "accept") ? reply.status != 201 : !refused)
            fail_msg("quantity %.60s: %d", member(&vector, "literal"), reply.status);
    }
    list_open(&json, shop->arena, text, "objects");
    while (list_next(&json, &vector)) {
        struct reply reply = call(shop, "POST", "/v1/things", ADMIN_KEY, NULL, member(&vector, "json"));
        if (reply.status != 201 && reply.status != 400 && reply.status != 422)
            fail_msg("%.80s: %d", member(&vector, "json"), reply.status);
    }
}

/* Awkward strings as codes in paths: they come back byte for byte, or are refused with a reason. */
static void strings_in_paths(void **state)
{
    struct shop *shop = *state;
    char *text = vectors_text(shop->arena, "strings/blns.json");
    struct json_reader json;
    struct vector vector;
    size_t accepted = 0;
    if (text == NULL)
        skip();
    list_open(&json, shop->arena, text, NULL);
    while (list_next(&json, &vector)) {
        const char *code = member(&vector, "");
        struct buffer target = { .arena = shop->arena };
        buffer_text(&target, "/v1/things/");
        for (const char *c = code; *c != '\0'; c++)
            buffer_printf(&target, "%%%02X", (unsigned)(unsigned char)*c);
        struct reply reply = call(shop, "GET", target.at, READ_KEY, NULL, NULL);
        if (reply.status == 200) {
            struct json_writer expected;
            json_begin(&expected, shop->arena);
            json_text(&expected, code);
            if (!has(reply.body, expected.out.at))
                fail_msg("%s: %s", code, reply.body);
            accepted++;
        } else if (reply.status != 400 && reply.status != 414)
            fail_msg("%s: %d", target.at, reply.status);
    }
    assert_true(accepted > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(raw_requests, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(raw_requests_that_could_do_harm, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(quantities_and_objects, open_shop, close_shop),
        cmocka_unit_test_setup_teardown(strings_in_paths, open_shop, close_shop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
