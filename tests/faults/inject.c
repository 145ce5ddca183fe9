/* A shim between a process and its file system, preloaded by the tests with LD_PRELOAD.
 *
 * It counts the calls that change files under FAULT_ROOT, whoever makes them (Python, SQLite, Arrow), can make
 * the n-th of them fail or be the last thing that the process does, and can write down each call that was done. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The numbers are those of faults/shim.py. */
enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, TRUNCATE = 16, LINK = 32, UNLINK = 64, MKDIR = 128 };
enum { NOTHING, IO_ERROR, NO_SPACE, STOP_BEFORE, STOP_AFTER, TEAR, STAY_FULL, HALF };
#define KILLED 137
#define MOST_HANDLES 4096
#define REAL(name) ((__typeof__(&name))real(#name))

static char *paths[MOST_HANDLES]; /* of the handles that are open under the root; NULL for all others */
static const char *root;
static atomic_int armed_kinds, seen, full;
static int armed_n, armed_what, log_handle = -1;
static __thread int turn; /* of the call that is under way; 0 where it is not counted */

__attribute__((constructor)) static void start(void) { root = getenv("FAULT_ROOT"); }

void fault_arm(int kinds, int n, int what) {
    armed_n = n;
    armed_what = what;
    seen = full = 0;
    armed_kinds = kinds;
}
int fault_count(void) { return seen; }
void fault_disarm(void) { armed_kinds = full = 0; }
void fault_log(const char *path) {
    log_handle = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND, 0600);
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int watched(const char *path) {
    size_t length = root ? strlen(root) : 0;
    return length && path && !strncmp(path, root, length) && path[length] == '/';
}
static const char *of(int handle) { return handle >= 0 && handle < MOST_HANDLES ? paths[handle] : NULL; }
static const char *at(int folder, const char *path, char *room) {
    if (*path == '/' || !of(folder)) return path;
    snprintf(room, PATH_MAX, "%s/%s", of(folder), path);
    return room;
}
static void remember(int handle, const char *path) {
    if (handle < 0 || handle >= MOST_HANDLES) return;
    free(paths[handle]);
    paths[handle] = path && watched(path) ? strdup(path) : NULL;
}

/* What is to happen to this call. A disk gets full in the midst of a write: half of it is done, the next is not. */
static int due(int kind, const char *path) {
    turn = 0;
    if (!watched(path) || !(armed_kinds & kind)) return NOTHING;
    turn = ++seen;
    if (full && kind & (OPEN | WRITE | TRUNCATE | MKDIR)) {
        full = armed_what == STAY_FULL;
        return NO_SPACE;
    }
    if (turn != armed_n) return NOTHING;
    if (armed_what == STOP_BEFORE || (armed_what == TEAR && kind != WRITE)) _exit(KILLED);
    if (armed_what != NO_SPACE && armed_what != STAY_FULL) return armed_what;
    full = kind == WRITE || armed_what == STAY_FULL;
    return kind == WRITE ? HALF : NO_SPACE;
}
static int refused(int what) {
    if (what == IO_ERROR) errno = EIO;
    if (what == NO_SPACE) errno = ENOSPC;
    return what == IO_ERROR || what == NO_SPACE;
}
static long done(int what, const char *kind, const char *path, const char *other, long result) {
    int error = errno;
    if (result >= 0 && watched(path) && log_handle >= 0) {
        char line[2 * PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%d\t%s\t%s\t%s\n", turn, kind, path, other);
        if (syscall(SYS_write, log_handle, line, length) != length) abort();
    }
    if (what == STOP_AFTER || what == TEAR) _exit(KILLED);
    errno = error;
    return result;
}
static const char *size_of(int handle, char *room) {
    struct stat about;
    snprintf(room, 32, "%ld", fstat(handle, &about) ? -1L : (long)about.st_size);
    return room;
}

static int opened(const char *name, int folder, const char *given, int flags, mode_t mode) {
    char room[PATH_MAX];
    const char *path = at(folder, given, room);
    int changes = flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
    int what = changes ? due(OPEN, path) : NOTHING;
    if (refused(what)) return -1;
    int isnew = watched(path) && changes && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int handle = ((__typeof__(&openat))real(name))(folder, given, flags, mode);
    remember(handle, path);
    const char *kind = isnew ? "CREATE" : flags & O_TRUNC ? "EMPTY" : "OPEN";
    return changes ? (int)done(what, kind, path, "", handle) : handle;
}
#define MODE ({ va_list more; va_start(more, flags); mode_t given = va_arg(more, mode_t); va_end(more); given; })
int open(const char *path, int flags, ...) { return opened("openat", AT_FDCWD, path, flags, MODE); }
int open64(const char *path, int flags, ...) { return opened("openat64", AT_FDCWD, path, flags, MODE); }
int openat(int folder, const char *path, int flags, ...) { return opened("openat", folder, path, flags, MODE); }
int openat64(int folder, const char *path, int flags, ...) { return opened("openat64", folder, path, flags, MODE); }
int creat(const char *path, mode_t mode) { return opened("openat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened("openat64", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int close(int handle) {
    if (of(handle)) remember(handle, NULL);
    return REAL(close)(handle);
}

#define WRITES(handle, size, call)                         \
    int what = due(WRITE, of(handle));                     \
    if (refused(what)) return -1;                          \
    if (what == HALF || what == TEAR) size -= size / 2;    \
    return done(what, "WRITE", of(handle), "", call)
ssize_t write(int handle, const void *from, size_t size) { WRITES(handle, size, REAL(write)(handle, from, size)); }
ssize_t pwrite(int handle, const void *from, size_t size, off_t where) { WRITES(handle, size, REAL(pwrite)(handle, from, size, where)); }
ssize_t pwrite64(int handle, const void *from, size_t size, off64_t where) { WRITES(handle, size, REAL(pwrite64)(handle, from, size, where)); }
ssize_t writev(int handle, const struct iovec *from, int count) { WRITES(handle, count, REAL(writev)(handle, from, count)); }

#define CALL(kind, path, other, call)  \
    int what = due(kind, path);        \
    if (refused(what)) return -1;      \
    return (int)done(what, #kind, path, other, call)
int fsync(int handle) { char room[32]; CALL(SYNC, of(handle), size_of(handle, room), REAL(fsync)(handle)); }
int fdatasync(int handle) { char room[32]; CALL(SYNC, of(handle), size_of(handle, room), REAL(fdatasync)(handle)); }
int ftruncate(int handle, off_t size) { CALL(TRUNCATE, of(handle), "", REAL(ftruncate)(handle, size)); }
int ftruncate64(int handle, off64_t size) { CALL(TRUNCATE, of(handle), "", REAL(ftruncate64)(handle, size)); }
int rename(const char *from, const char *to) { CALL(RENAME, from, to, REAL(rename)(from, to)); }
int link(const char *from, const char *to) { CALL(LINK, from, to, REAL(link)(from, to)); }
int unlink(const char *path) { CALL(UNLINK, path, "", REAL(unlink)(path)); }
int rmdir(const char *path) { CALL(UNLINK, path, "", REAL(rmdir)(path)); }
int mkdir(const char *path, mode_t mode) { CALL(MKDIR, path, "", REAL(mkdir)(path, mode)); }
int unlinkat(int folder, const char *path, int flags) {
    char room[PATH_MAX];
    const char *whole = at(folder, path, room);
    CALL(UNLINK, whole, "", REAL(unlinkat)(folder, path, flags));
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *whole = at(from_folder, from, room), *target = at(to_folder, to, other);
    CALL(RENAME, whole, target, REAL(renameat)(from_folder, from, to_folder, to));
}
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char room[PATH_MAX], other[PATH_MAX];
    const char *whole = at(from_folder, from, room), *target = at(to_folder, to, other);
    CALL(LINK, whole, target, REAL(linkat)(from_folder, from, to_folder, to, flags));
}
