/* Notifications: see notice.h. */
#include "service/notice.h"

#include "service/group_private.h"
#include "service/input.h"

enum { KEPT = 1000, SUBJECT_CHARS = 256, MESSAGE_CHARS = 10000, DATA_MAX = 1 << 16, NAMES_MAX = 1000 };

static int data_of(struct ctx *ctx, const struct notice *n, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(DATA_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "fromUser", n->from);
    if (n->group) {
        json_member_str(&o, "groupId", id_str(&n->group->id));
        json_member_str(&o, "groupTitle", n->group->title);
    }
    if (!str_empty(n->subject))
        json_member_str(&o, "subject", n->subject);
    if (!str_empty(n->message))
        json_member_str(&o, "message", n->message);
    json_end_object(&o);
    TRY(json_out_end(&o, "the notification"));
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

int notice_put(struct ctx *ctx, struct sql_tx *tx, str username, const struct notice *n)
{
    struct notification row = {.id = id_new(),
                               .username = username,
                               .type = str_c(n->type),
                               .target_type = n->group ? STR("group") : STR("user"),
                               .target = n->group ? id_str(&n->group->id) : username,
                               .received = ctx_now(ctx)};
    TRY(data_of(ctx, n, &row.data));
    TRY(meta_notification_insert(ctx, tx, &row));
    return meta_notifications_trim(ctx, tx, username, KEPT);
}

struct notice_call {
    const struct caller *caller;
    str username;
    const id *id;
    const struct notice_input *in;
    str *failed;
    size_t failed_count;
    struct notification *list;
    size_t count;
};

/* ---- reading, deleting ---- */

static int own_or_details(struct ctx *ctx, struct sql_tx *tx, const struct notice_call *call, struct user *out)
{
    TRY(user_find(ctx, tx, call->caller, call->username, out));
    return service_require(ctx, call->caller, access_user_details(call->caller, out->username));
}

static int list_notices(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct notice_call *call = arg;
    struct user u;
    TRY(own_or_details(ctx, tx, call, &u));
    return meta_notifications(ctx, tx, u.username, &call->list, &call->count);
}

int notice_list(struct ctx *ctx, struct site *s, const struct caller *c, str username, struct notification **out,
                size_t *count_out)
{
    struct notice_call call = {.caller = c, .username = username};
    TRY(sql_read(ctx, s->sql, list_notices, &call));
    *out = call.list;
    *count_out = call.count;
    return RC_OK;
}

static int delete_notice(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct notice_call *call = arg;
    struct user u;
    TRY(user_find(ctx, tx, call->caller, call->username, &u));
    TRY(service_require(ctx, call->caller, access_user_update(call->caller, &u)));
    int rc = meta_notification_delete(ctx, tx, u.username, call->id);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_NOTIFICATION_MISSING, "There is no notification '%s'.", call->id->text)
                              : rc;
}

int notice_delete(struct ctx *ctx, struct site *s, const struct caller *c, str username, const id *notification)
{
    return sql_write(ctx, s->sql, delete_notice, &(struct notice_call){.caller = c, .username = username, .id = notification});
}

/* ---- telling ---- */

static size_t name_count(str names)
{
    size_t count = 0;
    str name;
    while (str_split(&names, ',', &name))
        count += !str_empty(str_trim(name));
    return count;
}

static int input_check(struct ctx *ctx, const struct notice_input *in)
{
    if (!str_empty(in->channel) && !str_ieq(in->channel, STR("builtin")))
        return err_set(ctx, &ERR_NOTIFY,
                       "This portal sends neither mail nor push messages: 'notificationChannelType' has to be "
                       "builtin.");
    if (str_empty(str_trim(in->subject)) && str_empty(str_trim(in->message)))
        return err_set(ctx, &ERR_NOTIFY, "'subject' or 'message' is required.");
    if (!in->all && name_count(in->users) == 0)
        return err_set(ctx, &ERR_NOTIFY, "'users' is missing.");
    if (name_count(in->users) > NAMES_MAX)
        return err_set(ctx, &ERR_NOTIFY, "'users' names more than %d users.", NAMES_MAX);
    TRY(item_text_check(ctx, "subject", in->subject, SUBJECT_CHARS));
    return item_text_check(ctx, "message", in->message, MESSAGE_CHARS);
}

static struct notice notice_of(const struct notice_call *call, const struct group *g)
{
    return (struct notice){.type = "message_received",
                           .group = g,
                           .from = call->caller->username,
                           .subject = str_trim(call->in->subject),
                           .message = call->in->message};
}

/* Each named user, of the group when there is one. */
static int tell_named(struct ctx *ctx, struct sql_tx *tx, struct notice_call *call, const struct notice *n)
{
    str rest = call->in->users, name;
    call->failed_count = 0;
    while (str_split(&rest, ',', &name)) {
        struct user u;
        enum member_type type = MEMBER_MEMBER;
        name = str_trim(name);
        if (str_empty(name))
            continue;
        int rc = meta_user_get(ctx, tx, name, &u);
        if (rc == RC_OK && n->group)
            rc = meta_member_type(ctx, tx, &n->group->id, u.username, &type);
        if (rc == RC_OK && type != MEMBER_NONE)
            rc = notice_put(ctx, tx, u.username, n);
        else if (rc == RC_OK || rc == RC_NOT_FOUND)
            rc = RC_OK, call->failed[call->failed_count++] = name;
        TRY(rc);
    }
    return RC_OK;
}

static int tell_group(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct notice_call *call = arg;
    struct group g;
    struct member *members;
    size_t count;
    TRY(group_allowed(ctx, tx, call->caller, call->id, access_group_update, &g));
    const struct notice n = notice_of(call, &g);
    if (!call->in->all)
        return tell_named(ctx, tx, call, &n);
    TRY(meta_members(ctx, tx, &g.id, &members, &count));
    for (size_t i = 0; i < count; i++)
        TRY(notice_put(ctx, tx, members[i].username, &n));
    return RC_OK;
}

static int tell_users(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct notice_call *call = arg;
    const struct notice n = notice_of(call, NULL);
    return tell_named(ctx, tx, call, &n);
}

static int tell(struct ctx *ctx, struct site *s, sql_fn *fn, struct notice_call *call, str **failed_out, size_t *failed_count_out)
{
    TRY(input_check(ctx, call->in));
    call->failed = arena_array(ctx->arena, str, name_count(call->in->users));
    TRY(sql_write(ctx, s->sql, fn, call));
    *failed_out = call->failed;
    *failed_count_out = call->failed_count;
    return RC_OK;
}

int notice_to_group(struct ctx *ctx, struct site *s, const struct caller *c, const id *group, const struct notice_input *in,
                    str **failed_out, size_t *failed_count_out)
{
    return tell(ctx, s, tell_group, &(struct notice_call){.caller = c, .id = group, .in = in}, failed_out, failed_count_out);
}

int notice_to_users(struct ctx *ctx, struct site *s, const struct caller *c, const struct notice_input *in, str **failed_out,
                    size_t *failed_count_out)
{
    TRY(service_require(ctx, c, access_administer(c)));
    return tell(ctx, s, tell_users, &(struct notice_call){.caller = c, .in = in}, failed_out, failed_count_out);
}
