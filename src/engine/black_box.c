/* src/engine/black_box.c: a mapped page, so that what is written there outlives the process without a system call. It is not
 * synced: when the machine dies, what was being decided is not to blame. */
#include "engine/black_box.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK UINT64_C(0x6d696c6c626f7831) /* "millbox1" */
#define CULPRITS 200                      /* beyond that the oldest are let go of */

struct digest {
    uint64_t high, low; /* both 0: none */
};

struct page {
    uint64_t mark;
    struct digest deciding; /* now, or at the last death */
    struct digest suspect;  /* at the death before */
    uint64_t culprit_count; /* ever */
    struct digest culprits[CULPRITS];
};

struct black_box {
    int file;
    struct page *page;
};

static bool is_same(struct digest a, struct digest b)
{
    return a.high == b.high && a.low == b.low;
}

static bool is_none(struct digest digest)
{
    return is_same(digest, (struct digest){ 0 });
}

static bool is_culprit(const struct page *page, struct digest digest)
{
    for (size_t i = 0; i < CULPRITS && i < page->culprit_count; i++)
        if (is_same(page->culprits[i], digest))
            return true;
    return false;
}

/* The page tells of the process before. */
static void judge(struct page *page)
{
    if (!is_none(page->deciding) && is_same(page->deciding, page->suspect) && !is_culprit(page, page->deciding))
        page->culprits[page->culprit_count++ % CULPRITS] = page->deciding;
    page->suspect = page->deciding;
    page->deciding = (struct digest){ 0 };
}

static const char *map(struct black_box *box)
{
    struct stat stat;
    if (flock(box->file, LOCK_EX | LOCK_NB) != 0)
        return "another process has it";
    if (fstat(box->file, &stat) != 0 || (stat.st_size != 0 && stat.st_size != sizeof(struct page)))
        return "it is not a black box";
    if (stat.st_size == 0 && posix_fallocate(box->file, 0, sizeof(struct page)) != 0)
        return "there is no room for it";
    void *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, box->file, 0);
    if (page == MAP_FAILED)
        return "it cannot be mapped";
    box->page = page;
    if (box->page->mark == 0)
        box->page->mark = MARK;
    return box->page->mark == MARK ? NULL : "it is not a black box";
}

struct black_box *black_box_open(const char *path, struct arena *arena, const char **error)
{
    struct black_box *box = calloc(1, sizeof *box);
    *error = "no memory for the black box";
    if (box == NULL)
        return NULL;
    box->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const char *wrong = box->file < 0 ? "it cannot be opened" : map(box);
    if (wrong != NULL) {
        *error = arena_printf(arena, "%s: %s", path, wrong);
        black_box_close(box);
        return NULL;
    }
    judge(box->page);
    return box;
}

void black_box_close(struct black_box *box)
{
    if (box == NULL)
        return;
    if (box->page != NULL)
        munmap(box->page, sizeof *box->page);
    if (box->file >= 0)
        close(box->file);
    free(box);
}

/* What was sent, and under which key: many send the same body. */
static struct digest digest_of(const struct command *command)
{
    return (struct digest){ (uint64_t)command->body_hash[0] ^ (uint64_t)command->key_hash[0],
                            (uint64_t)command->body_hash[1] ^ (uint64_t)command->key_hash[1] };
}

bool black_box_enter(struct black_box *box, const struct command *command)
{
    struct digest digest = digest_of(command);
    if (box == NULL || is_none(digest))
        return true;
    if (is_culprit(box->page, digest))
        return false;
    box->page->deciding = digest;
    atomic_signal_fence(memory_order_release); /* there before the first step of decide */
    return true;
}

void black_box_leave(struct black_box *box)
{
    if (box == NULL)
        return;
    atomic_signal_fence(memory_order_release);
    box->page->deciding = (struct digest){ 0 };
}
