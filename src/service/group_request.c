/* Invitations and applications: see group_request.h. */
#include "service/group_request.h"

#include "service/group_private.h"
#include "service/input.h"

enum { MINUTES_DEFAULT = 14 * 24 * 60, MINUTES_MAX = 366 * 24 * 60, NAMES_MAX = 100 };

struct request_call {
    const struct caller *caller;
    const id *group, *request;
    str username;
    const struct invite_input *in;
    enum member_type type;
    int64_t expires;
    bool accept;
    str *failed;
    size_t failed_count;
    struct group_request *done;
    struct request_view *views;
    size_t count;
};

/* ---- inviting ---- */

/* *done false: not somebody who can be invited. */
static int invite_one(struct ctx *ctx, struct sql_tx *tx, const struct request_call *call, const struct group *g, str name,
                      bool *done)
{
    struct user u;
    enum member_type there = MEMBER_NONE;
    *done = false;
    int rc = meta_user_get(ctx, tx, name, &u);
    if (rc == RC_OK)
        rc = meta_member_type(ctx, tx, &g->id, u.username, &there);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (u.disabled || there != MEMBER_NONE)))
        return RC_OK;
    TRY(rc);
    *done = true;
    const struct group_request r = {.id = id_new(),
                                    .group = g->id,
                                    .username = u.username,
                                    .asked_by = call->caller->username,
                                    .member_type = call->type,
                                    .created = ctx_now(ctx),
                                    .expires = call->expires};
    TRY(meta_requests_drop(ctx, tx, &g->id, u.username)); /* the newest invitation holds */
    TRY(meta_request_insert(ctx, tx, &r));
    return notice_put(ctx, tx, u.username,
                      &(struct notice){.type = "group_invitation", .group = g, .from = call->caller->username});
}

static int invite(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct request_call *call = arg;
    struct group g;
    str rest = call->in->users, name;
    TRY(group_allowed(ctx, tx, call->caller, call->group, access_group_manage_members, &g));
    TRY(meta_requests_expire(ctx, tx, ctx_now(ctx)));
    call->failed_count = 0;
    while (str_split(&rest, ',', &name)) {
        bool done = true;
        if (!str_empty(str_trim(name)))
            TRY(invite_one(ctx, tx, call, &g, str_trim(name), &done));
        if (!done)
            call->failed[call->failed_count++] = str_trim(name);
    }
    return RC_OK;
}

int group_invite(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct invite_input *in,
                 str **failed_out, size_t *failed_count_out)
{
    static const char *const types[] = {"group_member", "group_admin", NULL};
    str type = STR("group_member"), rest = in->users, name;
    size_t count = 0;
    TRY(input_word(ctx, "role", in->member_type, types, &type));
    while (str_split(&rest, ',', &name))
        count++;
    if (count > NAMES_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'users' names more than %d users.", NAMES_MAX);
    if (in->minutes < 0 || in->minutes > MINUTES_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'expiration' has to be 1 to %d minutes.", MINUTES_MAX);
    int64_t minutes = in->minutes ? in->minutes : MINUTES_DEFAULT;
    struct request_call call = {.caller = c,
                                .group = group,
                                .in = in,
                                .type = str_eq(type, STR("group_admin")) ? MEMBER_ADMIN : MEMBER_MEMBER,
                                .expires = ctx_now(ctx) + minutes * 60 * 1000,
                                .failed = arena_array(ctx->arena, str, count)};
    TRY(sql_write(ctx, s->sql, invite, &call));
    *failed_out = call.failed;
    *failed_count_out = call.failed_count;
    return RC_OK;
}

/* ---- applying ---- */

int group_request_apply(struct ctx *ctx, struct sql_tx *tx, const struct caller *c, const struct group *g)
{
    struct group_request *there;
    struct member *members;
    size_t count;
    TRY(meta_requests(ctx, tx, &(struct meta_request_query){.group = &g->id, .username = c->username, .now = ctx_now(ctx)},
                      &there, &count));
    if (count)
        return RC_OK;
    const struct group_request r = {.id = id_new(),
                                    .group = g->id,
                                    .username = c->username,
                                    .asked_by = STR(""),
                                    .member_type = MEMBER_MEMBER,
                                    .created = ctx_now(ctx)};
    TRY(meta_request_insert(ctx, tx, &r));
    TRY(meta_members(ctx, tx, &g->id, &members, &count)); /* owner and managers come first */
    for (size_t i = 0; i < count && members[i].type >= MEMBER_ADMIN; i++)
        TRY(notice_put(ctx, tx, members[i].username,
                       &(struct notice){.type = "group_application", .group = g, .from = c->username}));
    return RC_OK;
}

/* ---- reading ---- */

/* A name that nobody has any more stands as it was. */
static int user_or_name(struct ctx *ctx, struct sql_tx *tx, str name, struct user *out)
{
    int rc = meta_user_get(ctx, tx, name, out);
    if (rc == RC_NOT_FOUND)
        *out = (struct user){.username = name};
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int view_of(struct ctx *ctx, struct sql_tx *tx, const struct group_request *r, struct request_view *out)
{
    *out = (struct request_view){.request = *r};
    TRY(meta_group_get(ctx, tx, &r->group, &out->group));
    TRY(user_or_name(ctx, tx, r->username, &out->user));
    return user_or_name(ctx, tx, r->asked_by, &out->from);
}

static int views_of(struct ctx *ctx, struct sql_tx *tx, const struct meta_request_query *q, struct request_call *call)
{
    struct group_request *list;
    TRY(meta_requests(ctx, tx, q, &list, &call->count));
    call->views = arena_array(ctx->arena, struct request_view, call->count);
    for (size_t i = 0; i < call->count; i++)
        TRY(view_of(ctx, tx, &list[i], &call->views[i]));
    return RC_OK;
}

static int list_invitations(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct request_call *call = arg;
    struct user u;
    TRY(user_find(ctx, tx, call->caller, call->username, &u));
    TRY(service_require(ctx, call->caller, access_user_details(call->caller, u.username)));
    return views_of(ctx, tx, &(struct meta_request_query){.username = u.username, .invitations = true, .now = ctx_now(ctx)},
                    call);
}

static int read_views(struct ctx *ctx, struct site *s, sql_fn *fn, struct request_call *call, struct request_view **out,
                      size_t *count_out)
{
    TRY(sql_read(ctx, s->sql, fn, call));
    *out = call->views;
    *count_out = call->count;
    return RC_OK;
}

int group_invitations(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct request_view **out,
                      size_t *count_out)
{
    return read_views(ctx, s, list_invitations, &(struct request_call){.caller = c, .username = username}, out, count_out);
}

/* The invitation of that user, if it is one and has not expired. */
static int find_invitation(struct ctx *ctx, struct sql_tx *tx, const struct request_call *call, str username,
                           struct group_request *out)
{
    int rc = meta_request_get(ctx, tx, call->request, out);
    bool expired = rc == RC_OK && out->expires && out->expires <= ctx_now(ctx);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (expired || str_empty(out->asked_by) || !str_ieq(out->username, username))))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_INVITATION_MISSING, "There is no invitation '%s', or it has expired.",
                          call->request->text);
    return rc;
}

static int get_invitation(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct request_call *call = arg;
    struct user u;
    struct group_request r;
    TRY(user_find(ctx, tx, call->caller, call->username, &u));
    TRY(service_require(ctx, call->caller, access_user_details(call->caller, u.username)));
    TRY(find_invitation(ctx, tx, call, u.username, &r));
    return view_of(ctx, tx, &r, call->views);
}

int group_invitation(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *request,
                     struct request_view *out)
{
    return sql_read(ctx, s->sql, get_invitation,
                    &(struct request_call){.caller = c, .username = username, .request = request, .views = out});
}

static int list_applications(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct request_call *call = arg;
    struct group g;
    TRY(group_allowed(ctx, tx, call->caller, call->group, access_group_manage_members, &g));
    return views_of(ctx, tx, &(struct meta_request_query){.group = &g.id, .username = STR_NONE, .now = ctx_now(ctx)}, call);
}

int group_applications(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, struct request_view **out,
                       size_t *count_out)
{
    return read_views(ctx, s, list_applications, &(struct request_call){.caller = c, .group = group}, out, count_out);
}

/* ---- answering ---- */

static int answer_invitation(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct request_call *call = arg;
    struct user u;
    struct group g;
    TRY(user_find(ctx, tx, call->caller, call->username, &u));
    TRY(service_require(ctx, call->caller, access_is_self(call->caller, u.username)));
    TRY(find_invitation(ctx, tx, call, u.username, call->done));
    if (!call->accept)
        return meta_request_delete(ctx, tx, call->request);
    TRY(meta_group_get(ctx, tx, &call->done->group, &g));
    if (g.is_read_only)
        return err_set(ctx, &ERR_GROUP_CHANGE, "The group is read-only.");
    return group_member_put(ctx, tx, &g, u.username, call->done->member_type);
}

int group_invitation_answer(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *request, bool accept,
                            struct group_request *out)
{
    return sql_write(
        ctx, s->sql, answer_invitation,
        &(struct request_call){.caller = c, .username = username, .request = request, .accept = accept, .done = out});
}

static int answer_application(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct request_call *call = arg;
    struct group g;
    struct user u;
    struct group_request *list;
    size_t count = 0;
    TRY(group_allowed(ctx, tx, call->caller, call->group, access_group_manage_members, &g));
    int rc = meta_user_get(ctx, tx, call->username, &u);
    if (rc == RC_OK)
        rc = meta_requests(ctx, tx, &(struct meta_request_query){.group = &g.id, .username = u.username, .now = ctx_now(ctx)},
                           &list, &count);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && count == 0))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_INVITATION_MISSING, "'%.*s' does not ask to be let in.",
                          STR_FMT(str_sub(call->username, 0, 128)));
    TRY(rc);
    *call->done = list[0];
    if (!call->accept)
        return meta_requests_drop(ctx, tx, &g.id, u.username);
    TRY(group_member_put(ctx, tx, &g, u.username, MEMBER_MEMBER));
    return notice_put(ctx, tx, u.username, &(struct notice){.type = "group_join", .group = &g, .from = call->caller->username});
}

int group_application_answer(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, str username, bool accept,
                             struct group_request *out)
{
    return sql_write(ctx, s->sql, answer_application,
                     &(struct request_call){.caller = c, .group = group, .username = username, .accept = accept, .done = out});
}
