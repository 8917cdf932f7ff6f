/* `mapferry user add|password`: users of a portal, over the wire or, for a lost password, in the store of a portal on this
 * machine (self:DIR). The store's database takes writes of several programs, so the portal may run meanwhile; it sees them at
 * once. */
#include "base/file.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "codec/url.h"
#include "service/user.h"
#include <stdio.h>

/* Options that are fields of a user, and their names in the operation createUser. */
static const struct {
    const char *option, *field;
    size_t offset; /* in struct user_input */
} user_fields[] = {{"role", "role", offsetof(struct user_input, role)},
                   {"email", "email", offsetof(struct user_input, email)},
                   {"full-name", "fullname", offsetof(struct user_input, full_name)}};

/* ---- in a store of this machine ---- */

static bool is_self(str portal) { return str_starts(portal, STR("self:")); }

static int self_open(struct ctx *ctx, str portal, struct site *out)
{
    const char *dir = arena_cstr(ctx->arena, str_sub(portal, strlen("self:"), portal.n));
    str database = arena_printf(ctx->arena, "%s/portal.db", dir);
    if (!file_exists(database.p))
        return err_set(ctx, &ERR_USAGE, "'%s' is no portal's data folder: there is no portal.db in it.", dir);
    *out = (struct site){.settings = site_settings_default(), .data_dir = dir};
    return sql_open_current(ctx, arena_printf(ctx->arena, "sqlite:%s", database.p).p, meta_migrations, meta_migration_count,
                            &out->sql);
}

static int self_add(struct ctx *ctx, const struct options *o, str password)
{
    const struct caller owner = {.username = STR("mapferry"), .role = ROLE_ADMIN}; /* whoever may write into DIR */
    struct user_input in = {.username = o->words[1], .password = password};
    for (size_t i = 0; i < COUNT_OF(user_fields); i++)
        *(str *)((char *)&in + user_fields[i].offset) = options_get(o, user_fields[i].option);
    struct site site;
    TRY(self_open(ctx, o->words[0], &site));
    int rc = user_create(ctx, &site, &owner, &in);
    sql_close(site.sql);
    return rc;
}

static int self_password(struct ctx *ctx, const struct options *o, str password)
{
    struct site site;
    TRY(self_open(ctx, o->words[0], &site));
    int rc = user_set_password(ctx, &site, o->words[1], password);
    sql_close(site.sql);
    return rc;
}

/* ---- over the wire ---- */

static int remote_add(struct ctx *ctx, const struct options *o, str password)
{
    CLEANUP(remote_close) struct remote r = {0};
    struct form form = remote_form();
    struct json answer;
    TRY(form_add(ctx, &form, STR("username"), o->words[1]));
    TRY(form_add(ctx, &form, STR("password"), password));
    for (size_t i = 0; i < COUNT_OF(user_fields); i++)
        if (!str_none(options_get(o, user_fields[i].option)))
            TRY(form_add(ctx, &form, str_c(user_fields[i].field), options_get(o, user_fields[i].option)));
    TRY(remote_open(ctx, o->words[0], &r));
    return remote_call(ctx, &r, true, STR("/portaladmin/security/users/createUser"), &form, &answer);
}

/* One's own is changed by who knows the old one; that of another one is set with his profile. */
static int remote_password(struct ctx *ctx, const struct options *o, str password)
{
    CLEANUP(remote_close) struct remote r = {0};
    struct form form = remote_form();
    struct json self, answer;
    str name;
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(remote_self(ctx, &r, &name, &self));
    bool own = str_ieq(name, o->words[1]);
    if (own && str_empty(r.password))
        return err_set(ctx, &ERR_USAGE, "Your own password is changed by signing in with the old one, not with a token.");
    if (own)
        TRY(form_add(ctx, &form, STR("password"), r.password));
    TRY(form_add(ctx, &form, own ? STR("newPassword") : STR("password"), password));
    str path = arena_printf(ctx->arena, "/community/users/%.*s/%s", STR_FMT(url_encoded(ctx->arena, o->words[1])),
                            own ? "reset" : "update");
    return remote_call(ctx, &r, true, path, &form, &answer);
}

/* ---- the commands ---- */

static int user_command(struct ctx *ctx, const struct options *o, const char *did,
                        int (*self)(struct ctx *ctx, const struct options *o, str password),
                        int (*remote)(struct ctx *ctx, const struct options *o, str password))
{
    str password;
    struct output out;
    output_open(&out, o->json);
    TRY(input_password(ctx, options_get(o, "password-file"), &password));
    TRY(is_self(o->words[0]) ? self(ctx, o, password) : remote(ctx, o, password));
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out json;
    json_out_buf(&json, ctx, &b);
    json_begin_object(&json);
    json_member_str(&json, "username", o->words[1]);
    json_member_c(&json, "did", did);
    json_end_object(&json);
    TRY(json_out_end(&json, "the result"));
    output_result(ctx, &out, buf_str(&b));
    if (!o->json)
        printf("%s %.*s\n", did, STR_FMT(o->words[1]));
    return RC_OK;
}

int cli_user_add(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    return user_command(ctx, o, "added", self_add, remote_add);
}

int cli_user_password(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    return user_command(ctx, o, "changed", self_password, remote_password);
}
