/* tests/faulty/routes_test.c: for every route a good request is sent to the real server while the n-th call for memory, for a
 * file or for a socket fails, for n = 1, 2, 3, ... Whatever n is: a whole and true answer comes (or the connection is cut,
 * where it was the socket), the server lives on, and what was sent is done exactly once when it is sent again.
 * MILLRACE_FAULT_STEPS: how many n for each route and kind of call, dense at first, then ever farther apart; 0: every n. A
 * third of that on PostgreSQL, where a connection that was cut costs a process, and where a server ends and is started again. */
#include "faults.h"
#include "http/router.h"
#include "routes.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define STEPS_PRESET 6
#define PATIENCE_MS 12000 /* until a server that was short of something answers as before; it gives up PostgreSQL after 6 s of silence */
#define TEXT_MAX 2000
#define EVENTS_A_PAGE 100

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* What fails, and what may come of it. */
static const struct kind {
    const char *says;
    enum faulty what;
    long calls;    /* that fail, one after the other */
    bool bare;     /* on a server whose every allocation asks the machine */
    bool on_files; /* of SQLite; with PostgreSQL they are the files of another process */
    bool may_cut;  /* instead of an answer the connection may end */
    bool may_end;  /* the server may end itself: what it told before could be lost, and only a restart reads the truth */
} kinds[] = {
    { .says = "one allocation", .what = FAULTY_MEMORY, .calls = 1, .bare = true },
    { .says = "eight allocations in a row", .what = FAULTY_MEMORY, .calls = 8, .bare = true },
    { .says = "a full disk", .what = FAULTY_ROOM, .calls = LONG_MAX, .on_files = true },
    { .says = "a disk that fails", .what = FAULTY_DISK, .calls = 1, .on_files = true, .may_end = true, .may_cut = true },
    { .says = "a disk that cannot be read", .what = FAULTY_READ, .calls = LONG_MAX, .on_files = true },
    { .says = "a socket that fails to send", .what = FAULTY_SEND, .calls = 1, .may_cut = true },
    { .says = "a socket that fails to receive", .what = FAULTY_RECEIVE, .calls = 1, .may_cut = true },
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static struct faults_page *page;
static struct {
    long steps, refused;
} taken; /* of one kind */
static char page_path[] = "/tmp/millrace-faults.XXXXXX";

/* ---- the server ---- */

/* It alone has the module: not the test, nor what the test starts besides. */
static void start(struct shop *shop, bool bare)
{
    shop->site.binary = getenv(bare ? "MILLRACE_BARE_BINARY" : "MILLRACE_BINARY");
    setenv("LD_PRELOAD", getenv("MILLRACE_FAULTS_MODULE"), 1);
    setenv(FAULTS_PAGE, page_path, 1);
    server_start(&shop->server, &shop->site);
    unsetenv("LD_PRELOAD");
    shop->site.binary = getenv("MILLRACE_BINARY");
    client_open(&shop->client, shop->server.port, shop->site.key);
}

static void stop(struct shop *shop)
{
    client_close(&shop->client);
    server_stop(&shop->server);
}

static void arm(const struct kind *kind, long n)
{
    atomic_store(&page->count, 0);
    atomic_store(&page->first, n);
    atomic_store(&page->last, kind->calls > LONG_MAX - n ? LONG_MAX : n + kind->calls - 1);
    atomic_store(&page->kind, kind->what);
}

static long disarm(void)
{
    atomic_store(&page->kind, FAULTY_NOTHING);
    return atomic_load(&page->count);
}

/* ---- one step ---- */

struct step {
    struct shop *shop;
    const struct good_request *request;
    const struct kind *kind;
    long n, events; /* events: that the request makes */
    char target[300], body[TEXT_MAX], key[40], unit[100];
};

static void failed(const struct step *step, const char *what)
{
    fail_msg("%s %s, %s, n = %ld: %s: %d %.600s", methods[step->request->method], step->target, step->kind->says, step->n, what,
             step->shop->client.status, step->shop->client.body);
}

static int ask(struct step *step)
{
    bool reads = step->request->method == METHOD_GET;
    return client_call(&step->shop->client, methods[step->request->method], step->target, reads ? NULL : step->key,
                       step->request->body == NULL ? NULL : step->body);
}

/* How many events the unit has had since it was last asked. A unit that is not there yet had none. */
static long events_since(struct step *step)
{
    int64_t own = 0, *seq = step->request->unit == NULL ? &step->shop->seq : &own;
    char target[200];
    long count = 0, page_count = EVENTS_A_PAGE;
    while (page_count == EVENTS_A_PAGE) {
        page_count = 0;
        snprintf(target, sizeof target, "/v1/events?unit=%s&after=%ld&limit=%d", step->unit, (long)*seq, EVENTS_A_PAGE);
        if (client_call(&step->shop->client, "GET", target, NULL, NULL) != 200 && step->request->unit == NULL)
            failed(step, "the events cannot be read");
        for (const char *at = step->shop->client.body; (at = strstr(at, "{\"seq\":")) != NULL; page_count++)
            *seq = number_after(at++, "seq");
        count += page_count;
    }
    return count;
}

static void prepare(struct step *step)
{
    const struct good_request *request = step->request;
    shop_prepare(step->shop, request);
    shop_write(step->shop, request->target, step->target, sizeof step->target);
    shop_write(step->shop, request->body == NULL ? "" : request->body, step->body, sizeof step->body);
    shop_write(step->shop, request->unit == NULL ? "DE" : request->unit, step->unit, sizeof step->unit);
    snprintf(step->key, sizeof step->key, "key-%ld", step->shop->number);
    if (request->method != METHOD_GET)
        events_since(step);
}

/* Without a fault: how many calls there are, and what it does. */
static long calls_of(struct step *step)
{
    const int64_t until = now_ms() + PATIENCE_MS;
    long calls;
    int status;
    step->n = 0;
    prepare(step);
    do { /* what the step before it has done to the projections may last */
        arm(step->kind, LONG_MAX);
        status = ask(step);
        calls = disarm();
    } while (status == 503 && now_ms() < until);
    if (status != step->request->status)
        failed(step, "refused, and nothing fails yet");
    step->events = step->request->method == METHOD_GET ? 0 : events_since(step);
    return calls;
}

static void judge_answer(struct step *step, int status)
{
    static const struct {
        int status;
        const char *code;
        enum faulty only; /* FAULTY_NOTHING: whatever fails */
    } allowed[] = { { 503, "busy", FAULTY_NOTHING },
                    { 503, "store_lost", FAULTY_NOTHING },
                    { 507, "store_full", FAULTY_ROOM },
                    { 500, "internal", FAULTY_READ } /* SQLite takes a page that it cannot read for a broken file */ };
    char code[40];
    bool is_allowed = status == step->request->status || (status == 0 && step->kind->may_cut);
    text_after(step->shop->client.body, "code", code, sizeof code);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        is_allowed = is_allowed || (status == allowed[i].status && strcmp(code, allowed[i].code) == 0 &&
                                    (allowed[i].only == FAULTY_NOTHING || allowed[i].only == step->kind->what));
    if (!is_allowed)
        failed(step, "answered");
}

static bool is_refused_in_part(const struct step *step)
{
    return strstr(step->shop->client.body, "\"status\":5") != NULL;
}

static void judge_server(struct step *step)
{
    if (!server_is_gone(&step->shop->server))
        return;
    if (!step->kind->may_end)
        failed(step, "the server ended");
    client_close(&step->shop->client);
    start(step->shop, step->kind->bare);
}

/* Until it is as it was: a connection is opened anew, the projections go on. */
static void judge_again(struct step *step)
{
    const int64_t until = now_ms() + PATIENCE_MS;
    int status;
    while (((status = ask(step)) == 503 || status == 0 || (status == 200 && is_refused_in_part(step))) && now_ms() < until) {
        usleep(20000);
        judge_server(step); /* it ends when the answer is due, or a little later */
    }
    bool made = status == step->request->status || (step->request->status == 201 && status == 200); /* a PUT finds what it had made */
    if (!made || is_refused_in_part(step))
        failed(step, "sent again");
    long events = step->request->method == METHOD_GET ? 0 : events_since(step);
    if (events != step->events)
        fail_msg("%s %s, %s, n = %ld: %ld events, not %ld: not done exactly once: %.600s", methods[step->request->method], step->target,
                 step->kind->says, step->n, events, step->events, step->shop->client.body);
}

static void take_step(struct step *step, long n)
{
    step->n = n;
    prepare(step);
    arm(step->kind, n);
    int status = ask(step);
    disarm();
    judge_server(step);
    judge_answer(step, status);
    taken.steps++;
    taken.refused += status != step->request->status || is_refused_in_part(step);
    judge_again(step);
}

/* ---- which n ---- */

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1;
    return *seed >> 33;
}

/* 1, 2, ... for half of the steps; then one in each of stretches that grow to the last call, somewhere in it. */
static void take_steps(struct step *step, long calls, long most, uint64_t seed)
{
    long steps = most == 0 || calls < most ? calls : most, dense = steps == calls ? steps : (steps + 1) / 2;
    for (long n = 1; n <= dense; n++)
        take_step(step, n);
    for (long i = dense, from = dense + 1; i < steps && from <= calls; i++) {
        long left = steps - i, stretch = (calls - from + 1) >> (left - 1), to = from + (stretch < 1 ? 0 : stretch - 1);
        to = left == 1 ? calls : to;
        take_step(step, from + (long)(random_next(&seed) % (uint64_t)(to - from + 1)));
        from = to + 1;
    }
}

static void take_routes(struct shop *shop, const struct kind *kind)
{
    const size_t wanted = setting("MILLRACE_FAULT_STEPS", STEPS_PRESET),
                 steps = shop->site.server == NULL && !kind->may_end ? wanted : (wanted + 2) / 3;
    int64_t from = now_ms();
    taken.steps = taken.refused = 0;
    for (size_t i = 0; i < good_request_count; i++) {
        const struct good_request *request = &good_requests[i];
        struct step step = { .shop = shop, .request = request, .kind = kind };
        size_t most = request->steps_max != 0 && (steps == 0 || request->steps_max < steps) ? request->steps_max : steps;
        (void)calls_of(&step); /* once, so that statements are prepared */
        long calls = calls_of(&step);
        take_steps(&step, calls, (long)most, i * KIND_COUNT + (uint64_t)kind->what);
    }
    print_message("%s: %ld steps, %ld of them refused or cut, %ld ms\n", kind->says, taken.steps, taken.refused, (long)(now_ms() - from));
}

/* ---- scenes ---- */

static void every_route(const char *postgres)
{
    struct shop *shop = calloc(1, sizeof *shop);
    assert_non_null(shop);
    site_make(&shop->site, NULL, postgres);
    start(shop, kinds[0].bare);
    shop_furnish(shop);
    bool bare = kinds[0].bare;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].on_files && postgres != NULL)
            continue;
        if (bare != kinds[i].bare) {
            stop(shop);
            start(shop, kinds[i].bare);
            bare = kinds[i].bare;
        }
        take_routes(shop, &kinds[i]);
    }
    stop(shop);
    assert_int_equal(site_check(&shop->site), 0);
    site_delete(&shop->site);
    free(shop);
}

/* Sanitizers have an allocator of their own, which no other module may stand before. */
static bool has_module(void)
{
    if (getenv("MILLRACE_FAULTS_MODULE") == NULL)
        print_message("SKIPPED: no module of faults for this build: it is for builds without sanitizers\n");
    return getenv("MILLRACE_FAULTS_MODULE") != NULL;
}

static void every_route_on_sqlite(void **state)
{
    if (has_module())
        every_route(NULL);
}

static void every_route_on_postgresql(void **state)
{
    if (has_module() && site_postgres() != NULL)
        every_route(site_postgres());
}

static bool is_asked(const struct route *route)
{
    for (size_t i = 0; i < good_request_count; i++)
        if (good_requests[i].method == route->method && strcmp(good_requests[i].path, route->path) == 0)
            return true;
    return false;
}

static void no_route_is_left_out(void **state)
{
    size_t routes = 0;
    for (const struct route_table *const *table = http_routes; *table != NULL; table++)
        for (size_t i = 0; i < (*table)->count; i++, routes++)
            if (!is_asked(&(*table)->routes[i]))
                fail_msg("%s %s has no row in tests/faulty/routes.c", methods[(*table)->routes[i].method], (*table)->routes[i].path);
    assert_true(routes > 0);
}

static int make_page(void **state)
{
    int file = mkstemp(page_path);
    if (file < 0 || ftruncate(file, sizeof *page) != 0)
        return -1;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? -1 : 0;
}

static int drop_page(void **state)
{
    return unlink(page_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_route_is_left_out),
        cmocka_unit_test(every_route_on_sqlite),
        cmocka_unit_test(every_route_on_postgresql),
    };
    setenv("MILLRACE_WEBHOOKS", "off", 1); /* their hosts are not there */
    return cmocka_run_group_tests(tests, make_page, drop_page);
}
