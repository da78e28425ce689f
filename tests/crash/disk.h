/* tests/crash/disk.h: a small ext4 of the test's own, on a loop device over a file in memory, that loses power when told: from
 * then on nothing reaches the device any more, and what was not written through by then is gone. It stands for the file system's
 * side of a power cut; what a disc's own cache loses is not tested. Needs root. The mount is in a namespace of the test's own:
 * it ends with the process, and the device with it. */
#ifndef MILLRACE_TESTS_CRASH_DISK_H
#define MILLRACE_TESTS_CRASH_DISK_H

#include <stdbool.h>

struct disk {
    char folder[64]; /* where it is mounted; open to all */
    char device[32];
    int loop; /* -1: none */
    bool mounted;
};
/* False, and said aloud, when there is no root or no loop device: the test is skipped then. */
bool disk_make(struct disk *disk, int mib);
void disk_cut(struct disk *disk);    /* the power goes */
void disk_again(struct disk *disk);  /* mounted anew; nobody may have a file of it open */
void disk_delete(struct disk *disk); /* nothing when it was never made */
/* A file that leaves `free_kib` to the others, and the end of it. */
void disk_fill(const struct disk *disk, long free_kib);
void disk_empty(const struct disk *disk);

#endif
