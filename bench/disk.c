/* bench/disk.c: what the disk alone makes of an open loop: an order's pages to a file that is written over, as a WAL is, and a
 * sync of all that were due; nothing decided, no copies beside it. An answer that waits for the disk is no faster. */
#include "bench.h"
#include "base/when.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES ((size_t)64 << 20)
#define WRITE_BYTES ((size_t)1 << 20)

/* Goes on after `at`; all that is written was written before, so that a sync moves no metadata. */
static size_t write_on(int file, size_t at, size_t bytes)
{
    static const char zeros[WRITE_BYTES];
    for (size_t size; bytes > 0; bytes -= size, at += size) {
        at = at == RING_BYTES ? 0 : at;
        size = bytes < WRITE_BYTES ? bytes : WRITE_BYTES;
        size = size < RING_BYTES - at ? size : RING_BYTES - at;
        if (pwrite(file, zeros, size, (off_t)at) != (ssize_t)size)
            die("disk: %m");
    }
    return at;
}

struct times disk_run(const char *dir, double rate, double pages, double seconds)
{
    struct times took = { 0 };
    char name[300];
    snprintf(name, sizeof name, "%s/disk", dir);
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        die("%s: %m", name);
    size_t at = write_on(file, 0, RING_BYTES);
    if (fsync(file) != 0)
        die("disk: %m");
    const int64_t began = when_monotonic_us();
    const uint64_t orders = (uint64_t)(rate * seconds);
    for (uint64_t done = 0, due; done < orders; done = due) {
        int64_t wait = began + (int64_t)((double)done * 1e6 / rate) - when_monotonic_us();
        if (wait > 0)
            usleep((useconds_t)wait);
        due = (uint64_t)((double)(when_monotonic_us() - began) * rate / 1e6) + 1;
        due = due < orders ? due : orders;
        at = write_on(file, at, (size_t)((double)(due - done) * pages * 4096));
        if (fdatasync(file) != 0)
            die("disk: %m");
        for (uint64_t i = done; i < due; i++)
            times_add(&took, when_monotonic_us() - began - (int64_t)((double)i * 1e6 / rate));
    }
    close(file);
    unlink(name);
    return took;
}
