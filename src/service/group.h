/* Groups and their members: the use cases. Errors as api.md 3.4. */
#ifndef MAPFERRY_SERVICE_GROUP_H
#define MAPFERRY_SERVICE_GROUP_H

#include "model/access.h"
#include "service/site.h"

struct group_input { /* STR_NONE: not given */
    str title, tags, description, snippet, phone, access, sort_field, sort_order, membership_access, display_settings,
        capabilities;
    str is_view_only, is_invitation_only, auto_join, is_read_only, hidden_members, leaving_disallowed; /* "true"/"false" */
    bool clear_empty;
    struct blob_new *thumbnail; /* an image of 1 MB at most; NULL none */
    str thumbnail_name;
};
int group_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_input *in, struct group *out);
int group_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out,
              enum member_type *member_out);
int group_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct group_input *in);
int group_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_protect(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, bool protect);
/* users, admins: csv of names. not_out: names that were not added (unknown user). */
int group_add_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str admins,
                    str **not_out, size_t *not_count_out);
int group_remove_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str **not_out,
                       size_t *not_count_out);
/* Members become managers, managers members. not_out: names that are no members. */
int group_update_users(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str users, str admins,
                       str **not_out, size_t *not_count_out);
/* A member where the group is open, else one who asks to be let in. */
int group_join(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_leave(struct ctx *ctx, struct site *s, const struct caller *c, const id *group);
int group_members(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct member **out,
                  size_t *count_out);
struct member_filter {
    str name, type;                 /* part of a name; "member", "admin"; "" any */
    int64_t joined_from, joined_to; /* 0: open */
    str sort_field;                 /* "memberType" (also ""), "username", "fullName", "joined" */
    bool descending;
};
/* All but the owner, who is told beside. */
int group_member_list(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct member_filter *f,
                      struct member **out, size_t *count_out, struct member *owner_out);
/* Another owner; the one before becomes a manager. ERR_GROUP_CHANGE with the reason. */
int group_reassign(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str target_username);
/* Its thumbnail. ERR_USER_FILE_MISSING. */
struct portal_file;
int group_file(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str name, struct portal_file *out);
/* The categories that its items are sorted by, a JSON array of {"title","categories"}; "" removes them. */
int group_set_categories(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str schema);
int group_categories(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str *schema_out);
/* May this caller export from and import into it? ERR_FORBIDDEN otherwise, ERR_GROUP_MISSING. */
int group_move_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct group *out);
struct group_search_input {
    str q;
    const str *groups; /* NULL or one of these */
    size_t group_count;
    struct meta_search_page page;
};
/* ERR_INVALID, ERR_PARAMETER (sort field, window). */
int group_search(struct ctx *ctx, struct site *s, const struct caller *c, const struct group_search_input *in,
                 struct meta_groups *out);

#endif
