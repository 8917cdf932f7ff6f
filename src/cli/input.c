/* See input.h. */
#include "cli/input.h"
#include "base/file.h"
#include "base/stream.h"
#include "cli/command.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MAX = 4096 };

struct descriptor {
    struct reader base;
    int fd;
};

/* For what cannot be read at an offset: pipes and terminals. */
static int descriptor_read(struct ctx *ctx, struct reader *r, void *p, size_t n, size_t *got)
{
    for (;;) {
        ssize_t some = read(((struct descriptor *)r)->fd, p, n);
        if (some >= 0) {
            *got = (size_t)some;
            return RC_OK;
        }
        if (errno != EINTR)
            return err_errno(ctx, errno, "standard input");
        TRY(ctx_check(ctx));
    }
}

int input_read(struct ctx *ctx, str file, size_t max, str *out)
{
    if (!str_eq(file, STR("-")))
        return file_read_all(ctx, arena_cstr(ctx->arena, file), max, out);
    struct descriptor d = {.base = {.read = descriptor_read}, .fd = STDIN_FILENO};
    return reader_read_all(ctx, &d.base, max, "standard input", out);
}

int input_check(struct ctx *ctx, str file)
{
    struct stat st;
    if (stat(arena_cstr(ctx->arena, file), &st) != 0)
        return err_set(ctx, &ERR_USAGE,
                       errno == ENOENT || errno == ENOTDIR ? "There is no file '%.*s'." : "The file '%.*s' cannot be reached.",
                       STR_FMT(file));
    if (S_ISDIR(st.st_mode))
        return err_set(ctx, &ERR_USAGE, "'%.*s' is a folder, not a file.", STR_FMT(file));
    return RC_OK;
}

static str first_line(str text)
{
    size_t end = str_find_char(text, '\n', 0);
    text = str_sub(text, 0, end);
    return str_ends(text, STR("\r")) ? str_sub(text, 0, text.n - 1) : text;
}

/* One line from the terminal without showing it. */
static int ask(struct ctx *ctx, int terminal, const char *prompt, str *out)
{
    struct termios before, hidden;
    if (tcgetattr(terminal, &before) != 0)
        return err_errno(ctx, errno, "the terminal");
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    /* Hidden before it is asked for: an answer that comes at once is neither shown nor thrown away. */
    if (tcsetattr(terminal, TCSAFLUSH, &hidden) != 0)
        return err_errno(ctx, errno, "the terminal");
    char line[PASSWORD_MAX];
    ssize_t n = write(terminal, prompt, strlen(prompt));
    if (n >= 0)
        n = read(terminal, line, sizeof line);
    int cause = n < 0 ? errno : 0;
    tcsetattr(terminal, TCSANOW, &before);
    if (write(terminal, "\n", 1) < 0)
        cause = errno;
    TRY(ctx_check(ctx)); /* the read ended with an interrupt */
    if (cause)
        return err_errno(ctx, cause, "the terminal");
    *out = arena_str(ctx->arena, first_line(str_of(line, n > 0 ? (size_t)n : 0)));
    return RC_OK;
}

int input_password(struct ctx *ctx, str file, str *out)
{
    if (!str_none(file)) {
        TRY(input_read(ctx, file, PASSWORD_MAX, out));
        *out = first_line(*out);
        return RC_OK;
    }
    CLEANUP(file_close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return err_set(ctx, &ERR_USAGE, "There is no terminal to ask for the password: give it with --password-file.");
    str again;
    TRY(ask(ctx, terminal, "New password: ", out));
    TRY(ask(ctx, terminal, "Once more: ", &again));
    return str_eq(*out, again) ? RC_OK : err_set(ctx, &ERR_USAGE, "The two passwords differ; nothing was changed.");
}
