/* src/db/wal.c: a layer between SQLite and its WAL file, for the one connection that writes.
 * SQLite writes a frame as 24 bytes and a page, two system calls, and syncs in COMMIT while nobody can go on. Here frames
 * gather in memory until SQLite syncs, reads or measures the file, and the sync of a COMMIT is only noted: db_wal_sync
 * does it on another thread. What SQLite relies on otherwise stays as it is: the header of a new WAL is synced before its
 * frames, and a checkpoint syncs the WAL before it copies, for both sync outside the mark, or for real.
 * And the index of the WAL grows before frames that need it to: SQLite itself does so when all of a COMMIT is in the file,
 * and what is refused then, for want of room, comes back with a restart.
 * Formats and order of syncs: sqlite.org/walformat.html, sqlite.org/wal.html; the layer: sqlite.org/vfs.html. */
#include "db/wal.h"
#include "base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GATHERED_BYTES ((size_t)120 * 1024) /* SQLite takes a write of 128 KiB or more modulo 128 KiB */
#define SETTLE_S 5
#define INDEX_PAGE_BYTES 32768
#define INDEX_PAGE_FRAMES 4096
#define INDEX_HEADER_FRAMES 34 /* that many fewer in the first page of the index */

struct db_wal {
    sqlite3_vfs vfs; /* ours; pAppData is this */
    sqlite3_vfs *real;
    char name[40];
    atomic_uintptr_t committer; /* the thread that is in COMMIT, 0: none. A checkpoint's sync beside it is a real one */
    int fd;                     /* of the WAL file that was opened last, for syncs from another thread; -1: none was; under fd_lock */
    pthread_mutex_t fd_lock;    /* held as long as a sync takes: nobody closes what is being synced */
    atomic_int_fast64_t sent;   /* commits written to the file */
    atomic_int_fast64_t shown;  /* of those, such as every snapshot that is taken from now on has */
    atomic_int_fast64_t synced; /* of those, durable */
    pthread_mutex_t lock;
    pthread_cond_t more;
    atomic_bool anew; /* the WAL is to begin anew */
    pthread_mutex_t watch_lock;
    void (*told)(void *context);
    void *watcher;
};

struct wal_file {
    sqlite3_file base;
    struct db_wal *wal;
    sqlite3_file *database;
    int index_page; /* the last that is known to be there */
    char *gathered;
    size_t size;
    sqlite3_int64 at; /* of gathered, in the file */
    bool header;      /* the WAL begins anew: the next sync is a real one */
    sqlite3_file real[];
};

static struct wal_file *of(sqlite3_file *file)
{
    return (struct wal_file *)(void *)file;
}

/* ---- the file ---- */

static int flush(struct wal_file *file)
{
    if (file->size == 0)
        return SQLITE_OK;
    int code = file->real->pMethods->xWrite(file->real, file->gathered, (int)file->size, file->at);
    file->size = 0; /* after an error SQLite takes the transaction back, and writes the place again */
    return code;
}

static int wal_close(sqlite3_file *base)
{
    struct wal_file *file = of(base);
    int flushed = flush(file), closed = file->real->pMethods->xClose(file->real);
    free(file->gathered);
    return flushed != SQLITE_OK ? flushed : closed;
}

static int wal_read(sqlite3_file *base, void *to, int size, sqlite3_int64 at)
{
    struct wal_file *file = of(base);
    bool apart = at + size <= file->at || at >= file->at + (sqlite3_int64)file->size;
    int code = apart ? SQLITE_OK : flush(file);
    return code == SQLITE_OK ? file->real->pMethods->xRead(file->real, to, size, at) : code;
}

static int make_room_in_index(struct wal_file *file, sqlite3_int64 at)
{
    int page = (int)((at / WAL_FRAME_BYTES + INDEX_HEADER_FRAMES) / INDEX_PAGE_FRAMES);
    volatile void *mapped;
    if (page <= file->index_page)
        return SQLITE_OK;
    int code = file->database->pMethods->xShmMap(file->database, page, INDEX_PAGE_BYTES, true, &mapped);
    if (code == SQLITE_OK)
        file->index_page = page;
    if (code != SQLITE_IOERR_SHMSIZE)
        return code;
    int why = file->wal->real->xGetLastError(file->wal->real, 0, NULL); /* SQLite has one code for no room and for a disk that fails */
    return why == ENOSPC || why == EDQUOT ? SQLITE_FULL : code;
}

static int wal_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 at)
{
    struct wal_file *file = of(base);
    int room = make_room_in_index(file, at);
    if (room != SQLITE_OK)
        return room;
    file->header = file->header || at == 0;
    if (at != file->at + (sqlite3_int64)file->size || file->size + (size_t)size > GATHERED_BYTES) {
        int code = flush(file);
        if (code != SQLITE_OK)
            return code;
        file->at = at;
    }
    if ((size_t)size > GATHERED_BYTES)
        return file->real->pMethods->xWrite(file->real, from, size, at);
    memcpy(file->gathered + file->size, from, (size_t)size);
    file->size += (size_t)size;
    return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int code = flush(of(base));
    return code == SQLITE_OK ? of(base)->real->pMethods->xTruncate(of(base)->real, size) : code;
}

static int wal_sync(sqlite3_file *base, int flags)
{
    struct wal_file *file = of(base);
    int code = flush(file);
    if (code != SQLITE_OK)
        return code;
    bool commits = atomic_load(&file->wal->committer) == (uintptr_t)pthread_self();
    if (commits)
        atomic_fetch_add(&file->wal->sent, 1); /* before SQLite shows the commit to others: who sees it sees this too */
    if (commits && !file->header)
        return SQLITE_OK;
    code = file->real->pMethods->xSync(file->real, flags);
    file->header = file->header && code != SQLITE_OK;
    return code;
}

static int wal_size(sqlite3_file *base, sqlite3_int64 *size)
{
    int code = flush(of(base));
    return code == SQLITE_OK ? of(base)->real->pMethods->xFileSize(of(base)->real, size) : code;
}

static int wal_lock(sqlite3_file *base, int level)
{
    return of(base)->real->pMethods->xLock(of(base)->real, level);
}

static int wal_unlock(sqlite3_file *base, int level)
{
    return of(base)->real->pMethods->xUnlock(of(base)->real, level);
}

static int wal_is_reserved(sqlite3_file *base, int *reserved)
{
    return of(base)->real->pMethods->xCheckReservedLock(of(base)->real, reserved);
}

static int wal_control(sqlite3_file *base, int what, void *with)
{
    return of(base)->real->pMethods->xFileControl(of(base)->real, what, with);
}

static int wal_sector(sqlite3_file *base)
{
    return of(base)->real->pMethods->xSectorSize(of(base)->real);
}

static int wal_traits(sqlite3_file *base)
{
    return of(base)->real->pMethods->xDeviceCharacteristics(of(base)->real);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_is_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_traits,
};

/* The checkpoint's connection opens the same file; a writer that lost its own may open a new one. */
static bool fd_take(struct db_wal *wal, const char *name)
{
    int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    pthread_mutex_lock(&wal->fd_lock);
    if (wal->fd >= 0)
        close(wal->fd);
    wal->fd = fd;
    pthread_mutex_unlock(&wal->fd_lock);
    return true;
}

/* All other files are the real layer's from the start. */
static int wal_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *flags_out)
{
    struct db_wal *wal = vfs->pAppData;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return wal->real->xOpen(wal->real, name, base, flags, flags_out);
    struct wal_file *file = of(base);
    memset(file, 0, sizeof *file); /* without methods SQLite does not close what could not be opened */
    file->wal = wal;
    file->database = sqlite3_database_file_object(name);
    file->gathered = malloc(GATHERED_BYTES);
    if (file->gathered == NULL)
        return SQLITE_NOMEM;
    int code = wal->real->xOpen(wal->real, name, file->real, flags, flags_out);
    if (code == SQLITE_OK && !fd_take(wal, name)) {
        file->real->pMethods->xClose(file->real);
        code = SQLITE_CANTOPEN;
    }
    if (code != SQLITE_OK) {
        free(file->gathered);
        return code;
    }
    file->base.pMethods = &wal_methods;
    return SQLITE_OK;
}

/* ---- from outside ---- */

struct db_wal *db_wal_new(void)
{
    struct db_wal *wal = calloc(1, sizeof *wal);
    if (wal == NULL)
        return NULL;
    wal->real = sqlite3_vfs_find(NULL);
    wal->fd = -1;
    snprintf(wal->name, sizeof wal->name, "millrace-%p", (void *)wal);
    wal->vfs = *wal->real;
    wal->vfs.pNext = NULL;
    wal->vfs.zName = wal->name;
    wal->vfs.pAppData = wal;
    wal->vfs.xOpen = wal_open;
    wal->vfs.szOsFile = (int)sizeof(struct wal_file) + wal->real->szOsFile;
    pthread_mutex_init(&wal->lock, NULL);
    pthread_mutex_init(&wal->fd_lock, NULL);
    pthread_mutex_init(&wal->watch_lock, NULL);
    pthread_cond_init(&wal->more, NULL);
    if (sqlite3_vfs_register(&wal->vfs, 0) != SQLITE_OK) {
        free(wal);
        return NULL;
    }
    return wal;
}

void db_wal_free(struct db_wal *wal)
{
    if (wal == NULL)
        return;
    sqlite3_vfs_unregister(&wal->vfs);
    if (wal->fd >= 0)
        close(wal->fd);
    pthread_cond_destroy(&wal->more);
    pthread_mutex_destroy(&wal->lock);
    pthread_mutex_destroy(&wal->fd_lock);
    pthread_mutex_destroy(&wal->watch_lock);
    free(wal);
}

const char *wal_vfs_name(const struct db_wal *wal)
{
    return wal == NULL ? NULL : wal->name;
}

void wal_committing(struct db_wal *wal, bool committing)
{
    if (wal != NULL)
        atomic_store(&wal->committer, committing ? (uintptr_t)pthread_self() : 0);
}

static void tell(struct db_wal *wal)
{
    if (pthread_mutex_trylock(&wal->watch_lock) != 0)
        return; /* another thread is telling, and nobody's commit waits for that */
    if (wal->told != NULL)
        wal->told(wal->watcher);
    pthread_mutex_unlock(&wal->watch_lock);
}

void wal_committed(struct db_wal *wal)
{
    if (wal == NULL)
        return;
    atomic_store(&wal->shown, atomic_load(&wal->sent));
    tell(wal);
}

enum db_result db_wal_sync(struct db_wal *wal)
{
    if (wal == NULL)
        return DB_OK;
    int_fast64_t sent = atomic_load(&wal->sent);
    if (atomic_load(&wal->synced) >= sent)
        return DB_OK;
    pthread_mutex_lock(&wal->fd_lock);
    bool durable = fdatasync(wal->fd) == 0;
    pthread_mutex_unlock(&wal->fd_lock);
    if (!durable)
        return DB_IO;
    pthread_mutex_lock(&wal->lock);
    atomic_store(&wal->synced, sent);
    pthread_cond_broadcast(&wal->more);
    pthread_mutex_unlock(&wal->lock);
    tell(wal);
    return DB_OK;
}

void db_wal_watch(struct db_wal *wal, void (*told)(void *context), void *context)
{
    if (wal == NULL)
        return;
    pthread_mutex_lock(&wal->watch_lock);
    wal->told = told;
    wal->watcher = context;
    pthread_mutex_unlock(&wal->watch_lock);
}

void db_wal_begin_anew(struct db_wal *wal, bool soon)
{
    if (wal != NULL && atomic_exchange(&wal->anew, soon) != soon)
        tell(wal);
}

bool wal_begins_anew(struct db_wal *wal)
{
    return atomic_load(&wal->anew);
}

int64_t wal_shown(struct db_wal *wal)
{
    return atomic_load(&wal->shown);
}

int64_t wal_synced(struct db_wal *wal)
{
    return atomic_load(&wal->synced);
}

int64_t wal_sent(struct db_wal *wal)
{
    return wal == NULL ? 0 : atomic_load(&wal->sent);
}

enum db_result wal_settle(struct db_wal *wal, int64_t sent)
{
    if (atomic_load(&wal->synced) >= sent)
        return DB_OK;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SETTLE_S;
    int waited = 0;
    pthread_mutex_lock(&wal->lock);
    while (atomic_load(&wal->synced) < sent && waited == 0)
        waited = pthread_cond_timedwait(&wal->more, &wal->lock, &until);
    bool durable = atomic_load(&wal->synced) >= sent;
    pthread_mutex_unlock(&wal->lock);
    return durable ? DB_OK : DB_BUSY;
}
