/* The item that a job leaves: its file's name, and adding it where the name is taken. */
#ifndef MAPFERRY_JOBS_RESULT_ITEM_H
#define MAPFERRY_JOBS_RESULT_ITEM_H

#include "service/item.h"

/* A title as it may stand in a file name; leaves room for a time, a number and an extension. */
str result_item_name(struct ctx *ctx, str title);

struct result_item {
    const struct caller *caller;
    str owner; /* whose content */
    const id *folder;
    str stem; /* of the file's name; where the name is taken, a number follows it */
    const char *extension;
};
/* in: all but the file's name. */
int result_item_add(struct ctx *ctx, struct site *s, const struct result_item *r, struct item_input *in, id *item_out);

#endif
