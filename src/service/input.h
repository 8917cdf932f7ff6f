/* What a request says about one member of a thing, checked and put into its place. STR_NONE is not given and changes nothing; all
 * errors are ERR_PARAMETER and name the parameter. */
#ifndef MAPFERRY_SERVICE_INPUT_H
#define MAPFERRY_SERVICE_INPUT_H

#include "base/ctx.h"

/* Given and not empty, or given empty with clear. */
int input_text(struct ctx *ctx, const char *name, str given, size_t max_chars, bool clear, str *to);
/* "true" or "false"; empty is not given. */
int input_bool(struct ctx *ctx, const char *name, str given, bool *to);
/* words: NULL-terminated; the spelling of the list is what is stored. */
int input_word(struct ctx *ctx, const char *name, str given, const char *const *words, str *to);
/* A JSON object as text. */
int input_object(struct ctx *ctx, const char *name, str given, size_t max_chars, bool clear, str *to);

#endif
