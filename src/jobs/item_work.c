/* Adding and updating items as a job. The request holds what the client sent; running it again after a restart finds the item
 * there, or does the same again. */
#include "jobs/item_work.h"
#include "jobs/kinds.h"
#include "jobs/lists.h"
#include "model/errors.h"
#include "service/item_fetch.h"
#include "service/upload.h"

enum { REQUEST_MAX = 64 << 20 };

static const char *const kind_names[] = {[ITEM_WORK_ADD] = "add", [ITEM_WORK_UPDATE] = "update", [ITEM_WORK_COMMIT] = "commit"};

/* The members of an input that are texts; absent ones are not written. */
#define TEXT_MEMBERS(member)                                                                                                     \
    member("dataUrl", data_url) member("thumbnailUrl", thumbnail_url) member("fileName", file_name)                              \
        member("relationshipType", relationship_type) member("access", access)

/* ---- request ---- */

bool item_work_can_wait(const struct item_work *w)
{
    const struct item_input *in = &w->in;
    bool brought = in->file || in->metadata || (in->has_text && !str_empty(in->text));
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++)
        brought = brought || in->picture[i].blob;
    for (size_t i = 0; i < ITEM_CREDENTIAL_COUNT; i++)
        brought = brought || !str_none(in->credential[i]);
    return !brought && (w->kind == ITEM_WORK_COMMIT || item_fetch_needed(in));
}

static void input_print(struct json_out *o, const struct item_input *in)
{
    json_name(o, "fields");
    item_given_print(o, in->field);
#define PRINT(name, member)                                                                                                      \
    if (!str_none(in->member))                                                                                                   \
        json_member_str(o, name, in->member);
    TEXT_MEMBERS(PRINT)
#undef PRINT
    json_member_bool(o, "clearEmptyFields", in->clear_empty);
    json_member_bool(o, "overwrite", in->overwrite);
    json_member_bool(o, "idGiven", in->id_given);
    json_member_int(o, "comments", in->comments);
    json_member_str(o, "origin", id_str(&in->origin));
    json_member_str(o, "destination", id_str(&in->destination));
}

static str request_print(struct ctx *ctx, const struct item_work *w)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "kind", kind_names[w->kind]);
    access_caller_print(&o, &w->caller);
    json_member_str(&o, "owner", w->owner);
    json_member_str(&o, "folder", id_str(&w->folder));
    json_member_str(&o, "itemId", id_str(&w->item));
    input_print(&o, &w->in);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

static void input_parse(struct ctx *ctx, struct json v, struct item_input *in)
{
    item_given_parse(ctx->arena, json_get_c(v, "fields"), in->field);
#define PARSE(name, member_) in->member_ = json_string(json_get_c(v, name), ctx->arena);
    TEXT_MEMBERS(PARSE)
#undef PARSE
    in->clear_empty = json_bool(json_get_c(v, "clearEmptyFields"), false);
    in->overwrite = json_bool(json_get_c(v, "overwrite"), false);
    in->id_given = json_bool(json_get_c(v, "idGiven"), false);
    int64_t comments = SWITCH_AS_IT_IS;
    if (json_int(json_get_c(v, "comments"), &comments))
        in->comments = (enum item_switch)comments;
    id_parse(json_string(json_get_c(v, "origin"), ctx->arena), &in->origin);
    id_parse(json_string(json_get_c(v, "destination"), ctx->arena), &in->destination);
}

static int request_parse(struct ctx *ctx, struct json v, struct item_work *out)
{
    str kind = json_string(json_get_c(v, "kind"), ctx->arena);
    size_t k = 0;
    while (k < COUNT_OF(kind_names) && !str_eq(str_c(kind_names[k]), kind))
        k++;
    *out = (struct item_work){.kind = (enum item_work_kind)k, .owner = json_string(json_get_c(v, "owner"), ctx->arena)};
    id_parse(json_string(json_get_c(v, "folder"), ctx->arena), &out->folder);
    if (k == COUNT_OF(kind_names) || !access_caller_parse(ctx->arena, v, &out->caller) ||
        !id_parse(json_string(json_get_c(v, "itemId"), ctx->arena), &out->item))
        return err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
    input_parse(ctx, v, &out->in);
    return RC_OK;
}

static str definition_print(struct ctx *ctx, const struct item_work *w)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "type", "item");
    json_member_c(&o, "operation", kind_names[w->kind]);
    json_member_str(&o, "itemId", id_str(&w->item));
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

int item_work_submit(struct ctx *ctx, struct jobs *jobs, const struct item_work *w)
{
    char key[JOB_KEY_SIZE];
    id job;
    const struct job_submit what = {.kind = "item",
                                    .owner = w->caller.username,
                                    .definition = definition_print(ctx, w),
                                    .request = request_print(ctx, w),
                                    .item = id_str(&w->item)};
    return jobs_submit(ctx, jobs, &what, &job, key);
}

/* ---- the work ---- */

/* Is the item there, as an earlier run of this job left it? */
static int there(struct ctx *ctx, struct site *s, const struct item_work *w, bool *out)
{
    struct item_view v;
    int rc = item_get(ctx, s, &w->caller, &w->item, &v);
    *out = rc == RC_OK;
    if (rc == RC_NOT_FOUND)
        err_clear(ctx);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int work_add(struct ctx *ctx, struct site *s, struct item_work *w)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    id made;
    bool done;
    TRY(there(ctx, s, w, &done));
    if (done)
        return RC_OK;
    TRY(item_fetch(ctx, s, &w->in, &fetched));
    w->in.wanted_id = w->item;
    return item_add(ctx, s, &w->caller, w->owner, &w->folder, &w->in, &made);
}

static int work_update(struct ctx *ctx, struct site *s, struct item_work *w)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    TRY(item_fetch(ctx, s, &w->in, &fetched));
    return item_update(ctx, s, &w->caller, &w->item, &w->in);
}

static int work_commit(struct ctx *ctx, struct site *s, struct item_work *w)
{
    CLEANUP(item_fetched_close) struct item_fetched fetched = {0};
    const struct upload_ref ref = {.owner = w->owner, .item = w->item};
    int64_t touched;
    id folder;
    bool done = false;
    TRY(upload_find(ctx, s, &w->caller, &ref, &touched));
    if (touched < 0)
        TRY(there(ctx, s, w, &done));
    if (done)
        return RC_OK;
    TRY(item_fetch(ctx, s, &w->in, &fetched));
    return upload_commit(ctx, s, &w->caller, &ref, &w->in, &folder);
}

int job_item_work(struct ctx *ctx, struct job_run *run)
{
    static int (*const works[])(struct ctx * ctx, struct site * s, struct item_work * w) = {
        [ITEM_WORK_ADD] = work_add, [ITEM_WORK_UPDATE] = work_update, [ITEM_WORK_COMMIT] = work_commit};
    struct item_work w;
    TRY(request_parse(ctx, run->request, &w));
    TRY(works[w.kind](ctx, run->site, &w));
    run->job->result = arena_printf(ctx->arena, "{\"itemId\":\"%s\"}", w.item.text);
    return RC_OK;
}
