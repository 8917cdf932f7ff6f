/* Comments and ratings over REST. */
#include "service/item_comment.h"
#include "model/errors.h"
#include "web/sharing/sharing.h"

static void comment_print(struct json_out *o, const struct comment *c)
{
    json_begin_object(o);
    json_member_str(o, "id", id_str(&c->id));
    json_member_str(o, "owner", c->author);
    json_member_int(o, "created", c->created);
    json_member_str(o, "comment", c->text);
    json_member_str(o, "parentId", id_none(c->parent) ? STR_NONE : id_str(&c->parent));
    json_member_int(o, "numReplies", c->reply_count);
    json_member_int(o, "latestReply", c->latest_reply);
    json_end_object(o);
}

static int ids_of(struct ctx *ctx, const struct call *call, id *item_out, id *comment_out)
{
    TRY(sharing_item_id(ctx, call, item_out));
    if (call_path_id(call, "commentId", comment_out))
        return RC_OK;
    return err_set(ctx, &ERR_COMMENT_MISSING, "'%.*s' is not the id of a comment.",
                   STR_FMT(str_sub(call_path(call, "commentId"), 0, 64)));
}

int comments_list(struct ctx *ctx, struct call *call)
{
    id item;
    struct item_comment_page comments;
    TRY(sharing_item_id(ctx, call, &item));
    struct sharing_page page = sharing_page(call, SHARING_PAGE_MAX);
    struct meta_page rows = sharing_meta_page(&page);
    TRY(item_comments(ctx, call->site, &call->caller, &item, &rows, &comments));
    json_begin_object(&call->out);
    sharing_paging(call, &page, comments.total, comments.count);
    json_name(&call->out, "comments");
    json_begin_array(&call->out);
    for (size_t i = 0; i < comments.count; i++)
        comment_print(&call->out, &comments.list[i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}

int comments_get(struct ctx *ctx, struct call *call)
{
    id item, comment;
    struct comment c;
    TRY(ids_of(ctx, call, &item, &comment));
    TRY(item_comment_get(ctx, call->site, &call->caller, &item, &comment, &c));
    comment_print(&call->out, &c);
    return RC_OK;
}

int comments_add(struct ctx *ctx, struct call *call)
{
    id item, parent = ID_NONE, made;
    TRY(sharing_item_id(ctx, call, &item));
    call_id(call, "parentId", &parent);
    TRY(item_comment_add(ctx, call->site, &call->caller, &item, &parent, call_param(call, "comment"), &made));
    return sharing_success(call, "commentId", id_str(&made));
}

int comments_update(struct ctx *ctx, struct call *call)
{
    id item, comment;
    TRY(ids_of(ctx, call, &item, &comment));
    TRY(item_comment_update(ctx, call->site, &call->caller, &item, &comment, call_param(call, "comment")));
    return sharing_success(call, "commentId", id_str(&comment));
}

int comments_delete(struct ctx *ctx, struct call *call)
{
    id item, comment;
    TRY(ids_of(ctx, call, &item, &comment));
    TRY(item_comment_delete(ctx, call->site, &call->caller, &item, &comment));
    return sharing_success(call, "commentId", id_str(&comment));
}

/* ---- ratings ---- */

int comments_rate(struct ctx *ctx, struct call *call)
{
    id item;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_rating_put(ctx, call->site, &call->caller, &item, call_double(call, "rating")));
    return sharing_success(call, NULL, STR_NONE);
}

int comments_unrate(struct ctx *ctx, struct call *call)
{
    id item;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_rating_delete(ctx, call->site, &call->caller, &item));
    return sharing_success(call, NULL, STR_NONE);
}

int comments_rating(struct ctx *ctx, struct call *call)
{
    id item;
    struct rating r;
    TRY(sharing_item_id(ctx, call, &item));
    TRY(item_rating_get(ctx, call->site, &call->caller, &item, &r));
    json_begin_object(&call->out);
    json_member_double(&call->out, "rating", r.value);
    json_member_int(&call->out, "created", r.created);
    json_end_object(&call->out);
    return RC_OK;
}
