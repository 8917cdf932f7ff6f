/* The table of commands, made from commands.def; which of them a command line means, and what `mapferry help` says. */
#include "app/commands.h"
#include "app/pages.h"
#include "base/buf.h"
#include <stdio.h>

/* ---- the table ---- */

/* Rows of config.def are the options of `serve`: kind and name of the value. */
#define SETTING_TEXT OPTION_TEXT, "TEXT"
#define SETTING_INT OPTION_TEXT, "NUMBER"
#define SETTING_BYTES OPTION_TEXT, "BYTES"
#define SETTING_BOOL OPTION_FLAG, ""

#define COMMAND(name, run, words, summary) static const struct option options_of_##run[] = {
#define OPTION(name, kind, value, meaning) {name, OPTION_##kind, value, meaning, NULL},
#define CONFIG(member, name, kind, otherwise, meaning) {name, SETTING_##kind, meaning, otherwise},
#define COMMAND_END                                                                                                              \
    {                                                                                                                            \
        NULL                                                                                                                     \
    }                                                                                                                            \
    }                                                                                                                            \
    ;
#include "app/commands.def"
#undef COMMAND
#undef OPTION
#undef CONFIG
#undef COMMAND_END

const struct command command_table[] = {
#define COMMAND(name, run, words, summary) {name, run, words, summary, options_of_##run},
#define OPTION(name, kind, value, meaning)
#define CONFIG(member, name, kind, otherwise, meaning)
#define COMMAND_END
#include "app/commands.def"
#undef COMMAND
#undef OPTION
#undef CONFIG
#undef COMMAND_END
};
const size_t command_count = COUNT_OF(command_table);

const struct exit_meaning command_exits[] = {{EXIT_DONE, "done"},
                                             {EXIT_FAILED, "failed"},
                                             {EXIT_USAGE, "the command line is not understood"},
                                             {EXIT_SKIPPED, "done, with items skipped or failed, which are listed"},
                                             {EXIT_PERMISSION, "sign-in or permission"},
                                             {EXIT_DIFFERENT, "verification found a difference"},
                                             {EXIT_PLAN, "the plan no longer fits either side"},
                                             {EXIT_INTERRUPTED, "interrupted"},
                                             {0, NULL}};

/* ---- which command ---- */

static str first_word(const struct command *c)
{
    str name = str_c(c->name);
    return str_sub(name, 0, str_find_char(name, ' ', 0));
}

str command_verbs(struct ctx *ctx, str first)
{
    str list = STR("");
    for (size_t i = 0; i < command_count; i++) {
        str name = str_c(command_table[i].name);
        if (str_eq(first_word(&command_table[i]), first) && name.n > first.n)
            list = arena_printf(ctx->arena, "%.*s%s%.*s", STR_FMT(list), list.n ? ", " : "",
                                STR_FMT(str_sub(name, first.n + 1, name.n)));
    }
    return list;
}

int command_find(struct ctx *ctx, int argc, char **argv, const struct command **out, int *taken_out)
{
    str first = argc > 0 ? str_c(argv[0]) : STR("help"), second = argc > 1 ? str_c(argv[1]) : STR("");
    str both = arena_printf(ctx->arena, "%.*s %.*s", STR_FMT(first), STR_FMT(second));
    for (size_t i = 0; i < command_count; i++) {
        str name = str_c(command_table[i].name);
        if (!str_eq(name, first) && !str_eq(name, both))
            continue;
        *out = &command_table[i];
        *taken_out = str_eq(name, both) ? 2 : argc > 0 ? 1 : 0;
        return RC_OK;
    }
    str verbs = command_verbs(ctx, first);
    if (str_empty(verbs))
        return err_set(ctx, &ERR_USAGE, "There is no command '%.*s'; see `mapferry help`.", STR_FMT(first));
    if (str_empty(second))
        return err_set(ctx, &ERR_USAGE, "'%.*s' wants one of: %.*s.", STR_FMT(first), STR_FMT(verbs));
    return err_set(ctx, &ERR_USAGE, "There is no command '%.*s'; '%.*s' wants one of: %.*s.", STR_FMT(both), STR_FMT(first),
                   STR_FMT(verbs));
}

/* ---- its words ---- */

int command_parse(struct ctx *ctx, const struct command *c, int argc, char **argv, struct options *out)
{
    if (c->run == app_serve) { /* its options are also in the environment and in a file: app/config.c */
        *out = (struct options){.argc = argc, .argv = argv};
        return RC_OK;
    }
    TRY(options_parse(ctx, c->options, argc, argv, out));
    size_t least = 0, most = 0;
    str words = str_c(c->words), word;
    while (str_split(&words, ' ', &word)) {
        least += word.p[0] != '[';
        most = str_ends(word, STR("...")) ? SIZE_MAX : most + 1;
    }
    if (out->word_count >= least && out->word_count <= most)
        return RC_OK;
    return err_set(ctx, &ERR_USAGE, "usage: mapferry %s%s%s%s", c->name, c->words[0] ? " " : "", c->words,
                   c->options[0].name ? " [OPTION]..." : "");
}

/* ---- help ---- */

static void print_option(struct ctx *ctx, const struct option *o)
{
    str name = arena_printf(ctx->arena, "%s%s%s%s", strlen(o->name) == 1 ? "-" : "--", o->name, o->value[0] ? " " : "", o->value);
    bool otherwise = o->otherwise && o->otherwise[0];
    printf("  %-28.*s %s%s%s%s\n", STR_FMT(name), o->meaning, otherwise ? " (" : "", otherwise ? o->otherwise : "",
           otherwise ? ")" : "");
}

void command_print(struct ctx *ctx, const struct command *c)
{
    bool serve = c->run == app_serve;
    printf("usage: mapferry %s%s%s [OPTION]...\n\n%s\n\n%s\n", c->name, c->words[0] ? " " : "", c->words, c->summary,
           serve ? "Options; each is also MAPFERRY_<NAME> in the environment and a key in the file of --config:" : "Options:");
    for (const struct option *o = c->options; o->name; o++)
        print_option(ctx, o);
    if (!serve)
        print_option(ctx, &option_json);
}

static void print_all(void)
{
    printf("mapferry: a content portal, and a mover that carries content between portals and packages.\n\n");
    for (size_t i = 0; i < command_count; i++)
        printf("  %-16s %s\n", command_table[i].name, command_table[i].summary);
    printf("\n`mapferry help COMMAND` tells words and options. PORTAL is a URL, or a name given by `portal add`; for a URL, "
           "user and password\nor a token come from MAPFERRY_USER, MAPFERRY_PASSWORD, MAPFERRY_TOKEN.\n\nExit status:\n");
    for (const struct exit_meaning *e = command_exits; e->meaning; e++)
        printf("  %-3d %s\n", e->code, e->meaning);
}

/* The commands whose names begin with these words. */
static int print_matching(struct ctx *ctx, const struct options *o)
{
    const struct command *c;
    int taken;
    size_t found = 0;
    char *words[2] = {NULL, NULL};
    for (size_t i = 0; i < o->word_count && i < COUNT_OF(words); i++)
        words[i] = arena_cstr(ctx->arena, o->words[i]);
    if (o->word_count == 1)
        for (size_t i = 0; i < command_count; i++)
            if (str_eq(first_word(&command_table[i]), o->words[0])) {
                printf("%s", found++ ? "\n" : "");
                command_print(ctx, &command_table[i]);
            }
    if (found)
        return RC_OK;
    TRY(command_find(ctx, (int)o->word_count, words, &c, &taken));
    command_print(ctx, c);
    return RC_OK;
}

int app_help(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    str shell = options_get(o, "completion");
    if (options_flag(o, "man"))
        return pages_man(ctx, stdout);
    if (!str_none(shell))
        return pages_completion(ctx, shell, stdout);
    if (o->word_count)
        return print_matching(ctx, o);
    print_all();
    return RC_OK;
}
