/* Makes one call of a program to the file system fail: for tests, by LD_PRELOAD.

   FAULT_UNDER  calls count whose file lies below this folder
   FAULT_PLAN   a file with a `struct plan`: what is to fail, and a count; shared by all processes
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char *under;
static size_t under_length;
static struct plan {
    long count;     /* calls so far, of the kinds below */
    long at;        /* number of the call that fails, from 1 on; 0 for none */
    long ever;      /* whether every later call fails too */
    char calls[16]; /* the kinds that count: letters of w(rite) s(ync) d(irectory's sync) r(ename) c(reate)
                       u(nlink) */
    char what[16];  /* errno as a number; or "short": a write takes half, and the next one fails with
                       ENOSPC; "kill": the process is gone before the call; "lost": a flush fails with
                       EIO, and what the file got since the last good one becomes zeros */
    long counts[128]; /* calls so far of each kind, by its letter */
} *plan;
static __thread int inside, half;
static off_t flushed[65536];

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULT_PLAN");
    under = getenv("FAULT_UNDER");
    if (!under || !name) { under = NULL; return; }
    under_length = strlen(under);
    inside = 1;
    int file = open(name, O_RDWR);
    if (file >= 0) {
        plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
    }
    inside = 0;
    if (file < 0 || plan == MAP_FAILED) under = NULL;
}

static int is_below(const char *path) {
    return !strncmp(path, under, under_length) && (path[under_length] == '/' || !path[under_length]);
}

static int file_path(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int file_is_below(int file) {
    char path[PATH_MAX];
    return file_path(file, path) && is_below(path);
}

static int path_is_below(int folder, const char *name) {
    char path[2 * PATH_MAX + 2] = "";
    if (!name) return 0;
    if (name[0] != '/') {
        if (folder == AT_FDCWD ? !getcwd(path, PATH_MAX) : !file_path(folder, path)) return 0;
        strcat(path, "/");
    }
    if (strlen(name) > PATH_MAX) return 0;
    strcat(path, name);
    return is_below(path);
}

/* Whether this call is the one; errno is set then. */
static int is_due(char kind) {
    __atomic_add_fetch(&plan->counts[(int)kind], 1, __ATOMIC_SEQ_CST);
    if (!strchr(plan->calls, kind)) return 0;
    const char *what = plan->what;
    long number = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
    if (!plan->at || !(number == plan->at || (plan->ever && number > plan->at))) return 0;
    if (!strcmp(what, "kill")) { kill(getpid(), SIGKILL); for (;;) pause(); }
    errno = !strcmp(what, "short") ? ENOSPC : !strcmp(what, "lost") ? EIO : atoi(what);
    return 1;
}

/* -1 where a write fails, else how many bytes of it are to be written. */
static ssize_t allowed(int file, size_t size) {
    if (!under || inside || !file_is_below(file)) return size;
    if (half) { half = 0; errno = ENOSPC; return -1; }
    if (!is_due('w')) return size;
    if (!strcmp(plan->what, "short") && size > 1) { half = 1; return size / 2; }
    return -1;
}

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    ssize_t some = allowed(file, size);
    return some < 0 ? -1 : real(file, bytes, some);
}

#define PWRITE(name, type) \
    ssize_t name(int file, const void *bytes, size_t size, type offset) { \
        REAL(name); \
        ssize_t some = allowed(file, size); \
        return some < 0 ? -1 : real(file, bytes, some, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

static int flush_fails(int file, int is_whole_disk) {
    if (!under || inside || !file_is_below(file)) return 0;
    struct stat found;
    int is_known = !fstat(file, &found);
    int is_file = is_known && file < 65536 && S_ISREG(found.st_mode);
    int is_folder = is_known && !is_whole_disk && S_ISDIR(found.st_mode);
    if (!is_due(is_folder ? 'd' : 's')) {
        if (is_file) flushed[file] = found.st_size;
        return 0;
    }
    const char *what = plan->what;
    if (!strcmp(what, "lost") && is_file) {
        int access = fcntl(file, F_GETFL) & O_ACCMODE;
        static char zeros[65536];
        inside = 1;
        for (off_t place = flushed[file]; access != O_RDONLY && place < found.st_size;) {
            off_t rest = found.st_size - place;
            ssize_t done = pwrite(file, zeros, rest < 65536 ? rest : 65536, place);
            if (done <= 0) break;
            place += done;
        }
        inside = 0;
    }
    errno = strcmp(what, "lost") && strcmp(what, "short") ? atoi(what) : EIO;
    return 1;
}

#define FLUSH(name, is_whole_disk) \
    int name(int file) { \
        REAL(name); \
        return flush_fails(file, is_whole_disk) ? -1 : real(file); \
    }
FLUSH(fsync, 0)
FLUSH(fdatasync, 0)
FLUSH(syncfs, 1)

static int fails(int folder, const char *path, char kind) {
    return under && !inside && path_is_below(folder, path) && is_due(kind);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return fails(AT_FDCWD, to, 'r') ? -1 : real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat);
    return fails(to_folder, to, 'r') ? -1 : real(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    REAL(renameat2);
    return fails(to_folder, to, 'r') ? -1 : real(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path) {
    REAL(unlink);
    return fails(AT_FDCWD, path, 'u') ? -1 : real(path);
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    return fails(folder, path, 'u') ? -1 : real(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails(AT_FDCWD, path, 'c') ? -1 : real(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    return fails(folder, path, 'c') ? -1 : real(folder, path, mode);
}

/* What a file holds when it is opened counts as being on the disk. */
static void begin_file(int file) {
    struct stat found;
    if (under && file >= 0 && file < 65536) flushed[file] = fstat(file, &found) ? 0 : found.st_size;
}

#define CUT(name, type) \
    int name(int file, type size) { \
        REAL(name); \
        if (file >= 0 && file < 65536 && flushed[file] > size) flushed[file] = size; \
        return real(file, size); \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

#define MODE(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        MODE(flags) \
        int file = flags & O_CREAT && fails(AT_FDCWD, path, 'c') ? -1 : real(path, flags, mode); \
        begin_file(file); \
        return file; \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); \
        MODE(flags) \
        int file = flags & O_CREAT && fails(folder, path, 'c') ? -1 \
                                                               : real(folder, path, flags, mode); \
        begin_file(file); \
        return file; \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
