/* What readers say of an item: comments, with one level of replies, and ratings from 1 to 5. Source: the API's pages of both. */
#include "service/item_comment.h"
#include "service/item_private.h"

enum { COMMENT_CHARS = 4000, COMMENTS_MAX = 10000 };

struct comment_call {
    const struct caller *caller;
    const id *item, *comment;
    str text;
    const struct meta_page *page;
    struct comment row;
    struct comment *list;
    size_t count;
    int64_t total;
    double value;
    struct rating *rating;
};

typedef bool item_question(const struct caller *c, const struct access_item *it);

/* The item, for somebody who may do that with it. */
static int item_for(struct ctx *ctx, struct sql_tx *tx, const struct comment_call *call, item_question *may, struct item *it_out,
                    struct access_item *facts_out)
{
    TRY(item_facts(ctx, tx, call->caller, call->item, it_out, facts_out));
    return service_require(ctx, call->caller, may(call->caller, facts_out));
}

static int comment_of(struct ctx *ctx, struct sql_tx *tx, const id *item, const id *comment, struct comment *out)
{
    int rc = meta_comment_get(ctx, tx, comment, out);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !id_eq(out->item, *item)))
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_COMMENT_MISSING, "The item has no comment '%s'.", comment->text);
    return rc;
}

static int text_check(struct ctx *ctx, str text)
{
    if (str_empty(text))
        return err_set(ctx, &ERR_PARAMETER, "'comment' is missing.");
    return item_text_check(ctx, "comment", text, COMMENT_CHARS);
}

/* ---- comments ---- */

static int add_comment(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    struct comment parent;
    TRY(item_for(ctx, tx, call, access_item_comment, &it, &facts));
    if (it.comments_disabled)
        return err_set(ctx, &ERR_COMMENT, "Comments on item '%s' are not enabled.", it.id.text);
    if (it.num_comments >= COMMENTS_MAX)
        return err_set(ctx, &ERR_COMMENT, "Item '%s' has %d comments already.", it.id.text, COMMENTS_MAX);
    if (!id_none(*call->comment)) {
        TRY(comment_of(ctx, tx, call->item, call->comment, &parent));
        if (!id_none(parent.parent))
            return err_set(ctx, &ERR_COMMENT, "Comment '%s' is a reply: there are no replies to replies.", parent.id.text);
    }
    call->row = (struct comment){.id = id_new(),
                                 .item = it.id,
                                 .parent = *call->comment,
                                 .author = call->caller->username,
                                 .text = call->text,
                                 .created = ctx_now(ctx)};
    return meta_comment_insert(ctx, tx, &call->row);
}

int item_comment_add(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *parent, str text, id *out)
{
    struct comment_call call = {.caller = c, .item = item, .comment = parent, .text = str_trim(text)};
    TRY(text_check(ctx, call.text));
    TRY(sql_write(ctx, s->sql, add_comment, &call));
    *out = call.row.id;
    return RC_OK;
}

static int get_comment(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_read, &it, &facts));
    return comment_of(ctx, tx, call->item, call->comment, &call->row);
}

int item_comment_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment,
                     struct comment *out)
{
    struct comment_call call = {.caller = c, .item = item, .comment = comment};
    TRY(sql_read(ctx, s->sql, get_comment, &call));
    *out = call.row;
    return RC_OK;
}

static int list_comments(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_read, &it, &facts));
    call->total = it.num_comments;
    return meta_comments(ctx, tx, call->item, call->page, &call->list, &call->count);
}

int item_comments(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const struct meta_page *page,
                  struct item_comment_page *out)
{
    struct comment_call call = {.caller = c, .item = item, .page = page};
    TRY(sql_read(ctx, s->sql, list_comments, &call));
    *out = (struct item_comment_page){.list = call.list, .count = call.count, .total = call.total};
    return RC_OK;
}

static int update_comment(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_comment, &it, &facts));
    TRY(comment_of(ctx, tx, call->item, call->comment, &call->row));
    TRY(service_require(ctx, call->caller, access_comment_update(call->caller, &facts, call->row.author)));
    call->row.text = call->text;
    return meta_comment_update(ctx, tx, &call->row);
}

int item_comment_update(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment, str text)
{
    struct comment_call call = {.caller = c, .item = item, .comment = comment, .text = str_trim(text)};
    TRY(text_check(ctx, call.text));
    return sql_write(ctx, s->sql, update_comment, &call);
}

static int delete_comment(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_comment, &it, &facts));
    TRY(comment_of(ctx, tx, call->item, call->comment, &call->row));
    TRY(service_require(ctx, call->caller, access_comment_delete(call->caller, &facts, call->row.author)));
    return meta_comment_delete(ctx, tx, &call->row);
}

int item_comment_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, const id *comment)
{
    return sql_write(ctx, s->sql, delete_comment, &(struct comment_call){.caller = c, .item = item, .comment = comment});
}

/* ---- ratings ---- */

static int rate(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_rate, &it, &facts));
    const struct rating r = {.username = call->caller->username, .value = call->value, .created = ctx_now(ctx)};
    return meta_rating_put(ctx, tx, call->item, &r);
}

int item_rating_put(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, double value)
{
    if (!(value >= 1 && value <= 5)) /* NaN as well */
        return err_set(ctx, &ERR_PARAMETER, "'rating' has to be a number from 1 to 5.");
    return sql_write(ctx, s->sql, rate, &(struct comment_call){.caller = c, .item = item, .value = value});
}

static int unrate(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_comment, &it, &facts));
    int rc = meta_rating_delete(ctx, tx, call->item, call->caller->username);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_RATING_MISSING, "You have not rated item '%s'.", it.id.text) : rc;
}

int item_rating_delete(struct ctx *ctx, struct site *s, const struct caller *c, const id *item)
{
    return sql_write(ctx, s->sql, unrate, &(struct comment_call){.caller = c, .item = item});
}

static int get_rating(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct comment_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_for(ctx, tx, call, access_item_comment, &it, &facts));
    int rc = meta_rating_get(ctx, tx, call->item, call->caller->username, call->rating);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_RATING_MISSING, "You have not rated item '%s'.", it.id.text) : rc;
}

int item_rating_get(struct ctx *ctx, struct site *s, const struct caller *c, const id *item, struct rating *out)
{
    return sql_read(ctx, s->sql, get_rating, &(struct comment_call){.caller = c, .item = item, .rating = out});
}
