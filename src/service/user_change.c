/* Changing users: profile, password, role, being there at all. One shape for all of them: find the user, ask access, apply,
 * store. Passwords are hashed outside of transactions; a transaction may be run more than once. */
#include "service/user_private.h"

#include "service/input.h"

enum { SHORT_CHARS = 256, LONG_CHARS = 1 << 20, PROPERTIES_CHARS = 1 << 16 };

struct change_call {
    const struct caller *caller;
    str name;
    enum privilege privilege; /* of who may; oneself also where self_may */
    bool self_may;
    int (*apply)(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u);
    bool tokens_end;
    struct user *user; /* result */
    const struct user_update *in;
    const struct picture *picture;
    str text; /* what is set: hash of a password, role, user type, properties */
    str old_hash;
    int64_t time;
    bool disabled;
};

static int change_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct change_call *call = arg;
    struct user *u = call->user;
    TRY(user_find(ctx, tx, call->caller, call->name, u));
    bool may = call->self_may && access_is_self(call->caller, u->username);
    TRY(service_require(ctx, call->caller, may || access_user_manage(call->caller, u, call->privilege)));
    TRY(call->apply(ctx, tx, call, u));
    u->modified = ctx_now(ctx);
    if (call->tokens_end)
        TRY(meta_tokens_of_user_delete(ctx, tx, u->username));
    return meta_user_update(ctx, tx, u);
}

/* Somebody has to be left who can administrate. Called before u stops being one of them. */
static int admins_remain(struct ctx *ctx, struct sql_tx *tx, const struct user *u, const struct err_kind *kind)
{
    int64_t count;
    if (!user_is_admin(u) || u->disabled)
        return RC_OK;
    TRY(meta_admin_count(ctx, tx, &count));
    return count > 1 ? RC_OK : err_set(ctx, kind, "'%.*s' is the last administrator of the portal.", STR_FMT(u->username));
}

/* ---- profile ---- */

static int take_email(struct ctx *ctx, const struct user_update *in, struct user *u)
{
    str email = str_none(in->email) ? STR_NONE : str_trim(in->email);
    size_t at = str_find_char(email, '@', 0);
    bool wrong =
        !str_empty(email) && (at == SIZE_MAX || at == 0 || at + 1 == email.n || str_find_char(email, ' ', 0) != SIZE_MAX);
    if (wrong)
        return err_set(ctx, &ERR_PARAMETER, "'email' is no e-mail address.");
    return input_text(ctx, "email", email, SHORT_CHARS, in->clear_empty, &u->email);
}

static int take_texts(struct ctx *ctx, const struct user_update *in, struct user *u)
{
    str tags = STR_NONE, first = u->first_name, last = u->last_name;
    TRY(input_text(ctx, "firstName", in->first_name, SHORT_CHARS, in->clear_empty, &u->first_name));
    TRY(input_text(ctx, "lastName", in->last_name, SHORT_CHARS, in->clear_empty, &u->last_name));
    if (str_empty(in->full_name) && !(str_eq(first, u->first_name) && str_eq(last, u->last_name)))
        u->full_name = str_trim(arena_printf(ctx->arena, "%.*s %.*s", STR_FMT(u->first_name), STR_FMT(u->last_name)));
    TRY(input_text(ctx, "fullname", in->full_name, SHORT_CHARS, false, &u->full_name));
    if (str_empty(u->full_name))
        u->full_name = u->username;
    TRY(input_text(ctx, "description", in->description, LONG_CHARS, in->clear_empty, &u->description));
    TRY(input_text(ctx, "culture", in->culture, SHORT_CHARS, in->clear_empty, &u->culture));
    TRY(input_text(ctx, "region", in->region, SHORT_CHARS, in->clear_empty, &u->region));
    TRY(input_text(ctx, "tags", in->tags, LONG_CHARS, in->clear_empty, &tags));
    if (!str_none(tags))
        TRY(item_list_parse(ctx, tags, &u->tags));
    return take_email(ctx, in, u);
}

static int take_words(struct ctx *ctx, const struct user_update *in, struct user *u)
{
    static const char *const units[] = {"english", "metric", NULL}, *const views[] = {"Web", "GIS", NULL};
    TRY(input_word(ctx, "units", in->units, units, &u->units));
    if (str_ieq(in->preferred_view, STR("null")) || (in->clear_empty && !str_none(in->preferred_view)))
        u->preferred_view = STR("");
    else
        TRY(input_word(ctx, "preferredView", in->preferred_view, views, &u->preferred_view));
    if (!str_empty(in->access) && (!item_access_parse(in->access, &u->access) || u->access == ITEM_SHARED))
        return err_set(ctx, &ERR_PARAMETER, "'access' has to be private, org or public.");
    return RC_OK;
}

/* Only a group of the user's own favourites: any other one would be hidden from its members by becoming one. */
static int take_favourites(struct ctx *ctx, const struct user_update *in, const struct user *u)
{
    id group;
    if (str_empty(in->favourites) || (id_parse(in->favourites, &group) && id_eq(group, u->favourites)))
        return RC_OK;
    return err_set(ctx, &ERR_PARAMETER, "'favGroupId' is not the group of the user's favourites.");
}

static bool signs_in_here(const struct user *u) { return str_empty(u->provider) || str_eq(u->provider, STR("arcgis")); }

static int take_password(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    if (str_empty(call->text))
        return RC_OK;
    if (access_is_self(call->caller, u->username))
        return err_set(ctx, &ERR_USER_CHANGE, "Your own password is changed by 'reset', with 'password' and 'newPassword'.");
    if (!signs_in_here(u))
        return err_set(ctx, &ERR_USER_CHANGE, "'%.*s' signs in elsewhere and has no password here.", STR_FMT(u->username));
    u->password_hash = call->text;
    u->password_expires = 0;
    return meta_tokens_of_user_delete(ctx, tx, u->username);
}

static int apply_update(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    TRY(take_texts(ctx, call->in, u));
    TRY(take_words(ctx, call->in, u));
    TRY(take_favourites(ctx, call->in, u));
    TRY(take_password(ctx, tx, call, u));
    if (!str_empty(call->in->idp_username)) {
        TRY(service_require(ctx, call->caller, access_user_manage(call->caller, u, PRIVILEGE_UPDATE_USERS)));
        TRY(input_text(ctx, "idpUsername", call->in->idp_username, SHORT_CHARS, false, &u->idp_username));
    }
    if (!call->picture->blob)
        return RC_OK;
    u->thumbnail = call->picture->name;
    return portal_file_put_picture(ctx, tx, FILE_USER, id_str(&u->id), call->picture);
}

int user_update(struct ctx *ctx, struct site *s, const struct caller *c, str username, const struct user_update *in,
                struct user *out)
{
    struct picture picture;
    struct change_call call = {.caller = c,
                               .name = username,
                               .privilege = PRIVILEGE_UPDATE_USERS,
                               .self_may = true,
                               .apply = apply_update,
                               .user = out,
                               .in = in,
                               .picture = &picture};
    TRY(service_require(ctx, c, !c->anonymous)); /* before any byte is stored */
    if (!str_empty(in->password)) {
        TRY(user_password_check(ctx, "password", in->password));
        TRY(password_hash(ctx, in->password, &call.text));
    }
    TRY(portal_file_picture(ctx, s, in->thumbnail, in->thumbnail_name, &picture));
    return sql_write(ctx, s->sql, change_user, &call);
}

static int apply_properties(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    (void)tx;
    return input_object(ctx, "properties", call->text, PROPERTIES_CHARS, true, &u->properties);
}

int user_set_properties(struct ctx *ctx, struct site *s, const struct caller *c, str username, str properties, struct user *out)
{
    struct change_call call = {.caller = c,
                               .name = username,
                               .privilege = PRIVILEGE_UPDATE_USERS,
                               .self_may = true,
                               .apply = apply_properties,
                               .user = out,
                               .text = properties};
    return sql_write(ctx, s->sql, change_user, &call);
}

/* ---- delete ---- */

static int delete_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct change_call *call = arg;
    struct user *u = call->user;
    int64_t items, groups;
    TRY(user_find(ctx, tx, call->caller, call->name, u));
    TRY(service_require(ctx, call->caller, access_user_manage(call->caller, u, PRIVILEGE_DELETE_USERS)));
    TRY(admins_remain(ctx, tx, u, &ERR_USER_DELETE));
    TRY(meta_user_owns(ctx, tx, u->username, &items, &groups));
    if (items || groups)
        return err_set(ctx, &ERR_USER_DELETE,
                       "'%.*s' owns %lld items and %lld groups: give them to somebody else or delete them first.",
                       STR_FMT(u->username), (long long)items, (long long)groups);
    TRY(meta_user_clear(ctx, tx, u));
    return meta_user_delete(ctx, tx, u->username);
}

int user_delete(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out)
{
    return sql_write(ctx, s->sql, delete_user, &(struct change_call){.caller = c, .name = username, .user = out});
}

/* ---- being let in ---- */

static int apply_disabled(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    if (call->disabled)
        TRY(admins_remain(ctx, tx, u, &ERR_USER_CHANGE));
    u->disabled = call->disabled;
    return RC_OK;
}

int user_disable(struct ctx *ctx, struct site *s, const struct caller *c, str username, bool disabled, struct user *out)
{
    struct change_call call = {.caller = c,
                               .name = username,
                               .privilege = PRIVILEGE_DISABLE_USERS,
                               .apply = apply_disabled,
                               .tokens_end = disabled,
                               .user = out,
                               .disabled = disabled};
    return sql_write(ctx, s->sql, change_user, &call);
}

static int apply_nothing(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    (void)ctx, (void)tx, (void)call, (void)u;
    return RC_OK;
}

int user_invalidate(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out)
{
    struct change_call call = {.caller = c,
                               .name = username,
                               .privilege = PRIVILEGE_UPDATE_USERS,
                               .self_may = true,
                               .apply = apply_nothing,
                               .tokens_end = true,
                               .user = out};
    return sql_write(ctx, s->sql, change_user, &call);
}

static int apply_expiry(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    (void)tx;
    if (call->time && !signs_in_here(u))
        return err_set(ctx, &ERR_USER_CHANGE, "'%.*s' signs in elsewhere and has no password here.", STR_FMT(u->username));
    u->password_expires = call->time;
    return RC_OK;
}

int user_expire_password(struct ctx *ctx, struct site *s, const struct caller *c, str username, int64_t at, struct user *out)
{
    struct change_call call = {
        .caller = c, .name = username, .privilege = PRIVILEGE_UPDATE_USERS, .apply = apply_expiry, .user = out, .time = at};
    return sql_write(ctx, s->sql, change_user, &call);
}

/* ---- passwords ---- */

/* The old password was checked before: it must still be the one that was checked. */
static int exchange_password(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct change_call *call = arg;
    struct user *u = call->user;
    int rc = meta_user_get(ctx, tx, call->name, u);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (u->disabled || !str_eq(u->password_hash, call->old_hash))))
        return err_set(ctx, &ERR_USER_CHANGE, "Invalid username or password.");
    TRY(rc);
    u->password_hash = call->text;
    u->password_expires = 0;
    u->modified = ctx_now(ctx);
    TRY(meta_tokens_of_user_delete(ctx, tx, u->username));
    return meta_user_update(ctx, tx, u);
}

/* As with an expiry that has passed: the one who set the password is not the one who is to use it. */
static int apply_reset(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    TRY(take_password(ctx, tx, call, u));
    u->password_expires = ctx_now(ctx);
    return RC_OK;
}

/* The path may name the user by id; failures are counted by name. A user that is missing keeps what was written. */
static int canonical_name(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct user u;
    str *name = arg;
    int rc = meta_user_get(ctx, tx, *name, &u);
    if (rc == RC_OK)
        *name = u.username;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int user_reset(struct ctx *ctx, struct site *s, const struct caller *c, str username, str password, str new_password, str remote,
               struct user *out)
{
    struct change_call call = {
        .caller = c, .name = username, .privilege = PRIVILEGE_UPDATE_USERS, .apply = apply_reset, .user = out};
    bool by_password = !str_empty(password);
    TRY(service_require(ctx, c, by_password || !c->anonymous));
    TRY(user_password_check(ctx, "newPassword", new_password));
    if (by_password) {
        struct user checked;
        TRY(sql_read(ctx, s->sql, canonical_name, &username));
        TRY(token_check_password(ctx, s, &(struct token_input){.username = username, .password = password, .remote = remote},
                                 &checked));
        if (str_eq(password, new_password))
            return err_set(ctx, &ERR_PARAMETER, "'newPassword' has to be another one than 'password'.");
        call.name = checked.username;
        call.old_hash = checked.password_hash;
    }
    TRY(password_hash(ctx, new_password, &call.text));
    return sql_write(ctx, s->sql, by_password ? exchange_password : change_user, &call);
}

/* ---- role and user type ---- */

static int apply_role(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    struct user before = *u;
    TRY(user_role_take(ctx, tx, call->text, u));
    TRY(service_require(ctx, call->caller, access_role_give(call->caller, u)));
    TRY(user_license_check(ctx, u));
    return user_is_admin(u) ? RC_OK : admins_remain(ctx, tx, &before, &ERR_USER_CHANGE);
}

int user_set_role(struct ctx *ctx, struct site *s, const struct caller *c, str username, str role, struct user *out)
{
    struct change_call call = {
        .caller = c, .name = username, .privilege = PRIVILEGE_CHANGE_USER_ROLES, .apply = apply_role, .user = out, .text = role};
    return sql_write(ctx, s->sql, change_user, &call);
}

static int apply_license(struct ctx *ctx, struct sql_tx *tx, const struct change_call *call, struct user *u)
{
    bool viewer;
    (void)tx;
    if (!user_license_parse(call->text, &u->license, &viewer))
        return err_set(ctx, &ERR_PARAMETER, "'userLicenseType' is no user type of this portal: %.*s",
                       STR_FMT(str_sub(call->text, 0, 100)));
    return user_license_check(ctx, u);
}

int user_set_license(struct ctx *ctx, struct site *s, const struct caller *c, str username, str license, struct user *out)
{
    struct change_call call = {.caller = c,
                               .name = username,
                               .privilege = PRIVILEGE_MANAGE_LICENSES,
                               .apply = apply_license,
                               .user = out,
                               .text = license};
    return sql_write(ctx, s->sql, change_user, &call);
}
