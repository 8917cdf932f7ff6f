/* The table of commands, and the commands of this room. */
#ifndef MAPFERRY_APP_COMMANDS_H
#define MAPFERRY_APP_COMMANDS_H

#include "cli/command.h"

struct command {
    const char *name; /* one or two words: "whoami", "item add" */
    command_fn *run;
    const char *words, *summary;
    const struct option *options; /* ends with a NULL name */
};
extern const struct command command_table[];
extern const size_t command_count;

/* The command that argv begins with, and how many words its name took. ERR_USAGE naming what there is no command for, or which
 * words may follow. */
int command_find(struct ctx *ctx, int argc, char **argv, const struct command **out, int *taken_out);
/* "export, import": what may follow that first word; "" for a command of one word. */
str command_verbs(struct ctx *ctx, str first);
/* Options by the command's table and the number of words by its `words`; ERR_USAGE. */
int command_parse(struct ctx *ctx, const struct command *c, int argc, char **argv, struct options *out);
/* `mapferry help NAME` of one command, to stdout. */
void command_print(struct ctx *ctx, const struct command *c);
/* The exit codes of the contract with their meanings; ends with a NULL meaning. */
struct exit_meaning {
    int code;
    const char *meaning;
};
extern const struct exit_meaning command_exits[];

command_fn app_serve, app_help;

#endif
