/* Roles over REST. Source: api.md 3.6. */
#include "service/role.h"

#include "web/sharing/sharing.h"

int roles_list(struct ctx *ctx, struct call *call)
{
    struct custom_role *list;
    size_t count;
    TRY(sharing_portal_check(ctx, call));
    TRY(role_list(ctx, call->site, &call->caller, &list, &count));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    size_t from, n;
    sharing_page_cut(&page, count, &from, &n);
    json_begin_object(&call->out);
    sharing_paging(call, &page, (int64_t)count, n);
    json_name(&call->out, "roles");
    json_begin_array(&call->out);
    for (size_t i = from; i < from + n; i++)
        role_print(&call->out, &list[i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

static int find(struct ctx *ctx, struct call *call, struct custom_role *out)
{
    TRY(sharing_portal_check(ctx, call));
    return role_get(ctx, call->site, &call->caller, call_path(call, "roleId"), out);
}

int roles_get(struct ctx *ctx, struct call *call)
{
    struct custom_role role;
    TRY(find(ctx, call, &role));
    role_print(&call->out, &role);
    return RC_OK;
}

int roles_privileges(struct ctx *ctx, struct call *call)
{
    struct custom_role role;
    TRY(find(ctx, call, &role));
    json_begin_object(&call->out);
    json_name(&call->out, "privileges");
    role_privileges_print(&call->out, role.privileges);
    json_end_object(&call->out);
    return RC_OK;
}

int roles_create(struct ctx *ctx, struct call *call)
{
    const struct role_input in = {.name = call_param(call, "name"),
                                  .description = call_param(call, "description"),
                                  .privileges = call_param(call, "privileges")};
    struct custom_role role;
    TRY(sharing_portal_check(ctx, call));
    TRY(role_create(ctx, call->site, &call->caller, &in, &role));
    return sharing_success(call, "id", role.id);
}

static int change(struct ctx *ctx, struct call *call, const struct role_input *in)
{
    struct custom_role role;
    TRY(sharing_portal_check(ctx, call));
    TRY(role_update(ctx, call->site, &call->caller, call_path(call, "roleId"), in, &role));
    return sharing_success(call, "id", role.id);
}

int roles_update(struct ctx *ctx, struct call *call)
{
    return change(ctx, call,
                  &(struct role_input){.name = call_param(call, "name"), .description = call_param(call, "description")});
}

int roles_set_privileges(struct ctx *ctx, struct call *call)
{
    return change(ctx, call, &(struct role_input){.privileges = call_param(call, "privileges")});
}

int roles_delete(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    TRY(role_delete(ctx, call->site, &call->caller, call_path(call, "roleId")));
    return sharing_success(call, "id", call_path(call, "roleId"));
}
