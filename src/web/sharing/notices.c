/* Invitations, applications and notifications over REST. Source: api.md 3.3, 3.4; the shapes are those that arcgis-rest-js
 * declares. */
#include "model/errors.h"
#include "service/group_request.h"
#include "service/notice.h"
#include "web/sharing/sharing.h"

/* ---- invitations ---- */

/* "G" before the digits is how some portals write these ids. */
static int request_id(struct ctx *ctx, const struct call *call, id *out)
{
    str text = call_path(call, "invitationId");
    if (id_parse(text, out) || (str_istarts(text, STR("G")) && id_parse(str_sub(text, 1, text.n), out)))
        return RC_OK;
    return err_set(ctx, &ERR_INVITATION_MISSING, "'%.*s' is not the id of an invitation.", STR_FMT(str_sub(text, 0, 64)));
}

static void from_print(struct json_out *o, const struct user *from)
{
    json_name(o, "fromUsername");
    json_begin_object(o);
    json_member_str(o, "username", from->username);
    json_member_str(o, "fullname", from->full_name);
    json_end_object(o);
}

static void invitation_print(struct call *call, const struct request_view *v)
{
    const struct group_request *r = &v->request;
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_str(o, "id", id_str(&r->id));
    json_member_c(o, "targetType", "group");
    json_member_str(o, "targetId", id_str(&r->group));
    json_member_int(o, "received", r->created);
    json_member_bool(o, "accepted", false);
    json_member_bool(o, "mustApprove", false);
    json_member_str(o, "email", str_empty(v->user.email) ? STR_NONE : v->user.email);
    json_member_c(o, "role", r->member_type == MEMBER_ADMIN ? "group_admin" : "group_member");
    json_member_c(o, "type", "user");
    json_member_int(o, "dateAccepted", -1);
    json_member_int(o, "expiration", r->expires ? r->expires : -1);
    json_member_int(o, "created", r->created);
    json_member_str(o, "username", r->username);
    from_print(o, &v->from);
    json_member_str(o, "groupId", id_str(&r->group));
    json_name(o, "group");
    group_print(o, &v->group, member_type_name(MEMBER_NONE), r->username);
    json_end_object(o);
}

int notices_invitations(struct ctx *ctx, struct call *call)
{
    struct request_view *list;
    size_t count;
    TRY(group_invitations(ctx, call->site, &call->caller, call_path(call, "user"), &list, &count));
    json_begin_object(&call->out);
    json_name(&call->out, "userInvitations");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        invitation_print(call, &list[i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

int notices_invitation(struct ctx *ctx, struct call *call)
{
    id request;
    struct request_view view;
    TRY(request_id(ctx, call, &request));
    TRY(group_invitation(ctx, call->site, &call->caller, call_path(call, "user"), &request, &view));
    invitation_print(call, &view);
    return RC_OK;
}

static int answered(struct call *call, const struct group_request *r)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_bool(o, "success", true);
    json_member_str(o, "username", r->username);
    json_member_str(o, "groupId", id_str(&r->group));
    json_member_str(o, "id", id_str(&r->id));
    json_end_object(o);
    return RC_OK;
}

static int answer_invitation(struct ctx *ctx, struct call *call, bool accept)
{
    id request;
    struct group_request done;
    TRY(request_id(ctx, call, &request));
    TRY(group_invitation_answer(ctx, call->site, &call->caller, call_path(call, "user"), &request, accept, &done));
    return answered(call, &done);
}

int notices_accept(struct ctx *ctx, struct call *call) { return answer_invitation(ctx, call, true); }
int notices_decline(struct ctx *ctx, struct call *call) { return answer_invitation(ctx, call, false); }

/* "success" says that all of it worked; the names that did not are listed. */
static int names_answer(struct call *call, const char *name, const str *list, size_t count)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_bool(o, "success", count == 0);
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        json_put_str(o, list[i]);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int notices_invite(struct ctx *ctx, struct call *call)
{
    id group;
    str *failed;
    size_t count;
    const struct invite_input in = {.users = call_param(call, "users"),
                                    .member_type = str_trim(sharing_text(call, "role")),
                                    .minutes = call_int(call, "expiration")};
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_invite(ctx, call->site, &call->caller, &group, &in, &failed, &count));
    return names_answer(call, "notInvited", failed, count);
}

/* ---- applications ---- */

int notices_applications(struct ctx *ctx, struct call *call)
{
    id group;
    struct request_view *list;
    size_t count, from, n;
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct json_out *o = &call->out;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_applications(ctx, call->site, &call->caller, &group, &list, &count));
    sharing_page_cut(&page, count, &from, &n);
    json_begin_object(o);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(o, "applications");
    json_begin_array(o);
    for (size_t i = from; i < from + n; i++) {
        json_begin_object(o);
        json_member_str(o, "username", list[i].request.username);
        json_member_str(o, "fullname", list[i].user.full_name);
        json_member_int(o, "received", list[i].request.created);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

static int answer_application(struct ctx *ctx, struct call *call, bool accept)
{
    id group;
    struct group_request done;
    TRY(sharing_group_id(ctx, call, &group));
    TRY(group_application_answer(ctx, call->site, &call->caller, &group, call_path(call, "username"), accept, &done));
    return answered(call, &done);
}

int notices_let_in(struct ctx *ctx, struct call *call) { return answer_application(ctx, call, true); }
int notices_keep_out(struct ctx *ctx, struct call *call) { return answer_application(ctx, call, false); }

/* ---- notifications ---- */

int notices_list(struct ctx *ctx, struct call *call)
{
    struct notification *list;
    size_t count;
    struct json_out *o = &call->out;
    TRY(notice_list(ctx, call->site, &call->caller, call_path(call, "user"), &list, &count));
    json_begin_object(o);
    json_name(o, "notifications");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(o);
        json_member_str(o, "id", id_str(&list[i].id));
        json_member_str(o, "type", list[i].type);
        json_member_str(o, "targetType", list[i].target_type);
        json_member_str(o, "target", list[i].target);
        json_member_int(o, "received", list[i].received);
        json_member_raw(o, "data", list[i].data);
        json_end_object(o);
    }
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int notices_delete(struct ctx *ctx, struct call *call)
{
    id notification;
    str text = call_path(call, "notificationId");
    if (!id_parse(text, &notification))
        return err_set(ctx, &ERR_NOTIFICATION_MISSING, "'%.*s' is not the id of a notification.", STR_FMT(str_sub(text, 0, 64)));
    TRY(notice_delete(ctx, call->site, &call->caller, call_path(call, "user"), &notification));
    return sharing_success(call, "notificationId", id_str(&notification));
}

static struct notice_input input_of(const struct call *call)
{
    return (struct notice_input){.subject = sharing_text(call, "subject"),
                                 .message = sharing_text(call, "message"),
                                 .users = sharing_text(call, "users"),
                                 .all = call_bool(call, "notifyAll"),
                                 .channel = str_trim(sharing_text(call, "notificationChannelType"))};
}

int notices_to_group(struct ctx *ctx, struct call *call)
{
    id group;
    str *failed;
    size_t count;
    const struct notice_input in = input_of(call);
    TRY(sharing_group_id(ctx, call, &group));
    TRY(notice_to_group(ctx, call->site, &call->caller, &group, &in, &failed, &count));
    return names_answer(call, "notNotified", failed, count);
}

int notices_to_users(struct ctx *ctx, struct call *call)
{
    str *failed;
    size_t count;
    struct notice_input in = input_of(call);
    in.all = false;
    TRY(sharing_portal_check(ctx, call));
    TRY(notice_to_users(ctx, call->site, &call->caller, &in, &failed, &count));
    return names_answer(call, "notNotified", failed, count);
}
