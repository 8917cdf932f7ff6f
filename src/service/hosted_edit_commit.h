/* The end of an edit that changes attachments too: features and attachments in one step. Private to the hosted services. */
#ifndef MAPFERRY_SERVICE_HOSTED_EDIT_COMMIT_H
#define MAPFERRY_SERVICE_HOSTED_EDIT_COMMIT_H

#include "service/hosted_cascade.h"

struct hosted_file_change {
    enum feature_change_kind kind;
    struct attachment attachment; /* of an added one id 0: filled in by the commit */
    struct hosted_bytes bytes;    /* synced; none: those that the attachment has */
};
struct hosted_commit {
    struct site *site;
    const struct hosted_service *service;
    struct feature_edit *edit;
    struct hosted_file_change *changes; /* in the order in which they happen */
    size_t count, capacity;
};
/* The place of the change among the others. */
size_t hosted_commit_note(struct ctx *ctx, struct hosted_commit *c, const struct hosted_file_change *change);
/* The attachments of features that the edit deleted go too; oid -1: of all features of the layer. */
int hosted_commit_note_gone(struct ctx *ctx, struct hosted_commit *c, const struct hosted_gone *features, size_t count);
/* Commits the edit with the changes: all of them, or nothing. */
int hosted_commit_edit(struct ctx *ctx, struct hosted_commit *c, int64_t *moment_out);
/* At the start: what a crash left between an edit and its attachments comes into force, or is forgotten. */
int hosted_commit_leftovers(struct ctx *ctx, struct site *s);

#endif
