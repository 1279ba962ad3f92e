/* A disk that fails now and then: while the file TORTURE_FAILING is there, one in TORTURE_ONE_IN
 * writes, truncations and syncs of a file in TORTURE_FOLDER comes back with EIO and does nothing.
 * Loaded by LD_PRELOAD; torture/storage.py says when.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILES 65536
static char ours[MOST_FILES]; /* by descriptor: whether it is a file of that folder */
static __thread uint64_t state;

#define REAL(name, type, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static uint64_t chance(void) { /* xorshift: G. Marsaglia, Xorshift RNGs (2003) */
    if (!state) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        state = (uint64_t)now.tv_nsec * 2654435761u + (uint64_t)(uintptr_t)&state + 1;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int fails(int fd) {
    if (fd < 0 || fd >= MOST_FILES || !ours[fd]) return 0;
    const char *flag = getenv("TORTURE_FAILING"), *one_in = getenv("TORTURE_ONE_IN");
    if (!flag || !one_in || access(flag, F_OK)) return 0;
    if (chance() % (uint64_t)atoi(one_in)) return 0;
    errno = EIO;
    return 1;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(#name, int, const char *, int, ...); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        int fd = real(path, flags, mode); \
        const char *folder = getenv("TORTURE_FOLDER"); \
        if (fd >= 0 && fd < MOST_FILES) ours[fd] = folder && !strncmp(path, folder, strlen(folder)); \
        return fd; \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *data, size_t length) {
    REAL("write", ssize_t, int, const void *, size_t);
    return fails(fd) ? -1 : real(fd, data, length);
}

#define PWRITE(name) \
    ssize_t name(int fd, const void *data, size_t length, off_t at) { \
        REAL(#name, ssize_t, int, const void *, size_t, off_t); \
        return fails(fd) ? -1 : real(fd, data, length, at); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name) \
    int name(int fd, off_t size) { \
        REAL(#name, int, int, off_t); \
        return fails(fd) ? -1 : real(fd, size); \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name) \
    int name(int fd) { \
        REAL(#name, int, int); \
        return fails(fd) ? -1 : real(fd); \
    }
SYNC(fsync)
SYNC(fdatasync)

int close(int fd) {
    REAL("close", int, int);
    if (fd >= 0 && fd < MOST_FILES) ours[fd] = 0;
    return real(fd);
}
