/* tests/crash/power_test.c: the power goes while commands come in. With synchronous=FULL, which millrace serve has, what was
 * acknowledged is there when the power is back, and what `init` and `key add` did, too. The same with NORMAL must lose something,
 * or the test cannot see a loss. MILLRACE_POWER_CUTS sets how often (3). Skipped aloud without root. */
#include "crash/disk.h"
#include "crash/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define DISK_MIB 512
#define READY_MS 2000

static struct load load;
static struct disk disk;
static struct server server;

/* Nobody saw the server end: it may still write into memory, never again to the disc. Shutting a file system down takes
 * milliseconds, in which ext4 has dropped what it had not written and fdatasync still says yes; with real power nobody
 * would hear the answers that the server gives for it. */
static void cut(void)
{
    atomic_store(&load.dark, true);
    disk_cut(&disk);
    server_kill(&server);
    if (!load_wait(&load))
        fail();
    disk_again(&disk);
}

static void cut_and_look(const char *binary, size_t cuts)
{
    struct site site;
    int64_t slowest = 0;
    unsigned seed = (unsigned)setting("MILLRACE_SEED", (size_t)time(NULL));
    print_message("MILLRACE_SEED=%u\n", seed);
    if (!disk_make(&disk, DISK_MIB))
        skip();
    site_make(&site, disk.folder, NULL);
    disk_cut(&disk); /* what init and key add did is done */
    disk_again(&disk);
    load = (struct load){ .power_goes = true, .count_losses = binary != NULL };
    server_start(&server, &site);
    load_sell(&load, &site, server.port);
    if (binary != NULL) {
        server_stop(&server);
        site.binary = binary;
        server_start(&server, &site);
    }
    for (size_t k = 0; k < cuts; k++) {
        load_start(&load, &site, &server, 1);
        usleep(20000 + (useconds_t)(rand_r(&seed) % 700000));
        cut();
        int64_t ms = server_start(&server, &site);
        slowest = ms > slowest ? ms : slowest;
        if (site_check(&site) != 0) /* before anything is sent again; with NORMAL, too: it loses whole batches */
            fail_msg("cut %zu: the checker finds something", k);
        if (!load_again(&load, &site, &server, 1))
            fail_msg("cut %zu lost something", k);
    }
    struct load *const loads[] = { &load };
    bool right = binary != NULL || load_look(loads, 1, &site, server.port);
    server_stop(&server);
    int code = site_check(&site);
    site_delete(&site);
    print_message("%zu power cuts, %zu commands acknowledged, %zu of them lost, %zu not answered, ready again within %ld ms\n", cuts,
                  load.all_acknowledged, load.lost, load.all_open, (long)slowest);
    assert_int_equal(code, 0);
    assert_true(right);
    assert_true(slowest <= READY_MS);
    assert_true(load.all_acknowledged > 0);
}

static void nothing_acknowledged_is_lost(void **state)
{
    cut_and_look(NULL, setting("MILLRACE_POWER_CUTS", 3));
}

static void with_normal_the_test_sees_a_loss(void **state)
{
    const char *binary = getenv("MILLRACE_NORMAL_BINARY");
    assert_non_null(binary);
    cut_and_look(binary, setting("MILLRACE_POWER_CUTS", 3));
    assert_true(load.lost > 0);
}

static int end_disk(void **state)
{
    server_kill(&server);
    disk_delete(&disk);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_acknowledged_is_lost, end_disk),
        cmocka_unit_test_teardown(with_normal_the_test_sees_a_loss, end_disk),
    };
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
