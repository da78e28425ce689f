/* tests/import/import_test.c: invoice lines through a real server, on both stores: each trap is named by its line, what is good stands,
 * a second run changes nothing, and both stores end in the same state. */
#include "crash/client.h"
#include "crash/site.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char *source(const char *name, char path[300])
{
    snprintf(path, 300, "%s/tests/import/%s", getenv("MILLRACE_SOURCE"), name);
    return path;
}

/* What the importer said: its exit code, the report and what stands on standard error; the remarks stand in FOLDER/rows. */
struct said {
    int code;
    char report[8192];
};

static void run_shell(struct said *said, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void run_shell(struct said *said, const char *format, ...)
{
    char line[1500];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t bytes = fread(said->report, 1, sizeof said->report - 1, pipe);
    said->report[bytes] = '\0';
    int status = pclose(pipe);
    said->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void import(struct said *said, const struct site *site, const struct server *server, const char *file)
{
    run_shell(said, "MILLRACE_KEY='%s' timeout 600 '%s' import orders --file '%s' --url http://127.0.0.1:%d --rows '%s/rows' 2>&1", site->key,
              getenv("MILLRACE_BINARY"), file, (int)server->port, site->folder);
}

static void digest_in(const struct said *said, char digest[33])
{
    const char *at = strstr(said->report, "\"digest\":\"");
    if (at == NULL)
        fail_msg("no digest; exit %d: %s", said->code, said->report);
    snprintf(digest, 33, "%s", at + 10);
}

static void must_say(const struct said *said, const char *text)
{
    if (strstr(said->report, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, said->report);
}

/* The number of the unit's last event, found by halving. */
static int64_t last_event(struct client *client)
{
    int64_t low = 0, high = 1 << 24;
    while (low < high) {
        char target[100];
        int64_t middle = (low + high) / 2;
        snprintf(target, sizeof target, "/v1/events?unit=UK&limit=1&after=%ld", (long)middle);
        assert_int_equal(client_call(client, "GET", target, NULL, NULL), 200);
        if (strstr(client->body, "\"seq\"") == NULL)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Two runs of a file against a new company; gives what the first said. */
static void play_twice(const char *postgres, const char *file, struct said *first, char digest[33])
{
    struct site site;
    struct server server = { 0 };
    static struct client client;
    struct said second;
    char again[33];
    site_make(&site, NULL, postgres);
    (void)server_start(&server, &site);
    client_open(&client, server.port, site.key);
    import(first, &site, &server, file);
    digest_in(first, digest);
    int64_t events = last_event(&client);
    import(&second, &site, &server, file);
    digest_in(&second, again);
    assert_string_equal(again, digest);
    assert_int_equal(second.code, first->code);
    assert_int_equal(last_event(&client), events);
    must_say(&second, "\"orders\":{\"new\":0,");
    must_say(&second, "\"products\":{\"new\":0,");
    must_say(&second, "\"deliveries\":{\"new\":0,");
    must_say(&second, "\"stock_facts\":{\"new\":0,");
    must_say(&second, "\"shipments\":{\"new\":0,");
    client_close(&client);
    server_stop(&server);
    assert_int_equal(site_check(&site), 0);
    site_delete(&site);
}

static void traps_on(const char *postgres, char digest[33])
{
    struct said said;
    char path[300];
    play_twice(postgres, source("traps.csv", path), &said, digest);
    assert_int_equal(said.code, 1);
    static const char *const facts[] = {
        "\"rows\":35,",
        "\"orders\":{\"new\":9,\"known\":0,\"refused\":0}",
        "\"stock_facts\":{\"new\":5,", /* two write-offs, what both need first, and a find */
        "\"malformed\":4,",
        "\"bad_value\":7,",
        "\"bad_debt\":1,",
        "\"no_goods\":1,",
        "\"credit\":1,",
        "\"unmatched_no_customer\":1,",
        "\"unmatched_no_sale\":1,",
        "\"unmatched_in_part\":1,",
        "\"refused\":0,",
        "\"twice\":1,",
        "\"spelling\":1,",
        "\"country\":1,",
        "\"returned\":1,",
    };
    for (size_t i = 0; i < COUNT(facts); i++)
        must_say(&said, facts[i]);
}

static void traps(void **state)
{
    char sqlite[33], postgres[33];
    (void)state;
    traps_on(NULL, sqlite);
    if (site_postgres() == NULL)
        return;
    traps_on(site_postgres(), postgres);
    assert_string_equal(postgres, sqlite);
}

/* Each remark as it stands in the file that --rows names, and orders as the file means them. */
static void each_row_is_named(void **state)
{
    struct site site;
    struct server server = { 0 };
    static struct client client;
    struct said said;
    char path[300], want[300];
    (void)state;
    site_make(&site, NULL, NULL);
    (void)server_start(&server, &site);
    client_open(&client, server.port, site.key);
    import(&said, &site, &server, source("traps.csv", path));
    run_shell(&said, "sed 's|^.*/traps.csv:||' '%s/rows' | LC_ALL=C sort > '%s/sorted'; diff -u '%s' '%s/sorted'", site.folder, site.folder,
              source("traps.rows", want), site.folder);
    if (said.code != 0)
        fail_msg("%s", said.report);
    static const struct {
        const char *target, *has;
    } reads[] = {
        { "/v1/orders?channel=web&q=1001", "\"shipping\":{\"price\":{\"amount\":\"3.50\",\"currency\":\"GBP\"}}" },
        { "/v1/orders?channel=web&q=1001", "\"placed_at\":\"2026-01-05T08:00:00Z\"" },
        { "/v1/orders?channel=web&q=1002", "\"country\":\"IE\"" },
        { "/v1/orders?channel=web&q=1002", "\"sku\":\"10001A\",\"quantity\":2" },
        { "/v1/skus/10001A", "\"name\":\"LAMP, \\\"RED\\\"\"" },
        { "/v1/skus/10004", "\"name\":\"10004\"" },
        { "/v1/skus/10005", "\"name\":\"JUG\"" },
    };
    for (size_t i = 0; i < COUNT(reads); i++) {
        assert_int_equal(client_call(&client, "GET", reads[i].target, NULL, NULL), 200);
        if (strstr(client.body, reads[i].has) == NULL)
            fail_msg("%s has no %s: %s", reads[i].target, reads[i].has, client.body);
    }
    client_close(&client);
    server_stop(&server);
    site_delete(&site);
}

/* So many wait for one product that a delivery fills the queue in steps behind its answer: what comes next waits for that, or
 * stores and runs would differ by their speed. */
static void a_long_queue(void **state)
{
    char path[] = "/tmp/millrace-import.XXXXXX", sqlite[33], postgres[33];
    struct said said;
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    fputs("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
          "1,10001,LAMP,1,2026-01-05 08:00:00,2.50,1,United Kingdom\n",
          out);
    for (int i = 0; i < 300; i++)
        fprintf(out, "%d,10001,LAMP,%d,2026-01-12 %02d:%02d:00,2.50,%d,United Kingdom\n", 100 + i, i % 3 + 1, 8 + i / 60, i % 60, i);
    for (int i = 0; i < 30; i++)
        fprintf(out, "%d,10001,LAMP,40,2026-01-%d 08:%02d:00,2.50,%d,United Kingdom\n", 500 + i, 19 + i / 15, i % 15, i);
    assert_int_equal(fclose(out), 0);
    play_twice(NULL, path, &said, sqlite);
    must_say(&said, "\"orders\":{\"new\":331,");
    must_say(&said, "\"shipped\":301,"); /* stages: all that the delivery could fill has left */
    if (site_postgres() != NULL) {
        play_twice(site_postgres(), path, &said, postgres);
        assert_string_equal(postgres, sqlite);
    }
    unlink(path);
}

/* The first thousands of lines of a real shop, if they are there. */
static void a_real_shop(void **state)
{
    char path[300] = "/tmp/millrace-import.XXXXXX", data[300], sqlite[33], postgres[33];
    const char *shared = getenv("MILLRACE_SHARED"), *lines = getenv("MILLRACE_IMPORT_LINES");
    struct said said;
    (void)state;
    snprintf(data, sizeof data, "%s/data/online-retail/lines-2010-12-01_2011-09-30.csv.gz",
             shared == NULL ? getenv("MILLRACE_SHARED_BESIDE") : shared);
    if (access(data, R_OK) != 0) {
        print_message("SKIPPED: shared/data/online-retail is not there; MILLRACE_SHARED names where shared/ is\n");
        skip();
    }
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    run_shell(&said, "gzip -dc '%s' 2>/dev/null | head -n %ld > '%s'", data, lines == NULL ? 3001 : strtol(lines, NULL, 10), path);
    play_twice(NULL, path, &said, sqlite);
    must_say(&said, "\"refused\":0,\"twice\"");
    if (site_postgres() != NULL) {
        play_twice(site_postgres(), path, &said, postgres);
        assert_string_equal(postgres, sqlite);
    }
    unlink(path);
}

/* Code 2 and a sentence, at once. */
static void what_cannot_be_done_is_said(void **state)
{
    static const struct {
        const char *words, *says;
    } cases[] = {
        { "", "orders are invoice lines" },
        { "stocks", "orders are invoice lines" },
        { "orders", "--file FILE is missing" },
        { "orders --file /dev/null", "--key KEY" },
        { "orders --file /nowhere/lines.csv --key k", "/nowhere/lines.csv: No such file" },
        { "orders --file /dev/null --key k", "is empty" },
        { "orders --file /dev/null --key k --url ftp://host", "is not http://HOST:PORT" },
        { "orders --file /dev/null --key k --ship-after soon", "--ship-after is a number of days" },
        { "orders --file /dev/null --key k --node 'a b'", "--node is made of" },
        { "orders --file /dev/null --key k --rows /nowhere/rows", "/nowhere/rows: No such file" },
        { "orders --file '%s' --key k --url http://127.0.0.1:1", "does not answer: Connection refused" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct said said;
        char words[600], path[300], *at;
        snprintf(words, sizeof words, "%s", cases[i].words);
        if ((at = strstr(words, "%s")) != NULL)
            snprintf(at, sizeof words - (size_t)(at - words), "%s' --key k --url http://127.0.0.1:1", source("traps.csv", path));
        run_shell(&said, "unset MILLRACE_KEY; cd / && timeout 60 '%s' import %s 2>&1", getenv("MILLRACE_BINARY"), words);
        if (said.code != 2 || strstr(said.report, cases[i].says) == NULL)
            fail_msg("import %s: %d %s", words, said.code, said.report);
    }
    struct said said;
    run_shell(&said, "'%s' import --help", getenv("MILLRACE_BINARY"));
    assert_int_equal(said.code, 0);
    must_say(&said, "A second run changes nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(each_row_is_named),
        cmocka_unit_test(traps),
        cmocka_unit_test(a_long_queue),
        cmocka_unit_test(a_real_shop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
