/* The program: finds the command, runs it, tells an error once, and turns the outcome into the exit code of the contract. */
#include "app/commands.h"
#include "base/fault.h"
#include "base/log.h"
#include "cli/output.h"
#include "model/errors.h"
#include <signal.h>
#include <stdio.h>

static atomic_bool interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    atomic_store(&interrupted, true);
}

/* The first signal lets the command end in order, the second ends the process. `serve` waits for its signals itself. */
static void catch_interrupts(struct ctx *ctx)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    ctx->cancel = &interrupted;
}

static int exit_code_of(const struct ctx *ctx, int rc)
{
    static const struct err_kind *const permission[] = {&ERR_TOKEN_GENERATE, &ERR_TOKEN_INVALID, &ERR_TOKEN_REQUIRED,
                                                        &ERR_FORBIDDEN};
    if (rc == RC_CANCELED)
        return EXIT_INTERRUPTED;
    for (size_t i = 0; i < COUNT_OF(permission); i++)
        if (err_is(ctx, permission[i]))
            return EXIT_PERMISSION;
    return err_is(ctx, &ERR_USAGE) ? EXIT_USAGE : EXIT_FAILED;
}

static void print_error(struct ctx *ctx, const char *command)
{
    if (err_is(ctx, &ERR_CANCELED)) {
        fprintf(stderr, "mapferry %s: interrupted\n", command);
        return;
    }
    fprintf(stderr, "mapferry%s%s: %.*s\n", command[0] ? " " : "", command, STR_FMT(output_plain(ctx, str_c(err_text(ctx)))));
    for (unsigned i = 1; i < ctx->err.detail_count; i++)
        fprintf(stderr, "  %.*s\n", STR_FMT(output_plain(ctx, str_c(ctx->err.details[i]))));
}

/* Before the words are understood: is this word among them? */
static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static int run(struct ctx *ctx, int argc, char **argv, const struct command **command, int *exit_out)
{
    int taken;
    struct options options;
    TRY(command_find(ctx, argc, argv, command, &taken));
    argc -= taken;
    argv += taken;
    if (has_word(argc, argv, "--help")) {
        command_print(ctx, *command);
        return RC_OK;
    }
    TRY(command_parse(ctx, *command, argc, argv, &options));
    if ((*command)->run != app_serve)
        catch_interrupts(ctx);
    return (*command)->run(ctx, &options, exit_out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--version") == 0) {
        printf("mapferry " MAPFERRY_VERSION "\n");
        return EXIT_DONE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        argc = 1;
    signal(SIGPIPE, SIG_IGN);
    fault_init();
    struct ctx ctx;
    ctx_open(&ctx);
    int code = EXIT_DONE;
    const struct command *command = NULL;
    int rc = run(&ctx, argc - 1, argv + 1, &command, &code);
    if (rc != RC_OK) {
        code = exit_code_of(&ctx, rc);
        print_error(&ctx, command ? command->name : "");
        if (has_word(argc - 1, argv + 1, "--json"))
            output_error(&ctx, code);
    }
    ctx_close(&ctx);
    return code;
}
