/* tests/crash/disk.c: see disk.h. */
#include "crash/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cmocka.h>

#define SHUTDOWN _IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN; no header of the C library has it */
#define NO_LOG_FLUSH 2
#define UMOUNT_TRIES 500
#define UMOUNT_PAUSE_US 10000

static bool skipped(const char *why)
{
    print_message("SKIPPED: a file system of our own needs root, mkfs.ext4 and a loop device: %s: %s\n", why, strerror(errno));
    return false;
}

/* The image has no name any more when this returns: it ends with the device. */
static int image_make(int mib)
{
    char image[64], line[160];
    snprintf(image, sizeof image, "%s/millrace-disk.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    int fd = mkostemp(image, O_CLOEXEC);
    if (fd < 0)
        return -1;
    /* Blocks of a page, as real disks have them: of smaller ones SQLite reserves only the last in each page of its index in memory,
     * and the others may be missing when it writes there, which is a SIGBUS. */
    snprintf(line, sizeof line, "PATH=\"$PATH:/usr/sbin:/sbin\" mkfs.ext4 -b 4096 -q -F -m 0 '%s' >/dev/null 2>&1", image);
    if (ftruncate(fd, (off_t)mib << 20) != 0 || system(line) != 0) {
        close(fd);
        fd = -1;
    }
    unlink(image);
    return fd;
}

static bool loop_make(struct disk *disk, int image)
{
    struct loop_config config = { .fd = (uint32_t)image, .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    for (int tries = 0; control >= 0 && disk->loop < 0 && tries < 20; tries++) { /* another may take the free one first */
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        snprintf(disk->device, sizeof disk->device, "/dev/loop%d", number);
        disk->loop = number < 0 ? -1 : open(disk->device, O_RDWR | O_CLOEXEC);
        if (disk->loop >= 0 && ioctl(disk->loop, LOOP_CONFIGURE, &config) != 0) {
            close(disk->loop);
            disk->loop = -1;
        }
    }
    if (control >= 0)
        close(control);
    return disk->loop >= 0;
}

static bool mount_it(struct disk *disk)
{
    disk->mounted = mount(disk->device, disk->folder, "ext4", MS_NOATIME, NULL) == 0;
    return disk->mounted;
}

/* Until nobody has a file open: a process that was killed lets go of its files a little later. */
static void unmount_it(struct disk *disk)
{
    for (int tries = 0; disk->mounted && tries < UMOUNT_TRIES; tries++, usleep(UMOUNT_PAUSE_US))
        disk->mounted = umount(disk->folder) != 0;
    if (disk->mounted)
        fail_msg("%s cannot be unmounted: %s", disk->folder, strerror(errno));
}

bool disk_make(struct disk *disk, int mib)
{
    *disk = (struct disk){ .loop = -1 };
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return skipped("root and a mount namespace");
    int image = image_make(mib);
    if (image < 0)
        return skipped("an image");
    bool made = loop_make(disk, image);
    close(image);
    if (!made)
        return skipped("a loop device");
    snprintf(disk->folder, sizeof disk->folder, "/tmp/millrace-disk.XXXXXX");
    if (mkdtemp(disk->folder) == NULL || !mount_it(disk) || chmod(disk->folder, 0777) != 0)
        return skipped("mount");
    return true;
}

void disk_cut(struct disk *disk)
{
    uint32_t how = NO_LOG_FLUSH;
    int fd = open(disk->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (ioctl(fd, SHUTDOWN, &how) != 0)
        fail_msg("the power of %s cannot be cut: %s", disk->folder, strerror(errno));
    close(fd);
}

void disk_again(struct disk *disk)
{
    unmount_it(disk);
    if (!mount_it(disk))
        fail_msg("%s cannot be mounted again: %s", disk->folder, strerror(errno));
}

void disk_delete(struct disk *disk)
{
    if (disk->mounted)
        unmount_it(disk);
    if (disk->loop > 0)
        close(disk->loop);
    if (disk->folder[0] != '\0')
        rmdir(disk->folder);
    *disk = (struct disk){ .loop = -1 };
}

void disk_fill(const struct disk *disk, long free_kib)
{
    char path[96];
    snprintf(path, sizeof path, "%s/filler", disk->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (int64_t step = INT64_C(1) << 20; step >= 4096; step /= 4) { /* what the file system keeps for itself is not known: coarse, then fine */
        struct statvfs room;
        struct stat filler;
        do {
            assert_int_equal(fstatvfs(fd, &room), 0);
            assert_int_equal(fstat(fd, &filler), 0);
        } while ((int64_t)room.f_bavail * (int64_t)room.f_frsize - step >= (int64_t)free_kib << 10 && posix_fallocate(fd, filler.st_size, step) == 0);
    }
    close(fd);
}

void disk_empty(const struct disk *disk)
{
    char path[96];
    snprintf(path, sizeof path, "%s/filler", disk->folder);
    assert_int_equal(unlink(path), 0);
}
