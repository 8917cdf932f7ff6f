/* A command of the program: a row of the table (app/commands.def), options as data, one way to tell what happened. */
#ifndef MAPFERRY_CLI_COMMAND_H
#define MAPFERRY_CLI_COMMAND_H

#include "base/ctx.h"

/* Exit codes of the contract. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_SKIPPED = 3,
    EXIT_PERMISSION = 4,
    EXIT_DIFFERENT = 5,
    EXIT_PLAN = 6,
    EXIT_INTERRUPTED = 130
};

/* An option: given as --name VALUE or --name=VALUE; a flag takes no value; a list may be given several times. */
enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_LIST };
struct option {
    const char *name; /* without dashes; "o" is -o */
    enum option_kind kind;
    const char *value; /* what its value is called: "FILE"; "" for a flag */
    const char *meaning;
    const char *otherwise; /* the value when it is not given, to be shown; NULL none */
};
extern const struct option option_json; /* --json, known to every command */
struct options_value {
    str *values;
    size_t count;
};
/* The words of a command line: positional words, and a value for each row of the option table. */
struct options {
    const struct option *rows;
    size_t row_count;
    struct options_value *values;
    str *words;
    size_t word_count;
    bool json;
    int argc; /* as they were given, for a command that reads them itself */
    char **argv;
};
/* argv: what stands behind the command's name. ERR_INVALID (usage) names what is not understood. rows end with a NULL name. */
int options_parse(struct ctx *ctx, const struct option *rows, int argc, char **argv, struct options *out);
str options_get(const struct options *o, const char *name); /* STR_NONE when not given */
bool options_flag(const struct options *o, const char *name);
const struct options_value *options_list(const struct options *o, const char *name);

/* Runs a command whose words have been counted; *exit_out is set for endings that are not errors (EXIT_SKIPPED, EXIT_DIFFERENT).
 */
typedef int command_fn(struct ctx *ctx, const struct options *o, int *exit_out);

/* A command line that is not understood: exit code 2. */
extern const struct err_kind ERR_USAGE;

/* The commands of this room. */
command_fn cli_portal_add, cli_portal_list, cli_portal_remove, cli_whoami, cli_group_export, cli_group_import, cli_inspect,
    cli_check, cli_publish, cli_search, cli_item_add, cli_item_get, cli_item_update, cli_item_delete, cli_item_share,
    cli_item_export, cli_user_add, cli_user_password;

#endif
