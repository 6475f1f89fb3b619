/* A disk that fails, for one program: loaded before libc (LD_PRELOAD), this library makes the n-th
 * write or sync of chosen files fail, or tear and kill the process.
 *
 *   FAULT_PATH  only regular files whose path contains this text are counted and touched
 *   FAULT_FILE  the control file: "<operation> <n> <effect>", e.g. "fsync 5 EIO"; whatever follows
 *               is not read, but any change of the text starts the count anew. While there is no
 *               such file, nothing fails. When the rule first takes effect, its text is written to
 *               a file of the same name with ".fired" added.
 *
 * operation: fsync, fdatasync, pwrite, write, ftruncate; any-sync is fsync or fdatasync, any-write
 *            is pwrite or write (a library may be built to use either).
 * effect:    EIO, ENOSPC, EDQUOT, EROFS: every call from the n-th on fails with it and does nothing.
 *            TORN: the n-th call writes the first half of its bytes, then the process is killed.
 *            KILL: the process is killed before the n-th call does anything.
 *
 * The count is of each process. The work itself is done by bare system calls: nothing here can
 * call itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#if !defined(__linux__) || !defined(__LP64__)
#error "64-bit Linux only"
#endif

#define SYNC_CALLS 1
#define WRITE_CALLS 2
#define EFFECT_NONE 0
#define EFFECT_TORN (-1)
#define EFFECT_KILL (-2)

static char part[4096];         /* FAULT_PATH */
static char control[4096];      /* FAULT_FILE */
static char fired[4096 + 8];    /* FAULT_FILE.fired */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char text[256];          /* the control file as last read; under the lock, as all below */
static char operation[32];
static unsigned long long from, count;
static int effect = EFFECT_NONE;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULT_PATH"), *file = getenv("FAULT_FILE");
    if (path && *path && file && *file && strlen(path) < sizeof part && strlen(file) < sizeof control) {
        strcpy(control, file);
        snprintf(fired, sizeof fired, "%s.fired", file);
        strcpy(part, path);
    }
}

static void die(const char *why)
{
    syscall(SYS_write, 2, why, strlen(why));
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static int effect_of(const char *name)
{
    static const struct { const char *name; int effect; } known[] = {
        {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},
        {"TORN", EFFECT_TORN}, {"KILL", EFFECT_KILL},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name))
            return known[i].effect;
    die("fault.c: the control file names an effect that does not exist\n");
    return EFFECT_NONE;
}

static int watched(int fd)
{
    struct stat about;
    char link[64], path[4096];
    if (!*part || fstat(fd, &about) || !S_ISREG(about.st_mode))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

/* Reads the control file; a changed text is a new rule, with its count from the beginning. */
static void refresh(void)
{
    char now[sizeof text] = {0}, name[32] = {0};
    int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        syscall(SYS_read, fd, now, sizeof now - 1);
        syscall(SYS_close, fd);
    }
    if (!strcmp(now, text))
        return;
    strcpy(text, now);
    count = 0;
    effect = EFFECT_NONE;
    if (!*now)
        return;
    if (sscanf(now, "%31s %llu %31s", operation, &from, name) != 3)
        die("fault.c: the control file is not '<operation> <n> <effect>'\n");
    effect = effect_of(name);
}

/* A mark of an earlier rule says so by its text; once is enough for one rule. */
static void leave_mark(void)
{
    int mark;
    if (count != from)
        return;
    mark = (int)syscall(SYS_openat, AT_FDCWD, fired, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (mark < 0 || syscall(SYS_write, mark, text, strlen(text)) < 0)
        die("fault.c: the mark that a rule has struck cannot be made\n");
    syscall(SYS_close, mark);
}

static int applies(const char *call, int kind)
{
    return !strcmp(operation, call)
        || (kind == SYNC_CALLS && !strcmp(operation, "any-sync"))
        || (kind == WRITE_CALLS && !strcmp(operation, "any-write"));
}

/* What this call is to suffer. */
static int judge(int fd, const char *call, int kind)
{
    int before = errno, verdict = EFFECT_NONE;
    if (watched(fd)) {
        pthread_mutex_lock(&lock);
        refresh();
        if (effect != EFFECT_NONE && applies(call, kind) && ++count >= from) {
            verdict = effect;
            leave_mark();
        }
        pthread_mutex_unlock(&lock);
    }
    errno = before;
    return verdict;
}

#define SUFFER(judged, half) \
    do { \
        int verdict = (judged); \
        if (verdict == EFFECT_TORN) { half; } \
        if (verdict < 0) die(""); \
        if (verdict > 0) { errno = verdict; return -1; } \
    } while (0)

static ssize_t positioned(int fd, const void *bytes, size_t size, off_t at)
{
    SUFFER(judge(fd, "pwrite", WRITE_CALLS), syscall(SYS_pwrite64, fd, bytes, size / 2, at));
    return syscall(SYS_pwrite64, fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return positioned(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    return positioned(fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    SUFFER(judge(fd, "write", WRITE_CALLS), syscall(SYS_write, fd, bytes, size / 2));
    return syscall(SYS_write, fd, bytes, size);
}

int fsync(int fd)
{
    SUFFER(judge(fd, "fsync", SYNC_CALLS), );
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    SUFFER(judge(fd, "fdatasync", SYNC_CALLS), );
    return (int)syscall(SYS_fdatasync, fd);
}

static int truncated(int fd, off_t size)
{
    SUFFER(judge(fd, "ftruncate", 0), );
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
    return truncated(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return truncated(fd, size);
}
