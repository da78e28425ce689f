/* src/cli/part.c: see part.h. The lock stands on the file, not on its name: who gets it looks whether the name is still this file's,
 * since the one before may have finished in between. */
#include "cli/part.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_named(int file, const char *name)
{
    struct stat opened, named;
    return fstat(file, &opened) == 0 && stat(name, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

bool part_open(struct part *part, const char *path, struct arena *arena, const char **error)
{
    *part = (struct part){ .path = path, .name = arena_printf(arena, "%s.part", path) };
    part->file = open(part->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (part->file < 0) {
        *error = arena_printf(arena, "%s cannot be made: %s", part->name, strerror(errno));
        return false;
    }
    if (flock(part->file, LOCK_EX | LOCK_NB) == 0 && is_named(part->file, part->name) && ftruncate(part->file, 0) == 0)
        return true;
    *error = arena_printf(arena, "another process writes %s", part->name);
    close(part->file);
    part->file = -1;
    return false;
}

static bool folder_sync(const char *path, struct arena *arena)
{
    int folder = open(dirname(arena_text(arena, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return synced;
}

/* Some file systems know no renaming that spares what is there. */
static bool rename_to_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

bool part_finish(struct part *part, bool replace, struct arena *arena, const char **error)
{
    const char *doing = fsync(part->file) != 0 ? "synced" : NULL;
    if (doing == NULL && !(replace ? rename(part->name, part->path) == 0 : rename_to_new(part->name, part->path)))
        doing = "named";
    if (doing != NULL) {
        *error = arena_printf(arena, "%s cannot be %s: %s", part->path, doing, strerror(errno));
        return false;
    }
    close(part->file);
    part->file = -1;
    if (folder_sync(part->path, arena))
        return true;
    *error = arena_printf(arena, "%s is written, but its folder cannot be synced: %s", part->path, strerror(errno));
    return false;
}

void part_close(struct part *part)
{
    if (part->file < 0)
        return;
    unlink(part->name);
    close(part->file);
    part->file = -1;
}
