/* Users and tokens: the use cases. */
#ifndef MAPFERRY_SERVICE_USER_H
#define MAPFERRY_SERVICE_USER_H

#include "model/access.h"
#include "service/site.h"

struct user_input {
    str username, password, first_name, last_name, full_name, email, description;
    str role; /* of a default role, or the id of a custom one */
    str license, level, provider, idp_username;
    const id *groups; /* he becomes a member of, as far as the caller may add members to them */
    size_t group_count;
};
/* ERR_USER_TAKEN, ERR_PARAMETER naming what is wrong (names: letters, digits, . _ - @, 1 to 128 characters; passwords: at least
 * 8). Users of another provider than "arcgis" have no password here. The role must not hold more than the caller's. */
int user_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_input *in);
/* Creates the administrator when there is no user yet; *created_out tells. */
int user_create_first(struct ctx *ctx, struct site *s, str username, str password, bool *created_out);
int user_set_password(struct ctx *ctx, struct site *s, str username,
                      str password); /* no access check: for the command line on self:DIR */
/* By name or id. full_out: the caller may see the full form. ERR_USER_MISSING. */
int user_get(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out, bool *full_out);
int user_groups(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct membership **out,
                size_t *count_out); /* those the caller may see */
/* Bytes of the items of a user, for those who see the full form. */
int user_storage(struct ctx *ctx, struct site *s, const struct caller *c, str username, int64_t *bytes_out);
int user_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                struct meta_user_list *out);
/* Members of the organization whose names hold the text, of that role and provider; "" any. */
struct user_filter {
    str text, role, provider;
};
int user_list(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_filter *filter,
              const struct meta_page *page, struct meta_user_list *out);
/* For each wanted name one that is free: the name itself or one with a number behind it. ERR_PARAMETER for names that are none.
 */
int user_suggest(struct ctx *ctx, struct site *s, const struct caller *c, str wanted, str *out);

/* ---- changes (user_change.c). Errors: ERR_USER_MISSING, ERR_FORBIDDEN, ERR_PARAMETER, ERR_USER_CHANGE with the reason ---- */
struct user_update { /* STR_NONE: not given */
    str full_name, first_name, last_name, description, tags, access, email, preferred_view, culture, region, units, favourites;
    str password; /* by who may update users, not for oneself: that is user_reset */
    str idp_username;
    bool clear_empty;
    struct blob_new *thumbnail; /* an image of 1 MB at most; NULL none */
    str thumbnail_name;
};
int user_update(struct ctx *ctx, struct site *s, const struct caller *c, str username, const struct user_update *in,
                struct user *out);
/* ERR_USER_DELETE: owns items or groups, or is the last administrator. */
int user_delete(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out);
int user_disable(struct ctx *ctx, struct site *s, const struct caller *c, str username, bool disabled, struct user *out);
/* at: time in ms from which a new password is asked for, 0 never. */
int user_expire_password(struct ctx *ctx, struct site *s, const struct caller *c, str username, int64_t at, struct user *out);
/* A new password by the old one, which also those do whose old one has expired, without a token; attempts count as sign-ins from
 * that address. Without the old one: by who may update users, and the user has to change it at the next sign-in. */
int user_reset(struct ctx *ctx, struct site *s, const struct caller *c, str username, str password, str new_password, str remote,
               struct user *out);
int user_invalidate(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out); /* tokens end */
int user_set_role(struct ctx *ctx, struct site *s, const struct caller *c, str username, str role, struct user *out);
int user_set_license(struct ctx *ctx, struct site *s, const struct caller *c, str username, str license, struct user *out);
int user_set_properties(struct ctx *ctx, struct site *s, const struct caller *c, str username, str properties, struct user *out);
/* A file of the user: its thumbnail. ERR_USER_FILE_MISSING. */
struct portal_file;
int user_file(struct ctx *ctx, struct site *s, const struct caller *c, str username, str name, struct portal_file *out);

/* ---- tokens: opaque, 256 random bits, only their hash is stored ---- */
struct token_input {
    str username, password; /* sign-in */
    str token;              /* or an exchange of a valid portal token */
    str server_url;
    str client, referer, ip; /* "referer", "ip", "requestip" */
    str remote;              /* the caller's address, for failures and requestip */
    int64_t minutes;         /* 0: default */
};
/* ERR_TOKEN_GENERATE "Invalid username or password." for a wrong name and a wrong password alike; too many failures of a name and
 * address: ERR_TOKEN_GENERATE with a sentence to wait. Hashing happens outside of transactions. */
int token_generate(struct ctx *ctx, struct site *s, const struct token_input *in, str *token_out, int64_t *expires_out);
/* Is this the user's password? With the errors and the counting of failures of token_generate. */
int token_check_password(struct ctx *ctx, struct site *s, const struct token_input *in, struct user *out);
/* Who it is. STR_NONE or empty token: anonymous. Bad, expired or bound to another referer (origins are compared) or address:
 * ERR_TOKEN_INVALID. */
int token_caller(struct ctx *ctx, struct site *s, str token, str referer, str remote, struct caller *out);
int token_revoke(struct ctx *ctx, struct site *s, str token);

#endif
