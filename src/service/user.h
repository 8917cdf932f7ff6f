/* Users and tokens: the use cases. */
#ifndef MAPFERRY_SERVICE_USER_H
#define MAPFERRY_SERVICE_USER_H

#include "model/access.h"
#include "service/site.h"

struct user_input {
    str username, password, first_name, last_name, full_name, email, description, role;
};
/* Administrators only. ERR_USER_TAKEN, ERR_PARAMETER naming what is wrong (names: letters, digits, . _ - @, 1 to 128 characters;
 * passwords: at least 8). */
int user_create(struct ctx *ctx, struct site *s, const struct caller *c, const struct user_input *in);
/* Creates the administrator when there is no user yet; *created_out tells. */
int user_create_first(struct ctx *ctx, struct site *s, str username, str password, bool *created_out);
int user_set_password(struct ctx *ctx, struct site *s, str username,
                      str password); /* no access check: for the command line on self:DIR */
/* By name or id. full_out: the caller may see the full form. ERR_USER_MISSING. */
int user_get(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out, bool *full_out);
int user_groups(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct membership **out,
                size_t *count_out); /* those the caller may see */
int user_search(struct ctx *ctx, struct site *s, const struct caller *c, str q, const struct meta_search_page *page,
                struct meta_user_list *out);
int user_list(struct ctx *ctx, struct site *s, const struct caller *c, const struct meta_page *page, struct meta_user_list *out);

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
/* Who it is. STR_NONE or empty token: anonymous. Bad, expired or bound to another referer (origins are compared) or address:
 * ERR_TOKEN_INVALID. */
int token_caller(struct ctx *ctx, struct site *s, str token, str referer, str remote, struct caller *out);
int token_revoke(struct ctx *ctx, struct site *s, str token);

#endif
