/* Loaded in front of the MicroPython unix port (LD_PRELOAD): makes chosen allocations fail, and forks the whole
 * simulated world, so that many futures start from the very same instant.
 *
 * The program asks through os.getenv, which takes a text, gives a text or None, and allocates nothing for None:
 *   proof:arm K N   count from now; the K-th allocation and the N-1 after it fail (N 0: until disarmed)
 *   proof:disarm    nothing fails any more
 *   proof:hold, proof:release   what is allocated in between is neither counted nor failed (the simulated world's own)
 *   proof:count, proof:failed   allocations since arm; how many of them failed
 *   proof:fork      "0" in the child, the child's process id in the parent, None when it failed
 *   proof:reap      wait for one child: "pid status" (status: exit code, or -signal), None when there is none
 *   proof:exit N    end this process now, nothing flushed
 *
 * The port is a shared object opened by a Python, so RTLD_NEXT does not see its gc_alloc: it is looked up by handle.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static long counted, first, last, failures;
static int armed, held;
static char answer[64];

static int find_port(struct dl_phdr_info *info, size_t size, void *result) {
    (void)size;
    if (strstr(info->dlpi_name, "micropython_module") == NULL) {
        return 0;
    }
    void *handle = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    *(void **)result = handle ? dlsym(handle, "gc_alloc") : NULL;
    return 1;
}

void *gc_alloc(size_t bytes, unsigned int flags) {
    static void *(*original)(size_t, unsigned int);
    if (original == NULL) {
        void *found = NULL;
        dl_iterate_phdr(find_port, &found);
        if (found == NULL || found == (void *)gc_alloc) {
            static const char text[] = "failalloc: the port's gc_alloc was not found\n";
            (void)!write(2, text, sizeof text - 1);
            _exit(97);
        }
        original = (void *(*)(size_t, unsigned int))found;
    }
    if (armed && held == 0) {
        counted++;
        if (counted >= first && (last == 0 || counted <= last)) {
            failures++;
            return NULL;
        }
    }
    return original(bytes, flags);
}

static char *number(long value) {
    snprintf(answer, sizeof answer, "%ld", value);
    return answer;
}

static char *arm(const char *text) {
    long count = 0;
    sscanf(text, "%ld %ld", &first, &count);
    last = count ? first + count - 1 : 0;
    counted = failures = 0;
    armed = 1;
    return NULL;
}

static char *reap(void) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    if (pid <= 0) {
        return NULL;
    }
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    snprintf(answer, sizeof answer, "%ld %d", (long)pid, code);
    return answer;
}

/* After a fork both would move the same file position: give the child files of its own. */
static void own_files(void) {
    for (int fd = 3; fd < 64; fd++) {
        struct stat about;
        char path[32];
        if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
            continue;
        }
        off_t at = lseek(fd, 0, SEEK_CUR);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND));
        if (own < 0) {
            _exit(96);
        }
        dup2(own, fd);
        close(own);
        lseek(fd, at, SEEK_SET);
    }
}

static char *fork_world(void) {
    pid_t pid = fork();
    if (pid < 0) {
        return NULL;
    }
    if (pid == 0) {
        own_files();
    }
    return number((long)pid);
}

static char *command(const char *name) {
    if (!strcmp(name, "hold")) {
        held++;
    } else if (!strcmp(name, "release")) {
        held--;
    } else if (!strncmp(name, "arm ", 4)) {
        return arm(name + 4);
    } else if (!strcmp(name, "disarm")) {
        armed = 0;
    } else if (!strcmp(name, "count")) {
        return number(counted);
    } else if (!strcmp(name, "failed")) {
        return number(failures);
    } else if (!strcmp(name, "fork")) {
        return fork_world();
    } else if (!strcmp(name, "reap")) {
        return reap();
    } else if (!strncmp(name, "exit ", 5)) {
        _exit(atoi(name + 5));
    }
    return NULL;
}

char *getenv(const char *name) {
    static char *(*original)(const char *);
    if (!strncmp(name, "proof:", 6)) {
        return command(name + 6);
    }
    if (original == NULL) {
        original = (char *(*)(const char *))dlsym(RTLD_NEXT, "getenv");
    }
    return original(name);
}
