/* Notifications: what users are told. Kept in the portal, the newest thousand for each user; nothing is sent elsewhere. */
#ifndef MAPFERRY_SERVICE_NOTICE_H
#define MAPFERRY_SERVICE_NOTICE_H

#include "model/access.h"
#include "service/site.h"

struct notification;
/* For the user and those who see his details. */
int notice_list(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct notification **out,
                size_t *count_out);
int notice_delete(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *notification);

struct notice_input {
    str subject, message;
    str users;   /* csv */
    bool all;    /* of a group: all its members */
    str channel; /* "builtin"; others are refused */
};
/* failed_out: names of `users` that nobody (of the group) has. */
int notice_to_group(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct notice_input *in,
                    str **failed_out, size_t *failed_count_out);
int notice_to_users(struct ctx *ctx, struct site *s, const struct caller *c, const struct notice_input *in, str **failed_out,
                    size_t *failed_count_out);

#endif
