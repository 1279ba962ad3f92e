/* Records what a process asks of the files in one folder: every write, truncation, sync and unlink,
 * in the order in which the calls came back. Loaded by LD_PRELOAD; torture/power.py reads the record
 * and builds from it what a disk could hold after a power cut.
 *
 * TORTURE_FOLDER is the folder, TORTURE_RECORD the file to append to. A record is a `struct head`,
 * the path and the bytes written, appended by one write(), so several processes can share the file.
 * A sync has two records: what was written before the first is on the disk at the second.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct head {
    double at; /* seconds of the monotonic clock */
    int64_t offset;
    uint64_t token; /* the same in both records of a sync */
    uint32_t length;
    uint16_t path;
    char kind; /* w write, t truncate, b sync begins, s synced, u unlink */
    char none[1];
};

#define MOST_FILES 65536
static char *paths[MOST_FILES];
static uint64_t syncs;
static int record = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define REAL(name, type, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t append(const void *bytes, size_t length) {
    REAL("write", ssize_t, int, const void *, size_t);
    return real(record, bytes, length);
}

static void begin(void) {
    const char *name = getenv("TORTURE_RECORD");
    if (name) record = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void note(char kind, const char *path, int64_t offset, uint64_t token, const void *data,
                 size_t length) {
    pthread_once(&once, begin);
    if (record < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct head head = {now.tv_sec + now.tv_nsec / 1e9, offset, token, (uint32_t)length,
                        (uint16_t)strlen(path), kind, {0}};
    size_t size = sizeof head + head.path + length;
    char *whole = malloc(size);
    if (!whole) abort();
    memcpy(whole, &head, sizeof head);
    memcpy(whole + sizeof head, path, head.path);
    if (length) memcpy(whole + sizeof head + head.path, data, length);
    if (append(whole, size) != (ssize_t)size) abort(); /* half a record would be a lie */
    free(whole);
}

static const char *named(int fd) {
    return fd >= 0 && fd < MOST_FILES ? paths[fd] : NULL;
}

static int opened(int fd, const char *path) {
    const char *folder = getenv("TORTURE_FOLDER");
    if (fd >= 0 && fd < MOST_FILES && folder && !strncmp(path, folder, strlen(folder)))
        paths[fd] = strdup(path);
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(#name, int, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return opened(real(path, flags, mode), path); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    REAL("close", int, int);
    if (named(fd)) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return real(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL("write", ssize_t, int, const void *, size_t);
    if (!named(fd)) return real(fd, data, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = real(fd, data, length);
    if (done > 0) note('w', paths[fd], at, 0, data, done);
    return done;
}

#define PWRITE(name) \
    ssize_t name(int fd, const void *data, size_t length, off_t at) { \
        REAL(#name, ssize_t, int, const void *, size_t, off_t); \
        ssize_t done = real(fd, data, length, at); \
        if (done > 0 && named(fd)) note('w', paths[fd], at, 0, data, done); \
        return done; \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name) \
    int name(int fd, off_t size) { \
        REAL(#name, int, int, off_t); \
        int wrong = real(fd, size); \
        if (!wrong && named(fd)) note('t', paths[fd], size, 0, NULL, 0); \
        return wrong; \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name) \
    int name(int fd) { \
        REAL(#name, int, int); \
        if (!named(fd)) return real(fd); \
        uint64_t token = ((uint64_t)getpid() << 32) | __sync_add_and_fetch(&syncs, 1); \
        note('b', paths[fd], 0, token, NULL, 0); \
        int wrong = real(fd); \
        if (!wrong) note('s', paths[fd], 0, token, NULL, 0); \
        return wrong; \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL("unlink", int, const char *);
    const char *folder = getenv("TORTURE_FOLDER");
    int wrong = real(path);
    if (!wrong && folder && !strncmp(path, folder, strlen(folder))) note('u', path, 0, 0, NULL, 0);
    return wrong;
}
