/* tests/http/strings_test.c: strings and files that others have made to break programs, through the real server on both stores:
 * as names, external ids, people, words to search, ids in paths, values of queries and headers, and as bodies. What is stored
 * comes back byte for byte; what is refused is refused with a reason and the place; never a 5xx, never silence. */
#include "company.h"
#include "vectors.h"
#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TEXT_SCENE(company) \
    if (texts.count == 0)   \
        skip();             \
    SCENE(company)

/* ---- which file of ../shared/vectors is for what ---- */

static const struct {
    const char *path, *what;
} parts[] = {
    { "strings/blns.json", "here: stored, searched, in paths, queries and headers" },
    { "sqli-xss/sqli-", "here: each line, as strings/" },
    { "sqli-xss/xss-sample.txt", "here: each line, as strings/" },
    { "csv/formula-cells.json", "here: as strings/; as cells of an import in csv_test. No spreadsheet is written yet, so nothing is to be quoted" },
    { "ssrf/targets.json", "here: as strings/ only. Nothing calls out yet, so no target can be refused" },
    { "utf8/utf8.json", "here: as bytes of names and of paths; decoded in base_text" },
    { "json/test_parsing/", "here: as bodies; read in base_json and base_json_oracle" },
    { "json/test_transform/", "here: as bodies; read in base_json_oracle" },
    { "json/api-values.json", "server_vectors_test and base_fields" },
    { "http/raw-requests.json", "server_vectors_test" },
    { "money/money.json", "base_money" },
    { "time/time.json", "base_when: the RFC 3339 part. Local times and business days are not reckoned yet" },
    { "xml/", "here: as bodies, which are refused by their type. No XML is read yet" },
    { "webhook/signatures.json", "does not apply: no delivery is received yet" },
    { "crypto/hmac_sha256_test.json", "does not apply: nothing is signed by HMAC yet" },
    { "asvs/asvs-5.0.0-en.csv", "does not apply: a checklist for people" },
    { "README.md", "no vectors" },
    { "json/LICENSE", "no vectors" },
    { "strings/LICENSE-", "no vectors" },
    { "sqli-xss/LICENSE-", "no vectors" },
    { "crypto/LICENSE-", "no vectors" },
};

static size_t root_bytes, files_of[COUNT(parts)], unknown;

static int see_file(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    size_t best = COUNT(parts);
    (void)about;
    (void)where;
    if (kind != FTW_F)
        return 0;
    const char *name = path + root_bytes + 1;
    for (size_t i = 0; i < COUNT(parts) && best == COUNT(parts); i++)
        if (strncmp(name, parts[i].path, strlen(parts[i].path)) == 0)
            best = i;
    if (best < COUNT(parts))
        files_of[best]++;
    else {
        print_error("%s: no test has a word for it\n", name);
        unknown++;
    }
    return 0;
}

static void every_file_has_its_place(void **state)
{
    struct arena *arena = arena_new((size_t)1 << 20);
    const char *folder = vectors_folder(arena);
    (void)state;
    root_bytes = strlen(folder);
    if (nftw(folder, see_file, 16, FTW_PHYS) != 0) {
        print_message("SKIPPED: %s is not there (set MILLRACE_SHARED)\n", folder);
        skip();
    }
    for (size_t i = 0; i < COUNT(parts); i++)
        print_message("%4zu files %-28s %s\n", files_of[i], parts[i].path, parts[i].what);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (files_of[i] == 0)
            fail_msg("%s: there is no such file", parts[i].path);
    assert_int_equal(unknown, 0);
    arena_free(arena);
}

/* ---- the strings ---- */

static struct {
    struct arena *arena;
    const char **at;
    size_t count, room;
} texts;

static void add_text(const char *text)
{
    for (size_t i = 0; i < texts.count; i++)
        if (strcmp(texts.at[i], text) == 0)
            return;
    assert_true(texts.count < texts.room);
    texts.at[texts.count++] = text;
}

static void add_list(const char *file, const char *list, const char *name)
{
    char *text = vectors_text(texts.arena, file);
    struct json_reader json;
    struct vector vector;
    if (text == NULL)
        return;
    for (list_open(&json, texts.arena, text, list); list_next(&json, &vector);)
        add_text(member(&vector, name));
}

/* Each line; bytes that are no UTF-8 (one file has some) are left to utf8.json. */
static void add_lines(const char *file)
{
    size_t bytes;
    char *text = vectors_bytes(texts.arena, file, &bytes);
    for (char *line = text; line != NULL && line < text + bytes;) {
        size_t length = strcspn(line, "\r\n");
        char *next = line + length + (line + length < text + bytes);
        line[length] = '\0';
        if (length > 0 && utf8_valid(line, length))
            add_text(line);
        line = next;
    }
}

static int gather(void **state)
{
    (void)state;
    texts.arena = arena_new((size_t)64 << 20);
    texts.room = 4000;
    texts.at = ARENA_ARRAY(texts.arena, const char *, texts.room);
    add_list("strings/blns.json", NULL, "");
    if (texts.count == 0)
        return 0;
    add_lines("sqli-xss/sqli-Auth_Bypass.txt");
    add_lines("sqli-xss/sqli-GenericBlind.txt");
    add_lines("sqli-xss/sqli-Generic_ErrorBased.txt");
    add_lines("sqli-xss/sqli-Generic_SQLI.txt");
    add_lines("sqli-xss/sqli-postgres-enumeration.txt");
    add_lines("sqli-xss/xss-sample.txt");
    add_list("csv/formula-cells.json", NULL, "cell");
    add_list("ssrf/targets.json", "refuse", "url");
    add_list("ssrf/targets.json", "allow", "url");
    assert_true(texts.count > 1500);
    size_t step = setting("MILLRACE_STRING_STEP", 1), kept = 0; /* every step-th only: what runs slowly by design */
    assert_true(step > 0);
    for (size_t i = 0; i < texts.count; i += step)
        texts.at[kept++] = texts.at[i];
    texts.count = kept;
    return 0;
}

static int leave(void **state)
{
    arena_free(texts.arena);
    return close_companies(state);
}

/* ---- what is asked of an answer ---- */

/* The text at "/a/b/0" of the answer; NULL where none is. */
static const char *text_at(struct arena *arena, const char *body, const char *pointer)
{
    struct json_reader json;
    json_open(&json, arena, body, strlen(body));
    enum json_token token = json_next(&json);
    while (*pointer == '/') {
        size_t bytes = strcspn(++pointer, "/"), index = strtoul(pointer, NULL, 10);
        if (token == JSON_ARRAY)
            for (token = json_next(&json); index > 0; index--)
                if (!json_skip_rest(&json, token) || (token = json_next(&json)) == JSON_ARRAY_END)
                    return NULL;
        bool here = token != JSON_OBJECT; /* an element of a list, or nothing that has members */
        while (!here && json_next(&json) == JSON_KEY) {
            here = json.bytes == bytes && memcmp(json.text, pointer, bytes) == 0;
            if (!here && !json_skip(&json))
                return NULL;
            token = here ? json_next(&json) : JSON_NULL;
        }
        if (!here)
            return NULL;
        pointer += bytes;
    }
    return token == JSON_STRING ? arena_text_n(arena, json.text, json.bytes) : NULL;
}

static void comes_back(struct company *company, struct arena *arena, const char *pointer, const char *text)
{
    const char *came = text_at(arena, company->client.body, pointer);
    if (came == NULL || strcmp(came, text) != 0)
        fail_msg("%s: sent \"%s\", came \"%s\"", pointer, text, came == NULL ? "(nothing)" : came);
}

/* Refused for what is at `pointer`, and the answer says so. */
static void refused_at(const struct company *company, const char *pointer, const char *text)
{
    char place[80];
    snprintf(place, sizeof place, "\"pointer\":\"%s\"", pointer);
    if (company->client.status != 422 || strstr(company->client.body, place) == NULL)
        fail_msg("\"%s\" at %s: %d %.600s", text, pointer, company->client.status, company->client.body);
}

static bool is_printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return true;
}

/* A text of one line has none. */
static bool has_controls(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    return false;
}

static const char *escaped(struct arena *arena, const char *text, size_t bytes)
{
    struct buffer out = { .arena = arena };
    if (bytes == 0)
        return "";
    for (size_t i = 0; i < bytes; i++)
        buffer_printf(&out, "%%%02X", (unsigned)(unsigned char)text[i]);
    return out.at;
}

static const char *quoted(struct arena *arena, const char *text)
{
    struct json_writer json;
    json_begin(&json, arena);
    json_text(&json, text);
    return json.out.at;
}

/* ---- stored, and back ---- */

static void goes_as_a_name(struct company *company, struct arena *arena, const char *text)
{
    bool fits = text[0] != '\0' && strlen(text) <= 255 && !has_controls(text);
    int status = client_call(&company->client, "PUT", "/v1/skus/TEXT", NULL, arena_printf(arena, "{\"name\":%s}", quoted(arena, text)));
    if (!fits) {
        refused_at(company, "/name", text);
        return;
    }
    if (status != 200 && status != 201)
        fail_msg("\"%s\" as a name: %d %.600s", text, status, company->client.body);
    comes_back(company, arena, "/name", text);
    get(company, "/v1/skus/TEXT");
    comes_back(company, arena, "/name", text);
}

static bool is_dots(const char *text)
{
    return strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
}

/* As a code in a path: ASCII without control characters must be taken, but for the two that a path cannot say; what has other
 * letters is taken when it is in normal form. */
static bool goes_as_a_code(struct company *company, struct arena *arena, const char *text)
{
    const char *target = arena_printf(arena, "/v1/skus/%s", escaped(arena, text, strlen(text)));
    bool taken = client_call(&company->client, "PUT", target, NULL, "{\"name\":\"Any\"}") == 201;
    bool fits = text[0] != '\0' && strlen(text) <= 64 && !is_dots(text);
    if (taken ? !fits : fits && is_printable(text))
        fail_msg("\"%s\" as a code: %d %.600s", text, company->client.status, company->client.body);
    if (!taken && company->client.status / 100 != 4)
        fail_msg("\"%s\" as a code: %d %.600s", text, company->client.status, company->client.body);
    if (!taken)
        return false;
    must(company, 200, "GET", target, NULL);
    comes_back(company, arena, "/code", text);
    return true;
}

/* Where an order has room for any text, and how much. */
static const struct {
    const char *pointer;
    size_t room;
} order_texts[] = {
    { "/customer/name", 255 }, { "/customer/email", 320 }, { "/customer/phone", 64 }, { "/ship_to/name", 255 },      { "/ship_to/street", 512 },
    { "/ship_to/city", 255 },  { "/ship_to/phone", 64 },   { "/payment/method", 64 }, { "/payment/reference", 128 },
};

static const char *order_with(struct arena *arena, const char *text, const char *id, bool as_tag)
{
    const char *t = quoted(arena, text), *fits[COUNT(order_texts)];
    for (size_t i = 0; i < COUNT(order_texts); i++)
        fits[i] = strlen(text) <= order_texts[i].room ? t : "\"-\"";
    return arena_printf(
        arena,
        "{\"channel\":\"web\",\"channel_order_id\":%s,\"placed_at\":\"2026-11-24T08:00:00Z\",\"currency\":\"EUR\",\"customer\":{\"name\":%s,"
        "\"email\":%s,\"phone\":%s},\"ship_to\":{\"name\":%s,\"street\":%s,\"city\":%s,\"phone\":%s,\"country\":\"DE\"},\"lines\":[{\"sku\":"
        "\"LAMP\",\"quantity\":1,\"unit_price\":{\"amount\":\"10.00\",\"currency\":\"EUR\"}}],\"payment\":{\"term\":\"prepaid\",\"status\":"
        "\"pending\",\"method\":%s,\"reference\":%s},\"tags\":[%s]}",
        quoted(arena, id), fits[0], fits[1], fits[2], fits[3], fits[4], fits[5], fits[6], fits[7], fits[8], as_tag ? t : "");
}

/* The key is the string itself where it may be one: the same request again gets the same answer, to the byte. */
static void goes_into_an_order(struct company *company, struct arena *arena, const char *text, size_t number, bool is_code)
{
    bool is_key = text[0] != '\0' && text[0] != ' ' && text[strlen(text) - 1] != ' ' && strlen(text) <= 255 && is_printable(text);
    const char *id = is_code ? text : arena_printf(arena, "V-%zu", number);
    const char *body = order_with(arena, text, id, is_code), *key = is_key ? text : NULL;
    if (text[0] == '\0' || has_controls(text)) {
        client_call(&company->client, "POST", "/v1/orders", NULL, body);
        refused_at(company, "/customer/name", text);
        return;
    }
    if (client_call(&company->client, "POST", "/v1/orders", key, body) != 201)
        fail_msg("\"%s\" in an order: %d %.600s", text, company->client.status, company->client.body);
    const char *first = arena_text(arena, company->client.body), *ours = text_at(arena, first, "/id");
    assert_non_null(ours);
    int again = client_call(&company->client, "POST", "/v1/orders", key, body);
    if (key == NULL ? again != 200 : again != 201 || strcmp(company->client.body, first) != 0)
        fail_msg("\"%s\" sent again: %d %.600s", text, again, company->client.body);
    get(company, "/v1/orders/%s", ours);
    comes_back(company, arena, "/channel_order_id", id);
    for (size_t i = 0; i < COUNT(order_texts); i++)
        comes_back(company, arena, order_texts[i].pointer, strlen(text) <= order_texts[i].room ? text : "-");
    if (is_code)
        comes_back(company, arena, "/tags/0", text);
    else if (!is_dots(text)) {
        client_call(&company->client, "POST", "/v1/orders", NULL, order_with(arena, text, text, false));
        refused_at(company, "/channel_order_id", text);
    }
}

static void stored_strings_come_back(void **state)
{
    TEXT_SCENE(company);
    struct arena *arena = arena_new((size_t)8 << 20);
    size_t codes = 0;
    for (size_t i = 0; i < texts.count; i++) {
        goes_as_a_name(company, arena, texts.at[i]);
        bool is_code = goes_as_a_code(company, arena, texts.at[i]);
        goes_into_an_order(company, arena, texts.at[i], i, is_code);
        codes += is_code;
        arena_reset(arena);
    }
    print_message("%zu strings, %zu of them as codes and external ids\n", texts.count, codes);
    assert_true(codes > texts.count / 2);
    arena_free(arena);
}

/* ---- asked ---- */

/* %s is the string, percent-encoded. `any`: it may be anything there, and is taken unless it is too long or empty. */
static const struct {
    const char *method, *target, *body;
    bool any;
} questions[] = {
    { "GET", "/v1/orders?q=%s", NULL, true },
    { "GET", "/v1/orders?stage=%s", NULL, false },
    { "GET", "/v1/orders?channel=%s", NULL, false },
    { "GET", "/v1/orders?hold=%s", NULL, false },
    { "GET", "/v1/orders?cursor=%s", NULL, false },
    { "GET", "/v1/orders?limit=%s", NULL, false },
    { "GET", "/v1/orders?%s=1", NULL, false },
    { "GET", "/v1/orders/%s", NULL, false },
    { "POST", "/v1/orders/%s/cancel", "{\"reason\":\"x\"}", false },
    { "POST", "/v1/orders/%s/holds/check/clear", "{\"reason\":\"x\"}", false },
    { "GET", "/v1/inventory?sku=%s", NULL, false },
    { "GET", "/v1/inventory?node=%s", NULL, false },
    { "GET", "/v1/inventory?cursor=%s", NULL, false },
    { "GET", "/v1/inventory/movements?after=%s", NULL, false },
    { "GET", "/v1/availability?channel=web&sku=%s", NULL, false },
    { "GET", "/v1/availability?channel=%s", NULL, false },
    { "GET", "/v1/availability?channel=web&cursor=%s", NULL, false },
    { "GET", "/v1/skus?cursor=%s", NULL, false },
    { "GET", "/v1/channels/%s/listings", NULL, false },
    { "GET", "/v1/channels/web/listings/%s", NULL, false },
    { "GET", "/v1/channels/web/fences/LEJ/%s", NULL, false },
    { "GET", "/v1/fulfilments?node=%s", NULL, false },
    { "GET", "/v1/fulfilments/%s", NULL, false },
    { "POST", "/v1/fulfilments/%s/pick", "{}", false },
    { "DELETE", "/v1/reservations/%s", NULL, false },
    { "GET", "/v1/exceptions?type=%s", NULL, false },
    { "GET", "/v1/events?unit=%s", NULL, false },
    { "GET", "/v1/events?unit=DE&after=%s", NULL, false },
    { "GET", "/v1/events?unit=DE&type=%s", NULL, false },
    { "GET", "/v1/%s", NULL, false },
};

static void any_string_may_be_asked_for(void **state)
{
    TEXT_SCENE(company);
    struct arena *arena = arena_new((size_t)8 << 20);
    size_t taken = 0;
    for (size_t i = 0; i < texts.count; i++) {
        const char *word = escaped(arena, texts.at[i], strlen(texts.at[i]));
        for (size_t k = 0; k < COUNT(questions); k++) {
            struct buffer target = { .arena = arena };
            const char *mark = strstr(questions[k].target, "%s");
            buffer_add(&target, questions[k].target, (size_t)(mark - questions[k].target));
            buffer_text(&target, word);
            buffer_text(&target, mark + 2);
            int status = client_call(&company->client, questions[k].method, target.at, NULL, questions[k].body);
            const bool too_common = status == 400 && strchr(texts.at[i], '*') != NULL && strstr(company->client.body, " words begin with ") != NULL;
            if (status != 200 && !too_common && (status / 100 != 4 || (questions[k].any && strlen(texts.at[i]) <= 64 && texts.at[i][0] != '\0')))
                fail_msg("%s %s, \"%s\": %d %.600s", questions[k].method, questions[k].target, texts.at[i], status, company->client.body);
            taken += status == 200;
        }
        arena_reset(arena);
    }
    assert_true(taken > texts.count);
    arena_free(arena);
}

static const char *const headers[] = {
    "Idempotency-Key", "If-Match", "Last-Event-ID", "Accept", "Content-Type", "Authorization", "Expect", "Host", "Cookie", "X-Any",
};

/* As they are, control characters and all: each on a connection of its own, for what follows one may be anything. */
static void headers_hold_any_string(void **state)
{
    TEXT_SCENE(company);
    struct arena *arena = arena_new((size_t)8 << 20);
    for (size_t i = 0; i < texts.count; i++) {
        for (size_t k = 0; k < COUNT(headers); k++) {
            const char *accept = strcmp(headers[k], "Last-Event-ID") == 0 ? "Accept: text/event-stream\r\n" : "";
            bool sends = strcmp(headers[k], "Idempotency-Key") == 0 || strcmp(headers[k], "If-Match") == 0;
            company->client.headers = arena_printf(arena, "%s%s: %s\r\n", accept, headers[k], texts.at[i]);
            int status = client_call(&company->client, sends ? "PATCH" : "GET", sends ? "/v1/skus/LAMP" : "/v1/events?unit=DE&limit=1", NULL,
                                     sends ? "{\"name\":\"Lamp\"}" : NULL);
            company->client.headers = NULL;
            client_close(&company->client);
            if (status < 200 || status >= 500)
                fail_msg("%s: \"%s\": %d %.600s", headers[k], texts.at[i], status, company->client.body);
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

/* ---- bodies and bytes ---- */

/* What is no JSON is 400; what is, is no order and no SKU. */
static void send_file(struct company *company, struct arena *arena, const char *folder, const char *name)
{
    static const char *const targets[] = { "/v1/orders", "/v1/orders/batch", "/v1/skus/BODY" };
    size_t bytes;
    const char *body = vectors_bytes(arena, arena_printf(arena, "%s/%s", folder, name), &bytes);
    bool is_xml = strcmp(folder, "xml") == 0;
    assert_non_null(body);
    for (size_t i = 0; i < COUNT(targets); i++) {
        const char *method = i < 2 ? "POST" : "PUT";
        int status = client_send(&company->client, method, targets[i], "application/json", body, bytes);
        if (is_xml || strncmp(name, "n_", 2) == 0 ? status != 400 : status != 400 && status != 422)
            fail_msg("%s to %s: %d %.600s", name, targets[i], status, company->client.body);
        status = is_xml ? client_send(&company->client, method, targets[i], "application/xml", body, bytes) : 415;
        if (status != 415)
            fail_msg("%s to %s: %d %.600s", name, targets[i], status, company->client.body);
    }
}

static void files_as_bodies(void **state)
{
    TEXT_SCENE(company);
    static const char *const folders[] = { "json/test_parsing", "json/test_transform", "xml" };
    struct arena *arena = arena_new((size_t)8 << 20);
    size_t count = 0;
    for (size_t i = 0; i < COUNT(folders); i++) {
        DIR *folder = opendir(arena_printf(arena, "%s/%s", vectors_folder(arena), folders[i]));
        assert_non_null(folder);
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL; arena_reset(arena))
            if (entry->d_name[0] != '.') {
                send_file(company, arena, folders[i], entry->d_name);
                count++;
            }
        closedir(folder);
    }
    assert_true(count >= 300);
    must(company, 200, "GET", "/healthz", NULL);
    must(company, 404, "GET", "/v1/skus/BODY", NULL);
    arena_free(arena);
}

static size_t unhex(const char *hex, char *out)
{
    size_t bytes = strlen(hex) / 2;
    for (size_t i = 0; i < bytes; i++) {
        char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (char)strtoul(two, NULL, 16);
    }
    out[bytes] = '\0';
    return bytes;
}

static void bytes_that_are_text_or_not(void **state)
{
    TEXT_SCENE(company);
    struct arena *arena = arena_new((size_t)8 << 20);
    char *list = vectors_text(arena, "utf8/utf8.json"), bytes[256];
    struct json_reader json;
    struct vector vector;
    for (list_open(&json, arena, list, NULL); list_next(&json, &vector);) {
        size_t count = unhex(member(&vector, "hex"), bytes);
        struct buffer body = { .arena = arena };
        bool control = count == 1 && (bytes[0] & 0xe0) == 0; /* JSON has them escaped only */
        bool valid = truth(&vector, "valid") && !control;
        buffer_text(&body, "{\"name\":\"");
        buffer_add(&body, bytes, count);
        buffer_text(&body, "\"}");
        int status = client_send(&company->client, "PUT", "/v1/skus/BYTES", "application/json", body.at, body.size);
        bool one_line = !(count == 1 && bytes[0] == 0x7f); /* it is text, but no name */
        if (valid ? (one_line ? status != 200 && status != 201 : status != 422) : status != 400)
            fail_msg("%s as a name: %d %.600s", member(&vector, "hex"), status, company->client.body);
        if (valid && one_line)
            comes_back(company, arena, "/name", bytes);
        status = client_call(&company->client, "GET", arena_printf(arena, "/v1/skus/x%s", escaped(arena, bytes, count)), NULL, NULL);
        if (valid ? status != 404 && status != 400 : status != 400)
            fail_msg("%s in a path: %d %.600s", member(&vector, "hex"), status, company->client.body);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_its_place), ON_BOTH(stored_strings_come_back), ON_BOTH(any_string_may_be_asked_for),
        ON_BOTH(headers_hold_any_string),           ON_BOTH(files_as_bodies),          ON_BOTH(bytes_that_are_text_or_not),
    };
    return cmocka_run_group_tests(tests, gather, leave);
}
