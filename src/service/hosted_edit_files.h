/* Attachments among the edits of a layer. Private to the hosted services. */
#ifndef MAPFERRY_SERVICE_HOSTED_EDIT_FILES_H
#define MAPFERRY_SERVICE_HOSTED_EDIT_FILES_H

#include "service/hosted_edit_commit.h"
#include "service/hosted_targets.h"

struct hosted_files {
    struct hosted_layer_edits *edits;
    const struct hosted_rows *rows;
    struct attachment *added, *updated, *deleted; /* rows, in the order of the edits; those with a failed result do not count */
    size_t first;                                 /* of their changes in the commit */
};
/* Makes the results, with what can be told before any row is looked at. */
int hosted_files_begin(struct ctx *ctx, struct site *s, struct hosted_layer_edits *e, const struct hosted_rows *r,
                       struct hosted_files *out);
/* While the edit runs: are parents and attachments there for the caller? */
int hosted_files_find(struct ctx *ctx, struct site *s, struct feature_edit *edit, const id *store, struct hosted_files *f);
/* Hands them to the commit of the edit; after it, results get the ids. */
void hosted_files_note(struct ctx *ctx, struct hosted_commit *c, struct hosted_files *f);
void hosted_files_settle(const struct hosted_commit *c, struct hosted_files *f);
/* Was one refused? */
bool hosted_files_failed(const struct hosted_layer_edits *e);

#endif
