/* Starts and ends the child, and carries bytes. The two ends are a socket pair, so that a child that died is an error of one call
 * and no signal. */
#include "convert/child.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR_MAX = 4096, POLL_MS = 100, PIPE_BYTES = 1 << 20 };

int child_stop(struct child *c)
{
    int status = 0;
    file_close(&c->ask_fd);
    file_close(&c->answer_fd);
    if (c->pid == 0)
        return 0;
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
    return status;
}

/* The child is gone without a word: says why. */
static int explain_end(struct ctx *ctx, struct child *c)
{
    int status = child_stop(c);
    if (!WIFSIGNALED(status))
        return err_set(ctx, &ERR_IO, "mapferry-convert ended with status %d", WEXITSTATUS(status));
    int sig = WTERMSIG(status);
    if (sig == SIGXCPU)
        return err_set(ctx, &ERR_INVALID, "the file could not be %s: it took more than %lld seconds of processor time", c->doing,
                       (long long)c->cpu_seconds_max);
    if (sig == SIGABRT)
        return err_set(
            ctx, &ERR_INVALID,
            "the file could not be %s: mapferry-convert was aborted, most likely because it needed more than %lld MiB of memory",
            c->doing, (long long)(c->memory_max >> 20));
    return err_set(ctx, &ERR_INVALID, "the file could not be %s: mapferry-convert was ended by signal %d (%s)", c->doing, sig,
                   strsignal(sig));
}

static int wait_for(struct ctx *ctx, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n = poll(&p, 1, POLL_MS);
    if (n < 0 && errno != EINTR)
        return err_errno(ctx, errno, "waiting for mapferry-convert");
    return ctx_check(ctx);
}

static int receive_bytes(struct ctx *ctx, struct child *c, char *p, size_t n)
{
    while (n) {
        ssize_t got = read(c->answer_fd, p, n);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            TRY(wait_for(ctx, c->answer_fd, POLLIN));
        } else {
            return explain_end(ctx, c);
        }
    }
    return RC_OK;
}

int child_receive(struct ctx *ctx, struct child *c, uint8_t *kind_out)
{
    char head[PROTOCOL_HEAD];
    uint32_t n = 0;
    TRY(receive_bytes(ctx, c, head, sizeof head));
    protocol_head(head, &n, kind_out);
    buf_clear(&c->frame);
    char *p = n <= PROTOCOL_MAX ? buf_reserve(&c->frame, n) : NULL;
    if (!p)
        return err_set(ctx, &ERR_INVALID, "mapferry-convert sent a frame of %u bytes", n);
    TRY(receive_bytes(ctx, c, p, n));
    buf_commit(&c->frame, n);
    if (*kind_out != PROTOCOL_ERROR)
        return RC_OK;
    child_stop(c);
    return err_set(ctx, &ERR_INVALID, "the file could not be %s: %.*s", c->doing,
                   STR_FMT(str_sub(buf_str(&c->frame), 0, ERROR_MAX)));
}

/* The child takes no more: it has said why, or is gone. */
static int refused(struct ctx *ctx, struct child *c)
{
    uint8_t kind;
    int rc = child_receive(ctx, c, &kind);
    return rc != RC_OK ? rc : err_set(ctx, &ERR_INVALID, "mapferry-convert answered with a frame of kind %d", kind);
}

int child_send(struct ctx *ctx, struct child *c, str bytes)
{
    while (bytes.n) {
        ssize_t n = send(c->ask_fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            bytes = str_sub(bytes, (size_t)n, bytes.n);
        else if (errno == EAGAIN || errno == EINTR)
            TRY(wait_for(ctx, c->ask_fd, POLLOUT));
        else
            return refused(ctx, c);
    }
    return RC_OK;
}

int child_ask(struct ctx *ctx, struct child *c, struct buf *request, enum protocol_kind expected)
{
    uint8_t kind = 0;
    TRY(buf_check(request, ctx, "the question to mapferry-convert"));
    TRY(child_send(ctx, c, buf_str(request)));
    TRY(child_receive(ctx, c, &kind));
    return kind == expected ? RC_OK : err_set(ctx, &ERR_INVALID, "mapferry-convert answered with a frame of kind %d", kind);
}

/* What the child has open: its end of the socket, its end of the pipe, and nothing else. No signal is blocked or ignored in it.
 */
static int spawn_child(struct child *c, int question_fd, int answer_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, question_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, answer_fd, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    char *const argv[] = {c->program, NULL}, *const environment[] = {"LC_ALL=C.UTF-8", NULL};
    int error = posix_spawn(&c->pid, c->program, &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    c->pid = error ? 0 : c->pid;
    return error;
}

int child_start(struct ctx *ctx, struct child *c)
{
    int questions[2] = {-1, -1}, answers[2] = {-1, -1};
    int error = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, questions) != 0 || pipe2(answers, O_CLOEXEC) != 0 ||
        fcntl(answers[0], F_SETFL, O_NONBLOCK) != 0)
        error = errno;
    else
        error = spawn_child(c, questions[1], answers[1]);
    file_close(&questions[1]);
    file_close(&answers[1]);
    c->ask_fd = questions[0];
    c->answer_fd = answers[0];
    if (error) {
        child_stop(c);
        return err_errno(ctx, error, "starting %s", c->program);
    }
    fcntl(c->answer_fd, F_SETPIPE_SZ, PIPE_BYTES); /* less is slower, nothing more */
    return RC_OK;
}
