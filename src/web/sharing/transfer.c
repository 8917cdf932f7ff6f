/* Group export and import over REST, exactly as the two documents say, and the jobs behind them. */
#include "jobs/export_group.h"
#include "jobs/import_group.h"
#include "jobs/lists.h"
#include "model/errors.h"
#include "service/group.h"
#include "service/item.h"
#include "service/user.h"
#include "web/handlers.h"
#include "web/sharing/sharing.h"

static int group_of(struct ctx *ctx, struct call *call, struct group *out)
{
    id group;
    if (!call_path_id(call, "groupId", &group))
        return err_kind(ctx, &ERR_GROUP_MISSING);
    return group_move_check(ctx, call->site, &call->caller, &group, out);
}

/* A folder of a user by id, or by title, which is made when it is missing. */
static int folder_of(struct ctx *ctx, struct call *call, str owner, const char *id_param, str title, id *out)
{
    *out = ID_NONE;
    struct user_content content;
    if (call_has(call, id_param)) {
        call_id(call, id_param, out);
        return content_list(ctx, call->site, &call->caller, owner, out, &(struct meta_page){.num = 1},
                            &content); /* is it there? */
    }
    if (str_empty(title))
        return RC_OK;
    TRY(content_list(ctx, call->site, &call->caller, owner, &ID_NONE, &(struct meta_page){.num = 1}, &content));
    for (size_t i = 0; i < content.folder_count; i++)
        if (str_ieq(content.folders[i].title, title)) {
            *out = content.folders[i].id;
            return RC_OK;
        }
    struct folder made;
    TRY(folder_create(ctx, call->site, &call->caller, owner, title, &made));
    *out = made.id;
    return RC_OK;
}

static int submit(struct ctx *ctx, struct call *call, const struct job_submit *what)
{
    id job;
    char key[JOB_KEY_SIZE];
    TRY(jobs_submit(ctx, call->web->jobs, what, &job, key));
    json_begin_object(&call->out);
    json_member_str(&call->out, "jobId", id_str(&job));
    json_member_c(&call->out, "key", key);
    json_end_object(&call->out);
    return RC_OK;
}

/* Submits and waits, within the cap of synchronous calls. A job that failed becomes the call's error. */
static int run_and_wait(struct ctx *ctx, struct call *call, const struct job_submit *what, struct job *out)
{
    TRY(jobs_wait_begin(ctx, call->web->jobs));
    id job;
    char key[JOB_KEY_SIZE];
    int rc = jobs_submit(ctx, call->web->jobs, what, &job, key);
    if (rc == RC_OK)
        rc = jobs_wait(ctx, call->web->jobs, &job, out);
    jobs_wait_end(call->web->jobs);
    TRY(rc);
    if (out->state == JOB_SUCCEEDED)
        return RC_OK;
    struct json messages;
    TRY(json_parse(ctx, out->messages, &messages));
    size_t count = json_count(messages);
    str last = count ? json_string(json_at(messages, count - 1), ctx->arena) : STR("");
    return err_set(ctx, &ERR_PACKAGE, "%.*s", STR_FMT(last));
}

/* ---- export ---- */

/* One row of a preview; flag: canExport or canImport. */
static void preview_item_print(struct json_out *o, const struct plan_item *p, const char *flag)
{
    json_begin_object(o);
    json_member_str(o, "id", id_str(&p->id));
    json_member_str(o, "itemId", id_str(&p->id)); /* what some clients read */
    json_member_str(o, "type", p->type);
    json_member_str(o, "title", p->title);
    json_member_int(o, "size", p->size);
    json_member_bool(o, "exists", p->exists);
    json_member_bool(o, flag, plan_carries(p));
    if (!plan_carries(p))
        json_member_str(o, "reason", p->reason);
    json_member_int(o, "created", p->created);
    json_member_int(o, "modified", p->modified);
    json_end_object(o);
}

static int export_preview(struct ctx *ctx, struct call *call, const struct export_request *r)
{
    struct plan plan;
    TRY(export_plan(ctx, call->site, r, &plan));
    TRY(export_references(ctx, call->site, r, &plan));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_int(o, "total", (int64_t)plan.count);
    json_member_int(o, "start", 1);
    json_member_int(o, "num", (int64_t)plan.count);
    json_member_int(o, "nextStart", -1);
    json_name(o, "results");
    json_begin_array(o);
    for (size_t i = 0; i < plan.count; i++)
        preview_item_print(o, &plan.items[i], "canExport");
    json_end_array(o);
    lists_references(o, &plan);
    json_end_object(o);
    return RC_OK;
}

static bool nothing_exported(struct ctx *ctx, const struct job *job)
{
    struct hash hash;
    str name;
    return export_package_of(ctx, job, &hash, &name) == RC_END;
}

/* html: the package as a stream, and no item is left. json: the stream cannot be given, which is HTTP status 400. Nothing to
 * export: three lists. */
static int export_now(struct ctx *ctx, struct call *call, const struct job_submit *what)
{
    struct job job;
    TRY(run_and_wait(ctx, call, what, &job));
    if (nothing_exported(ctx, &job)) {
        struct json result;
        TRY(json_parse(ctx, job.result, &result));
        json_begin_object(&call->out);
        static const char *const lists[] = {"itemsExported", "itemsSkipped", "itemsFailedExport"};
        for (size_t i = 0; i < COUNT_OF(lists); i++)
            json_member_raw(&call->out, lists[i], json_raw(json_get_c(result, lists[i])));
        json_end_object(&call->out);
        if (call->format == FORMAT_HTML) /* whoever waits for a stream reads JSON, no page */
            call->format = FORMAT_JSON;
        return RC_OK;
    }
    if (call->format != FORMAT_HTML)
        return err_set(
            ctx, &ERR_EXPORT_JSON,
            "Call with async=true to get a job and an Export Package item, or with f=html to get the package as a stream.");
    struct hash hash;
    str name;
    TRY(export_package_of(ctx, &job, &hash, &name));
    return reply_blob(ctx, call, hash, STR("application/octet-stream"), arena_printf(ctx->arena, "%.*s.epk", STR_FMT(name)));
}

int transfer_export(struct ctx *ctx, struct call *call)
{
    struct group group;
    TRY(group_of(ctx, call, &group));
    bool async = call_bool(call, "async");
    struct export_request r = {.group = group.id,
                               .group_title = group.title,
                               .caller = call->caller,
                               .all = !call_has(call, "itemIdList"),
                               .file_name =
                                   call_has(call, "outputFileName") ? str_trim(call_param(call, "outputFileName")) : STR(""),
                               .keep_item = async};
    if (str_ends(r.file_name, STR(".epk")))
        r.file_name = str_sub(r.file_name, 0, r.file_name.n - 4);
    if (!str_empty(r.file_name))
        TRY(item_name_check(ctx, "outputFileName", r.file_name));
    if (r.file_name.n > 200)
        return err_set(ctx, &ERR_PARAMETER, "'outputFileName' has more than 200 bytes.");
    TRY(call_ids(ctx, call, "itemIdList", &r.items, &r.item_count));
    if (call_bool(call, "previewOnly"))
        return export_preview(ctx, call, &r);
    if (async)
        TRY(folder_of(ctx, call, call->caller.username, "exportContentFolderId",
                      call_has(call, "exportContentFolder") ? str_trim(call_param(call, "exportContentFolder")) : STR(""),
                      &r.folder));
    TRY(site_check_space(ctx, call->site, 0));
    struct job_submit what = {.kind = "export",
                              .owner = r.caller.username,
                              .definition = export_definition(ctx, &r),
                              .request = export_request_print(ctx, &r),
                              .item = STR("")};
    return async ? submit(ctx, call, &what) : export_now(ctx, call, &what);
}

/* ---- import ---- */

static void source_print(struct json_out *o, const struct portal_info *s)
{
    json_name(o, "sourcePortalInfo");
    json_begin_object(o);
    json_member_str(o, "httpsUrl", s->https_url);
    json_member_str(o, "httpUrl", s->http_url);
    json_member_str(o, "version", s->version);
    json_member_str(o, "portalId", s->portal_id);
    json_member_bool(o, "isPortal", s->is_portal);
    json_end_object(o);
}

static int import_preview_print(struct ctx *ctx, struct call *call, const struct import_request *r, int64_t start, int64_t num)
{
    if (start < 1 || num < 1 || num > 1000)
        return err_set(ctx, &ERR_PARAMETER, "'start' counts from 1, and 'num' is 1 to 1000.");
    CLEANUP(portal_cleanup) struct portal *package = NULL;
    TRY(import_open(ctx, call->site, &r->package, STR(""), &package));
    struct package_summary summary;
    package_summary(package, &summary);
    struct plan plan;
    TRY(import_plan(ctx, call->site, package, r, &ID_NONE, &plan));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_name(o, "packageSummary");
    json_begin_object(o);
    json_member_str(o, "id", id_str(&r->package));
    json_member_str(o, "fileName", summary.file_name);
    json_member_str(o, "packageVersion", summary.format_version);
    json_member_int(o, "packageCreated", summary.created);
    source_print(o, &summary.source);
    json_end_object(o);
    int64_t total = (int64_t)plan.count, left = total - (start - 1), count = left < 0 ? 0 : left < num ? left : num;
    reply_paging(o, total, start, count, count);
    json_name(o, "results");
    json_begin_array(o);
    for (int64_t i = 0; i < count; i++)
        preview_item_print(o, &plan.items[start - 1 + i], "canImport");
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

/* What is wrong with a package is no fault of this portal's own data: it answers as the import's job does. */
static int import_preview(struct ctx *ctx, struct call *call, const struct import_request *r, int64_t start, int64_t num)
{
    int rc = import_preview_print(ctx, call, r, start, num);
    if (rc == RC_FAIL &&
        (err_is(ctx, &ERR_CORRUPT) || err_is(ctx, &ERR_UNSUPPORTED) || err_is(ctx, &ERR_INVALID) || err_is(ctx, &ERR_LIMIT)))
        ctx->err.kind = &ERR_PACKAGE;
    return rc;
}

/* What import and its preview have in common. The package has to be an item that the caller may read. */
static int import_request_of(struct ctx *ctx, struct call *call, const id *package, struct import_request *r)
{
    struct group group;
    TRY(group_of(ctx, call, &group));
    struct item_view item;
    TRY(item_get(ctx, call->site, &call->caller, package, &item));
    if (!str_ieq(item.item.field[ITEM_TYPE], STR("Export Package")))
        return err_set(ctx, &ERR_PACKAGE, "Item '%s' is of type '%.*s'; an Export Package is needed.", package->text,
                       STR_FMT(item.item.field[ITEM_TYPE]));
    *r = (struct import_request){.group = group.id,
                                 .group_title = group.title,
                                 .package = *package,
                                 .all = !call_has(call, "itemIdList"),
                                 .overwrite = call_bool(call, "overwriteExistingItems") || call_bool(call, "overwrite"),
                                 .keep_package = call_bool(call, "keepPackageItemAfterImport"),
                                 .caller = call->caller,
                                 .owner = call->caller.username,
                                 .folder_title = group.title};
    return call_ids(ctx, call, "itemIdList", &r->items, &r->item_count);
}

static int import_target(struct ctx *ctx, struct call *call, struct import_request *r)
{
    if (call_has(call, "folderOwnerUsername") &&
        !access_is_self(&call->caller, str_trim(call_param(call, "folderOwnerUsername")))) {
        if (!access_administer(&call->caller))
            return err_set(ctx, &ERR_FORBIDDEN, "Only an administrator may name another folderOwnerUsername.");
        struct user owner;
        bool full;
        TRY(user_get(ctx, call->site, &call->caller, str_trim(call_param(call, "folderOwnerUsername")), &owner, &full));
        r->owner = owner.username;
    }
    if (!access_content_add(&call->caller, r->owner))
        return err_kind(ctx, &ERR_FORBIDDEN);
    if (call_has(call, "importContentFolder")) {
        r->folder_title = str_trim(call_param(call, "importContentFolder"));
        TRY(folder_title_check(ctx, r->folder_title));
    }
    return folder_of(ctx, call, r->owner, "folderId", STR(""), &r->folder);
}

int transfer_import(struct ctx *ctx, struct call *call)
{
    struct import_request r;
    id package;
    call_id(call, "itemId", &package);
    TRY(import_request_of(ctx, call, &package, &r));
    if (call_bool(call, "previewOnly"))
        return import_preview(ctx, call, &r, 1, 25);
    TRY(import_target(ctx, call, &r));
    TRY(site_check_space(ctx, call->site, 0));
    struct job_submit what = {.kind = "import",
                              .owner = call->caller.username,
                              .definition = import_definition(ctx, &r),
                              .request = import_request_print(ctx, &r),
                              .item = id_str(&package)};
    if (call_bool(call, "async"))
        return submit(ctx, call, &what);
    struct job job;
    TRY(run_and_wait(ctx, call, &what, &job));
    json_begin_object(&call->out);
    json_member_raw(&call->out, "result", job.result);
    json_end_object(&call->out);
    return RC_OK;
}

int transfer_import_preview(struct ctx *ctx, struct call *call)
{
    struct import_request r;
    id package;
    if (!call_path_id(call, "itemId", &package))
        return err_kind(ctx, &ERR_ITEM_MISSING);
    TRY(import_request_of(ctx, call, &package, &r));
    return import_preview(ctx, call, &r, call_int(call, "start"), call_int(call, "num"));
}

/* ---- jobs ---- */

/* A job that the caller may see: administrators every one, others their own with its key. Anything else looks like a job that is
 * not there. */
static int job_of(struct ctx *ctx, struct call *call, struct job *out)
{
    TRY(sharing_portal_check(ctx, call));
    id job;
    if (!call_path_id(call, "jobId", &job))
        return err_kind(ctx, &ERR_JOB_MISSING);
    int rc = jobs_get(ctx, call->web->jobs, &job, out);
    if (rc == RC_NOT_FOUND) {
        err_clear(ctx);
        return err_kind(ctx, &ERR_JOB_MISSING);
    }
    TRY(rc);
    str key = call_has(call, "key") ? call_param(call, "key") : STR("");
    if (!access_job_see(&call->caller, out->owner, jobs_key_matches(out, key)))
        return err_kind(ctx, &ERR_JOB_MISSING);
    return RC_OK;
}

int transfer_job(struct ctx *ctx, struct call *call)
{
    struct job job;
    TRY(job_of(ctx, call, &job));
    job_print(&call->out, call->site, &job);
    return RC_OK;
}

int transfer_job_cancel(struct ctx *ctx, struct call *call)
{
    struct job job;
    TRY(job_of(ctx, call, &job));
    TRY(jobs_cancel(ctx, call->web->jobs, &job.id));
    json_begin_object(&call->out);
    json_member_bool(&call->out, "success", true);
    json_member_str(&call->out, "jobId", id_str(&job.id));
    json_end_object(&call->out);
    return RC_OK;
}

struct jobs_call {
    str owner;
    struct meta_page page;
    struct job *list;
    size_t count;
    int64_t total;
};

static int jobs_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct jobs_call *c = arg;
    return meta_jobs(ctx, tx, c->owner, &c->page, &c->list, &c->count, &c->total);
}

int transfer_jobs(struct ctx *ctx, struct call *call)
{
    TRY(sharing_portal_check(ctx, call));
    int64_t start = call_int(call, "start"), num = call_int(call, "num");
    if (start < 1 || num < 1 || num > 100)
        return err_set(ctx, &ERR_PARAMETER, "'start' counts from 1, and 'num' is 1 to 100.");
    struct jobs_call c = {.owner = access_administer(&call->caller) ? STR_NONE : call->caller.username,
                          .page = {.start = start - 1, .num = num}};
    TRY(sql_read(ctx, call->site->sql, jobs_rows, &c));
    json_begin_object(&call->out);
    reply_paging(&call->out, c.total, start, num, (int64_t)c.count);
    json_name(&call->out, "jobs");
    json_begin_array(&call->out);
    for (size_t i = 0; i < c.count; i++) {
        if (str_none(c.owner)) {
            job_print(&call->out, call->site, &c.list[i]);
            continue;
        }
        json_begin_object(&call->out); /* without the key: that it exists, and how it stands */
        json_member_str(&call->out, "id", id_str(&c.list[i].id));
        json_member_raw(&call->out, "definition", c.list[i].definition);
        json_member_c(&call->out, "status", job_status_word(call->site, &c.list[i]));
        json_member_int(&call->out, "created", c.list[i].created);
        json_member_int(&call->out, "modified", c.list[i].modified);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
