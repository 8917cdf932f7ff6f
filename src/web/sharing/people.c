/* Users over REST, changing: profile, password, being let in, role, user type; creating and deleting them, one by one and many at
 * a time. Source: api.md 3.3. */
#include "model/errors.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

enum { BATCH_MAX = 100 };

static int answer(struct call *call, const struct user *u) { return sharing_success(call, "username", u->username); }

/* Operations that take nothing but the user. */
typedef int user_operation(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out);
static int operate(struct ctx *ctx, struct call *call, user_operation *operation)
{
    struct user user;
    TRY(operation(ctx, call->site, &call->caller, call_path(call, "user"), &user));
    return answer(call, &user);
}

static int enable(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out)
{
    return user_disable(ctx, s, c, username, false, out);
}
static int disable(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct user *out)
{
    return user_disable(ctx, s, c, username, true, out);
}

int people_delete(struct ctx *ctx, struct call *call) { return operate(ctx, call, user_delete); }
int people_enable(struct ctx *ctx, struct call *call) { return operate(ctx, call, enable); }
int people_disable(struct ctx *ctx, struct call *call) { return operate(ctx, call, disable); }
int people_invalidate(struct ctx *ctx, struct call *call) { return operate(ctx, call, user_invalidate); }

int people_update(struct ctx *ctx, struct call *call)
{
    const struct upload *thumbnail = call_file(call, "thumbnail");
    const struct user_update in = {.full_name = call_param(call, "fullname"),
                                   .first_name = call_param(call, "firstName"),
                                   .last_name = call_param(call, "lastName"),
                                   .description = call_param(call, "description"),
                                   .tags = call_param(call, "tags"),
                                   .access = call_param(call, "access"),
                                   .email = call_param(call, "email"),
                                   .preferred_view = call_param(call, "preferredView"),
                                   .culture = call_param(call, "culture"),
                                   .region = call_param(call, "region"),
                                   .units = call_param(call, "units"),
                                   .favourites = call_param(call, "favGroupId"),
                                   .password = call_param(call, "password"),
                                   .idp_username = call_param(call, "idpUsername"),
                                   .clear_empty = call_bool(call, "clearEmptyFields"),
                                   .thumbnail = thumbnail ? thumbnail->blob : NULL,
                                   .thumbnail_name = thumbnail ? thumbnail->filename : STR("")};
    struct user user;
    TRY(user_update(ctx, call->site, &call->caller, call_path(call, "user"), &in, &user));
    return answer(call, &user);
}

int people_set_properties(struct ctx *ctx, struct call *call)
{
    struct user user;
    TRY(user_set_properties(ctx, call->site, &call->caller, call_path(call, "user"), call_param(call, "properties"), &user));
    return answer(call, &user);
}

int people_expire_password(struct ctx *ctx, struct call *call)
{
    enum { HOUR_MS = 3600 * 1000, HOURS_MAX = 24 * 366 * 10 };
    struct user user;
    double hours = call_has(call, "hours") ? call_double(call, "hours") : -1;
    int64_t at = ctx_now(ctx);
    if (call_bool(call, "never"))
        at = 0;
    else if (hours > HOURS_MAX || (hours <= 0 && !call_bool(call, "now")))
        return err_set(ctx, &ERR_PARAMETER, "'hours' (more than 0, at most %d), 'now' or 'never' is required.", HOURS_MAX);
    else if (hours > 0)
        at += (int64_t)(hours * HOUR_MS);
    TRY(user_expire_password(ctx, call->site, &call->caller, call_path(call, "user"), at, &user));
    return answer(call, &user);
}

int people_reset(struct ctx *ctx, struct call *call)
{
    struct user user;
    TRY(user_reset(ctx, call->site, &call->caller, call_path(call, "user"), sharing_text(call, "password"),
                   sharing_text(call, "newPassword"), call->remote, &user));
    return answer(call, &user);
}

static struct user_input input_of(const struct call *call)
{
    str role = str_trim(sharing_text(call, "roleId"));
    return (struct user_input){.username = str_trim(call_param(call, "username")),
                               .password = call_param(call, "password"),
                               .first_name = sharing_text(call, "firstname"),
                               .last_name = sharing_text(call, "lastname"),
                               .full_name = sharing_text(call, "fullname"),
                               .email = sharing_text(call, "email"),
                               .description = sharing_text(call, "description"),
                               .role = str_empty(role) ? str_trim(sharing_text(call, "role")) : role,
                               .level = str_trim(sharing_text(call, "level")),
                               .license = str_trim(sharing_text(call, "userLicenseTypeId")),
                               .provider = str_trim(sharing_text(call, "provider")),
                               .idp_username = str_trim(sharing_text(call, "idpUsername"))};
}

int people_create(struct ctx *ctx, struct call *call)
{
    struct user_input in = input_of(call);
    TRY(user_create(ctx, call->site, &call->caller, &in));
    json_begin_object(&call->out);
    json_member_c(&call->out, "status", "success");
    json_end_object(&call->out);
    return RC_OK;
}

/* ---- many at a time ---- */

/* What is done for one of several users; those that fail are listed with the reason, and the others are done. */
struct batch {
    struct call *call;
    const char *failed_name; /* of the list of those that did not work */
    str *failed;
    size_t failed_count, count;
};

static int batch_begin(struct ctx *ctx, struct call *call, const char *failed_name, size_t count, struct batch *out)
{
    if (count > BATCH_MAX)
        return err_set(ctx, &ERR_PARAMETER, "More than %d users in one request.", BATCH_MAX);
    *out = (struct batch){.call = call, .failed_name = failed_name, .failed = arena_array(ctx->arena, str, count)};
    json_begin_object(&call->out);
    json_name(&call->out, "results");
    json_begin_array(&call->out);
    return RC_OK;
}

static void batch_entry(struct batch *b, str username, int rc, const struct ctx *child)
{
    struct json_out *o = &b->call->out;
    json_begin_object(o);
    json_member_str(o, "username", username);
    json_member_bool(o, "success", rc == RC_OK);
    if (rc != RC_OK && child->err.kind)
        sharing_error_print(o, &child->err);
    json_end_object(o);
    b->count++;
    if (rc != RC_OK)
        b->failed[b->failed_count++] = username;
}

static int batch_end(struct batch *b)
{
    struct json_out *o = &b->call->out;
    json_end_array(o);
    json_member_bool(o, "success", b->failed_count == 0);
    json_name(o, b->failed_name);
    json_begin_array(o);
    for (size_t i = 0; i < b->failed_count; i++)
        json_put_str(o, b->failed[i]);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

static size_t names_of(struct ctx *ctx, str list, str **out)
{
    size_t count = 0, capacity = 0;
    str name;
    *out = NULL;
    while (str_split(&list, ',', &name)) {
        if (str_empty(str_trim(name)))
            continue;
        *out = arena_grow(ctx->arena, *out, &capacity, count + 1, sizeof **out);
        (*out)[count++] = str_trim(name);
    }
    return count;
}

typedef int user_step(struct ctx *ctx, struct call *call, str username);
static int each_user(struct ctx *ctx, struct call *call, str list, const char *failed_name, user_step *step)
{
    str *names;
    struct batch b = {0};
    TRY(sharing_portal_check(ctx, call));
    size_t count = names_of(ctx, list, &names);
    if (count == 0)
        return err_set(ctx, &ERR_PARAMETER, "'users' is missing.");
    TRY(batch_begin(ctx, call, failed_name, count, &b));
    for (size_t i = 0; i < count; i++) {
        struct ctx child;
        ctx_child(&child, ctx);
        batch_entry(&b, names[i], step(&child, call, names[i]), &child);
        ctx_close(&child);
    }
    return batch_end(&b);
}

static int remove_step(struct ctx *ctx, struct call *call, str username)
{
    struct user user;
    return user_delete(ctx, call->site, &call->caller, username, &user);
}
static int enable_step(struct ctx *ctx, struct call *call, str username)
{
    struct user user;
    return user_disable(ctx, call->site, &call->caller, username, false, &user);
}
static int disable_step(struct ctx *ctx, struct call *call, str username)
{
    struct user user;
    return user_disable(ctx, call->site, &call->caller, username, true, &user);
}
static int role_step(struct ctx *ctx, struct call *call, str username)
{
    struct user user;
    return user_set_role(ctx, call->site, &call->caller, username, str_trim(call_param(call, "role")), &user);
}
static int license_step(struct ctx *ctx, struct call *call, str username)
{
    struct user user;
    return user_set_license(ctx, call->site, &call->caller, username, str_trim(call_param(call, "userLicenseType")), &user);
}

int people_remove(struct ctx *ctx, struct call *call)
{
    return each_user(ctx, call, call_param(call, "users"), "notRemoved", remove_step);
}
int people_enable_many(struct ctx *ctx, struct call *call)
{
    return each_user(ctx, call, call_param(call, "users"), "notEnabled", enable_step);
}
int people_disable_many(struct ctx *ctx, struct call *call)
{
    return each_user(ctx, call, call_param(call, "users"), "notDisabled", disable_step);
}
int people_update_license(struct ctx *ctx, struct call *call)
{
    return each_user(ctx, call, call_param(call, "users"), "notUpdated", license_step);
}

/* One user is answered as one: an error is the answer. */
int people_update_role(struct ctx *ctx, struct call *call)
{
    struct user user;
    TRY(sharing_portal_check(ctx, call));
    if (!call_has(call, "user"))
        return each_user(ctx, call, call_param(call, "users"), "notUpdated", role_step);
    TRY(user_set_role(ctx, call->site, &call->caller, str_trim(call_param(call, "user")), str_trim(call_param(call, "role")),
                      &user));
    return answer(call, &user);
}

/* ---- invite: users from a list ---- */

static str member(struct ctx *ctx, struct json v, const char *name)
{
    return json_string_or(json_get_c(v, name), ctx->arena, STR(""));
}

/* "groups": ids, as an array or separated by commas. */
static int groups_parse(struct ctx *ctx, struct json groups, struct user_input *in)
{
    str list = json_string_or(groups, ctx->arena, STR("")), piece;
    struct json_iter it = json_each(groups);
    struct json v;
    id *ids = NULL;
    size_t capacity = 0;
    while (json_is(groups, JSON_ARRAY) && json_next(&it, NULL, &v))
        list = arena_printf(ctx->arena, "%.*s,%.*s", STR_FMT(list), STR_FMT(json_string_or(v, ctx->arena, json_raw(v))));
    while (str_split(&list, ',', &piece)) {
        if (str_empty(str_trim(piece)))
            continue;
        ids = arena_grow(ctx->arena, ids, &capacity, in->group_count + 1, sizeof *ids);
        if (!id_parse(str_trim(piece), &ids[in->group_count++]))
            return err_set(ctx, &ERR_PARAMETER, "'groups': '%.*s' is not the id of a group.",
                           STR_FMT(str_sub(str_trim(piece), 0, 64)));
    }
    in->groups = ids;
    return RC_OK;
}

static int invite_step(struct ctx *ctx, struct call *call, struct json v)
{
    struct user_input in = {.username = str_trim(member(ctx, v, "username")),
                            .password = member(ctx, v, "password"),
                            .first_name = member(ctx, v, "firstname"),
                            .last_name = member(ctx, v, "lastname"),
                            .full_name = member(ctx, v, "fullname"),
                            .email = member(ctx, v, "email"),
                            .role = str_trim(member(ctx, v, "role")),
                            .license = str_trim(member(ctx, v, "userLicenseType")),
                            .provider = str_trim(member(ctx, v, "provider")),
                            .idp_username = str_trim(member(ctx, v, "idpUsername"))};
    TRY(groups_parse(ctx, json_get_c(v, "groups"), &in));
    return user_create(ctx, call->site, &call->caller, &in);
}

/* Nobody is sent mail: who is on the list is a user then, with the password that stands there. */
int people_invite(struct ctx *ctx, struct call *call)
{
    struct json list, v;
    struct batch b = {0};
    TRY(sharing_portal_check(ctx, call));
    TRY(call_json(ctx, call, "invitationList", &list));
    if (json_is(list, JSON_OBJECT))
        list = json_get_c(list, "invitations");
    if (!json_is(list, JSON_ARRAY))
        return err_set(ctx, &ERR_PARAMETER, "'invitationList' has to be {\"invitations\":[…]}.");
    TRY(batch_begin(ctx, call, "notInvited", json_count(list), &b));
    struct json_iter it = json_each(list);
    while (json_next(&it, NULL, &v)) {
        struct ctx child;
        ctx_child(&child, ctx);
        int rc = invite_step(&child, call, v);
        batch_entry(&b, member(ctx, v, "username"), rc, &child);
        ctx_close(&child);
    }
    return batch_end(&b);
}
