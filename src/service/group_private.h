/* What the files of the use cases of groups share. Not for other rooms. */
#ifndef MAPFERRY_SERVICE_GROUP_PRIVATE_H
#define MAPFERRY_SERVICE_GROUP_PRIVATE_H

#include "service/user_private.h"

/* ---- group.c ---- */
/* Group and the caller's place in it. RC_NOT_FOUND with ERR_GROUP_MISSING, also when the caller may not see it. */
int group_facts(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, struct group *group_out,
                struct access_group *facts_out);
/* The group for an operation that `may` decides. */
typedef bool group_question(const struct caller *c, const struct access_group *g);
int group_allowed(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const id *group, group_question *may,
                  struct group *out);

/* ---- group_member.c ---- */
/* The user becomes a member of that type; requests between the two are done with. */
int group_member_put(struct ctx *ctx, struct sql_tx *tx, const struct group *g, str username, enum member_type type);

/* ---- group_request.c ---- */
/* The user asks to be let in; owner and managers are told. Asking again changes nothing. */
int group_request_apply(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct group *g);

/* ---- notice.c ---- */
/* A notification for that user about a group. subject and message "" none. */
struct notice {
    const char *type;
    const struct group *group; /* NULL: about nothing */
    str from, subject, message;
};
int notice_put(struct ctx *ctx, struct sql_tx *tx, str username, const struct notice *n);

#endif
