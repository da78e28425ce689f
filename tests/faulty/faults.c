/* tests/faulty/faults.c: preloaded into a server: its calls for memory, files and sockets, which fail when the page says so.
 * Counting is for the whole process: what another thread does meanwhile counts, and fails, too. Standard output and the
 * pages that are mapped are nobody's business here. */
#include "faults.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faults_page *page; /* NULL: nothing fails */

__attribute__((constructor)) static void find_page(void)
{
    const char *path = getenv(FAULTS_PAGE);
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    page = at == MAP_FAILED ? NULL : at;
}

/* True, with errno set, where this call is to fail. */
static bool fails(enum faulty kind, int error)
{
    if (page == NULL || atomic_load_explicit(&page->kind, memory_order_acquire) != (int)kind)
        return false;
    long n = atomic_fetch_add(&page->count, 1) + 1;
    if (n < atomic_load(&page->first) || n > atomic_load(&page->last))
        return false;
    errno = error;
    return true;
}

static bool is_file(int fd)
{
    struct stat stat;
    return page != NULL && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

static bool write_fails(int fd)
{
    return is_file(fd) && (fails(FAULTY_ROOM, ENOSPC) || fails(FAULTY_DISK, EIO));
}

static bool sync_fails(int fd)
{
    return is_file(fd) && fails(FAULTY_DISK, EIO);
}

static bool read_fails(int fd)
{
    return is_file(fd) && fails(FAULTY_READ, EIO);
}

/* A connection that was reset is so for both sides: nobody waits for what the other has not got. */
static bool socket_fails(int fd, enum faulty kind)
{
    if (!fails(kind, ECONNRESET))
        return false;
    shutdown(fd, SHUT_RDWR);
    errno = ECONNRESET;
    return true;
}

/* The function of this name behind us. */
#define NEXT(NAME, TYPE)           \
    static __typeof__(TYPE) *next; \
    if (next == NULL)              \
    *(void **)&next = dlsym(RTLD_NEXT, NAME)

/* ---- memory ---- */

void *malloc(size_t bytes)
{
    NEXT("malloc", void *(size_t));
    return fails(FAULTY_MEMORY, ENOMEM) ? NULL : next(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    NEXT("calloc", void *(size_t, size_t));
    return fails(FAULTY_MEMORY, ENOMEM) ? NULL : next(count, bytes);
}

void *realloc(void *at, size_t bytes)
{
    NEXT("realloc", void *(void *, size_t));
    return fails(FAULTY_MEMORY, ENOMEM) ? NULL : next(at, bytes);
}

/* ---- files ---- */

ssize_t write(int fd, const void *from, size_t bytes)
{
    NEXT("write", ssize_t(int, const void *, size_t));
    return write_fails(fd) ? -1 : next(fd, from, bytes);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at)
{
    NEXT("pwrite64", ssize_t(int, const void *, size_t, off64_t));
    return write_fails(fd) ? -1 : next(fd, from, bytes, at);
}

int ftruncate64(int fd, off64_t bytes)
{
    NEXT("ftruncate64", int(int, off64_t));
    return write_fails(fd) ? -1 : next(fd, bytes);
}

int fsync(int fd)
{
    NEXT("fsync", int(int));
    return sync_fails(fd) ? -1 : next(fd);
}

int fdatasync(int fd)
{
    NEXT("fdatasync", int(int));
    return sync_fails(fd) ? -1 : next(fd);
}

ssize_t read(int fd, void *to, size_t bytes)
{
    NEXT("read", ssize_t(int, void *, size_t));
    return read_fails(fd) ? -1 : next(fd, to, bytes);
}

ssize_t pread64(int fd, void *to, size_t bytes, off64_t at)
{
    NEXT("pread64", ssize_t(int, void *, size_t, off64_t));
    return read_fails(fd) ? -1 : next(fd, to, bytes, at);
}

/* ---- sockets ---- */

ssize_t send(int fd, const void *from, size_t bytes, int flags)
{
    NEXT("send", ssize_t(int, const void *, size_t, int));
    return socket_fails(fd, FAULTY_SEND) ? -1 : next(fd, from, bytes, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    NEXT("sendmsg", ssize_t(int, const struct msghdr *, int));
    return socket_fails(fd, FAULTY_SEND) ? -1 : next(fd, message, flags);
}

ssize_t recv(int fd, void *to, size_t bytes, int flags)
{
    NEXT("recv", ssize_t(int, void *, size_t, int));
    return socket_fails(fd, FAULTY_RECEIVE) ? -1 : next(fd, to, bytes, flags);
}
