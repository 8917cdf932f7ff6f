/* What commands read beside their words: texts from files or standard input, passwords from files or the terminal. */
#ifndef MAPFERRY_CLI_INPUT_H
#define MAPFERRY_CLI_INPUT_H

#include "base/ctx.h"

/* ERR_USAGE unless there is such a file, and it is no folder. */
int input_check(struct ctx *ctx, str file);
/* A whole file, "-" standard input, at most max bytes (ERR_LIMIT). */
int input_read(struct ctx *ctx, str file, size_t max, str *out);
/* The first line of that file ("-" standard input); without one (STR_NONE) asked for twice on the terminal, unseen, and ERR_USAGE
 * when there is none. */
int input_password(struct ctx *ctx, str file, str *out);

#endif
