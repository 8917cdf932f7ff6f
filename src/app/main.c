/* The program: finds the command, runs it, tells an error once, and turns the outcome into the exit code of the contract. */
#include "app/commands.h"
#include "app/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "model/errors.h"
#include <signal.h>
#include <stdio.h>

struct command {
    const char *name;
    command_fn *run;
    const char *arguments, *summary;
};
static const struct command commands[] = {
#define COMMAND(name, run, arguments, summary) {name, run, arguments, summary},
#include "app/commands.def"
#undef COMMAND
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_command(const struct command *c)
{
    printf("usage: mapferry %s %s\n\n%s\n", c->name, c->arguments, c->summary);
    if (c->run != app_serve)
        return;
    printf("\nOptions; each is also MAPFERRY_<NAME> in the environment and a key in the file of --config:\n");
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        printf("  --%-24s %s%s%s%s\n", config_rows[i].name, config_rows[i].meaning, config_rows[i].otherwise[0] ? " (" : "",
               config_rows[i].otherwise, config_rows[i].otherwise[0] ? ")" : "");
}

int app_help(struct ctx *ctx, int argc, char **argv, int *exit_out)
{
    (void)exit_out;
    if (argc > 0) {
        const struct command *c = command_find(argv[0]);
        if (!c)
            return err_set(ctx, &ERR_USAGE, "There is no command '%s'.", argv[0]);
        print_command(c);
        return RC_OK;
    }
    printf("mapferry: a content portal, and a mover that carries content between portals and packages.\n\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\n`mapferry help COMMAND` tells the arguments. Exit codes: 0 done, 1 failed, 2 usage, 3 done with items skipped or "
           "failed,\n"
           "4 sign-in or permission, 5 verification found a difference, 6 the plan no longer fits, 130 interrupted.\n");
    return RC_OK;
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

static void print_error(const struct ctx *ctx, const char *command)
{
    fprintf(stderr, "mapferry %s: %s\n", command, err_text(ctx));
    for (unsigned i = 1; i < ctx->err.detail_count; i++)
        fprintf(stderr, "  %s\n", ctx->err.details[i]);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0) {
        printf("mapferry " MAPFERRY_VERSION "\n");
        return EXIT_DONE;
    }
    const struct command *c = command_find(name);
    if (!c) {
        fprintf(stderr, "mapferry: there is no command '%s'; see `mapferry help`.\n", name);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    fault_init();
    if (argc > 2 && (strcmp(argv[2], "--help") == 0)) {
        print_command(c);
        return EXIT_DONE;
    }
    struct ctx ctx;
    ctx_open(&ctx);
    int code = EXIT_DONE;
    int rc = c->run(&ctx, argc > 2 ? argc - 2 : 0, argv + 2, &code);
    if (rc != RC_OK) {
        print_error(&ctx, name);
        code = exit_code_of(&ctx, rc);
    }
    ctx_close(&ctx);
    return code;
}
