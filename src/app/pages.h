/* What the table of commands becomes beside its help: the man page, and the completions of shells. */
#ifndef MAPFERRY_APP_PAGES_H
#define MAPFERRY_APP_PAGES_H

#include "base/ctx.h"
#include <stdio.h>

/* roff of mapferry(1). */
int pages_man(struct ctx *ctx, FILE *to);
/* A script for "bash", "zsh" or "fish"; ERR_USAGE for another shell. */
int pages_completion(struct ctx *ctx, str shell, FILE *to);

#endif
