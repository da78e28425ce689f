/* tests/crash/full_test.c: the disk is really full while commands come in. They are refused whole, with 507 (or 503), the checker
 * finds nothing and what is listed is what was acknowledged, all that while the disk is full; when there is room again, the same
 * process goes on, and the keys of what was refused do it. Skipped aloud without root. */
#include "crash/disk.h"
#include "crash/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define DISK_MIB 48
#define GOES_ON_MS 2000 /* at most, until commands are taken again */
#define REFUSALS 30     /* seen before there is room again */
#define WAIT_MS 30000
#define AFTERWARDS 20 /* commands that are taken then */

static struct load load;
static struct disk disk;
static struct server server;

static void wait_until_more(const atomic_size_t *figure, size_t than, const char *what)
{
    for (int64_t until = now_ms() + WAIT_MS; atomic_load(figure) <= than; usleep(1000))
        if (now_ms() > until)
            fail_msg("%s: still %zu in %d s", what, atomic_load(figure), WAIT_MS / 1000);
}

/* Fills the disk to its last `free_kib` KiB under load. Gives how long it took to take commands again, in ms. */
static int64_t fill_and_look(const struct site *site, long free_kib)
{
    struct load *const loads[] = { &load };
    load_start(&load, site, &server, 1);
    wait_until_more(&load.acknowledged, 10, "acknowledged before");
    disk_fill(&disk, free_kib);
    wait_until_more(&load.full, REFUSALS, "refused for a full disk");
    load_stop(&load);
    if (!load_wait(&load) || server_is_gone(&server))
        fail_msg("%ld KiB left: the server ended, or gave a wrong answer", free_kib);
    if (site_check(site) != 0 || !load_look(loads, 1, site, server.port))
        fail_msg("%ld KiB left: what was refused is there in part, or what was acknowledged is not", free_kib);
    disk_empty(&disk);
    int64_t from = now_ms();
    bool kept = load_again(&load, site, &server, 1); /* the first that is refused now is a failure */
    int64_t ms = now_ms() - from;
    if (!kept || server_is_gone(&server))
        fail_msg("%ld KiB left: it does not go on when there is room again", free_kib);
    return ms;
}

static void a_full_disk_refuses_and_goes_on(void **state)
{
    static const long left_kib[] = { 0, 8, 40, 100, 300, 1000, 0 };
    struct site site;
    struct load *const loads[] = { &load };
    if (!disk_make(&disk, DISK_MIB))
        skip();
    site_make(&site, disk.folder, NULL);
    server_start(&server, &site);
    load = (struct load){ .round = 0 };
    load_sell(&load, &site, server.port);
    for (size_t i = 0; i < sizeof left_kib / sizeof left_kib[0]; i++)
        fill_and_look(&site, left_kib[i]);
    bool right = load_look(loads, 1, &site, server.port);
    server_stop(&server);
    int code = site_check(&site);
    print_message("%zu commands acknowledged, %zu refused with 507, %zu with 503\n", load.all_acknowledged, load.all_full, load.all_busy);
    site_delete(&site);
    assert_int_equal(code, 0);
    assert_true(right);
}

static int end_disk(void **state)
{
    server_kill(&server);
    disk_delete(&disk);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(a_full_disk_refuses_and_goes_on, end_disk) };
    return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
