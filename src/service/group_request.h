/* Invitations of users to groups, and applications of users to them. An invitation is answered by the invited user, an
 * application by the group's owner and managers; either is gone then, and also when it has expired. */
#ifndef MAPFERRY_SERVICE_GROUP_REQUEST_H
#define MAPFERRY_SERVICE_GROUP_REQUEST_H

#include "model/access.h"
#include "service/site.h"
#include "store/meta_people.h"

struct invite_input {
    str users;       /* csv */
    str member_type; /* "group_member" (also ""), "group_admin" */
    int64_t minutes; /* 0: two weeks */
};
/* Owner and managers. failed_out: names that nobody has, or that are in the group. */
int group_invite(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct invite_input *in,
                 str **failed_out, size_t *failed_count_out);
/* An invitation or application with the names that go with it. */
struct request_view {
    struct group_request request;
    struct group group;
    struct user user, from; /* from: who invited */
};
int group_invitations(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct request_view **out,
                      size_t *count_out);
int group_invitation(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *request,
                     struct request_view *out);
/* By the invited user alone. ERR_INVITATION_MISSING. */
int group_invitation_answer(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *request, bool accept,
                            struct group_request *out);
/* Those who ask to be let in. */
int group_applications(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct request_view **out,
                       size_t *count_out);
int group_application_answer(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str username, bool accept,
                             struct group_request *out);

#endif
