/* Publishing a file item as a hosted service: starts the job. And the status of such jobs, and of items. Source: api.md 2.2, 2.3.
 */
#include "convert/convert.h"
#include "model/errors.h"
#include "service/hosted.h"
#include "service/upload.h"
#include "service/user.h"
#include "web/sharing/sharing.h"

enum { PARAMETERS_MAX = 4 << 20 };

struct wish {
    struct item_view source;
    id folder, service_item;
    str name, title, file_type;
    bool overwrite, name_given;
    int64_t wkid; /* 0: as the file has it */
    struct json parameters;
};

/* ---- what is asked for ---- */

/* The file that is published: of the user of the path, who is the caller or whose content the caller administers. */
static int source_get(struct ctx *ctx, struct call *call, struct item_view *out)
{
    id item;
    struct user owner;
    bool full;
    call_id(call, "itemId", &item);
    TRY(user_get(ctx, call->site, &call->caller, call_path(call, "user"), &owner, &full));
    TRY(item_get(ctx, call->site, &call->caller, &item, out));
    if (!access_publish(&call->caller) || !access_content_add(&call->caller, out->item.owner))
        return err_kind(ctx, &ERR_FORBIDDEN);
    return str_ieq(owner.username, out->item.owner) ? RC_OK : err_kind(ctx, &ERR_ITEM_NOT_IN_FOLDER);
}

struct name_call {
    str wanted, name;
};

static int name_free(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct name_call *call = arg;
    return hosted_name_free(ctx, tx, call->wanted, &call->name);
}

/* overwrite: the service of that name (any, when none is given) that was published from this file keeps its item. Only one of the
 * file's owner: relationships are made by whoever may read the file, and a file can have changed hands. */
static int overwritten_get(struct ctx *ctx, struct call *call, struct wish *w, bool *found)
{
    struct item_view *services;
    size_t count;
    *found = false;
    if (!w->overwrite)
        return RC_OK;
    TRY(item_related(ctx, call->site, &call->caller, &w->source.item.id, false, STR("Service2Data"), &services, &count));
    for (size_t i = 0; i < count && !*found; i++) {
        const struct item *it = &services[i].item;
        *found = services[i].hosted && str_ieq(it->owner, w->source.item.owner) &&
                 (str_empty(w->name) || str_ieq(w->name, it->field[ITEM_NAME]));
        if (*found) {
            w->name = it->field[ITEM_NAME];
            w->service_item = it->id;
        }
    }
    return RC_OK;
}

/* A name that is asked for has to be available; without one it comes from the item's title. */
static int name_of(struct ctx *ctx, struct call *call, struct json parameters, struct wish *w)
{
    bool found, available;
    w->name = str_trim(json_string_or(json_get_c(parameters, "name"), ctx->arena, STR("")));
    TRY(overwritten_get(ctx, call, w, &found));
    if (found)
        return RC_OK;
    if (str_empty(w->name)) {
        struct name_call free_name = {.wanted = w->source.item.field[ITEM_TITLE]};
        TRY(sql_read(ctx, call->site->sql, name_free, &free_name));
        w->name = free_name.name;
        return RC_OK;
    }
    w->name_given = true;
    TRY(hosted_name_available(ctx, call->site, w->name, &available));
    if (!available)
        return err_set(ctx, &ERR_SERVICE_NAME,
                       "The service name '%.*s' is taken or not valid: letters, digits and underscores, a letter first.",
                       STR_FMT(str_sub(w->name, 0, 150)));
    return RC_OK;
}

/* The id that an administrator chose has to be free. */
static int chosen_id_check(struct ctx *ctx, struct call *call, const id *item)
{
    struct item_view there;
    if (!access_administer(&call->caller))
        return err_set(ctx, &ERR_FORBIDDEN, "Only an administrator may choose the id of an item.");
    int rc = item_get(ctx, call->site, &call->caller, item, &there);
    if (rc == RC_OK)
        return err_set(ctx, &ERR_ITEM_ID_TAKEN, "[itemId=%s]", item->text);
    if (rc == RC_NOT_FOUND)
        err_clear(ctx);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The folder of the path is one of the owner's; without one the service goes where the file is. */
static int folder_of(struct ctx *ctx, struct call *call, struct wish *w)
{
    struct user_content unused;
    TRY(sharing_folder_id(ctx, call, &w->folder));
    if (!id_none(w->folder))
        return content_list(ctx, call->site, &call->caller, w->source.item.owner, &w->folder, &(struct meta_page){.num = 1},
                            &unused);
    w->folder = w->source.item.folder;
    return RC_OK;
}

static int wish_of(struct ctx *ctx, struct call *call, struct wish *w)
{
    struct json parameters, wkid;
    enum convert_format format;
    *w = (struct wish){.file_type = str_trim(call_param(call, "fileType")), .overwrite = call_bool(call, "overwrite")};
    if (!convert_format_parse(w->file_type, &format))
        return err_set(ctx, &ERR_PUBLISH, "Files of the type '%.*s' are not published.", STR_FMT(str_sub(w->file_type, 0, 60)));
    TRY(source_get(ctx, call, &w->source));
    TRY(folder_of(ctx, call, w));
    if (!call_id(call, "itemIdToCreate", &w->service_item))
        w->service_item = id_new();
    else
        TRY(chosen_id_check(ctx, call, &w->service_item));
    TRY(call_json(ctx, call, "publishParameters", &parameters));
    if (!json_absent(parameters) && !json_is(parameters, JSON_OBJECT))
        return err_set(ctx, &ERR_PARAMETER, "'publishParameters' has to be a JSON object.");
    if (json_raw(parameters).n > PARAMETERS_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'publishParameters' is longer than %d bytes.", PARAMETERS_MAX);
    TRY(name_of(ctx, call, parameters, w));
    w->title = json_string_or(json_get_c(parameters, "title"), ctx->arena, w->name);
    wkid = json_get_c(json_get_c(parameters, "targetSR"), "wkid");
    w->parameters = parameters;
    if (!json_int(wkid, &w->wkid))
        w->wkid = convert_format_target(format);
    return RC_OK;
}

/* ---- the job ---- */

static str definition_text(struct ctx *ctx, const struct wish *w)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "type", "publish");
    json_member_str(&o, "itemId", id_str(&w->source.item.id));
    json_member_str(&o, "serviceItemId", id_str(&w->service_item));
    json_end_object(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

static str request_text(struct ctx *ctx, const struct wish *w)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(2 * PARAMETERS_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "itemId", id_str(&w->source.item.id));
    json_member_str(&o, "serviceItemId", id_str(&w->service_item));
    json_member_str(&o, "owner", w->source.item.owner);
    json_member_str(&o, "folder", id_str(&w->folder));
    json_member_str(&o, "name", w->name);
    json_member_str(&o, "title", w->title);
    json_member_str(&o, "fileType", w->file_type);
    json_member_bool(&o, "nameGiven", w->name_given);
    json_member_bool(&o, "overwrite", w->overwrite);
    json_member_int(&o, "targetWkid", w->wkid);
    if (!json_absent(w->parameters))
        json_member_raw(&o, "parameters", json_raw(w->parameters));
    json_end_object(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

int publish_item(struct ctx *ctx, struct call *call)
{
    struct wish w;
    id job;
    char key[JOB_KEY_SIZE];
    TRY(wish_of(ctx, call, &w));
    struct job_submit what = {.kind = "publish",
                              .owner = call->caller.username,
                              .definition = definition_text(ctx, &w),
                              .request = request_text(ctx, &w),
                              .item = id_str(&w.service_item)};
    TRY(jobs_submit(ctx, call->web->jobs, &what, &job, key));
    str url =
        arena_printf(ctx->arena, "%.*s/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(call->server_url), STR_FMT(w.name));
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_name(o, "services");
    json_begin_array(o);
    json_begin_object(o);
    json_member_c(o, "type", "Feature Service");
    json_member_str(o, "serviceurl", url);
    json_member_int(o, "size", w.source.item.size);
    json_member_str(o, "jobId", id_str(&job));
    json_member_str(o, "serviceItemId", id_str(&w.service_item));
    json_member_str(o, "encodedServiceURL", url);
    json_end_object(o);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

/* ---- status ---- */

/* 32 hex digits, with or without the dashes of a UUID. */
static bool job_id(str text, id *out)
{
    char digits[ID_SIZE];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '-')
            continue;
        if (n == ID_SIZE)
            return false;
        digits[n++] = text.p[i];
    }
    return id_parse(str_of(digits, n), out);
}

struct job_call {
    const id *item;
    str kind;
    struct job *job;
};

static int newest_job(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct job_call *call = arg;
    return meta_job_of_item(ctx, tx, call->item, call->kind, call->job);
}

/* The job that is asked about: by id, or the item's newest of that type ("": what
 * was done to the item itself). RC_NOT_FOUND without an error: there is none. */
static int job_of(struct ctx *ctx, struct call *call, const id *item, struct job *out)
{
    id job;
    if (call_has(call, "jobId")) {
        int rc = job_id(str_trim(call_param(call, "jobId")), &job) ? jobs_get(ctx, call->web->jobs, &job, out) : RC_NOT_FOUND;
        bool mine = rc == RC_OK && (access_is_self(&call->caller, out->owner) || access_administer(&call->caller));
        if (rc == RC_NOT_FOUND || (rc == RC_OK && !mine)) {
            err_clear(ctx);
            return err_kind(ctx, &ERR_JOB_MISSING);
        }
        return rc;
    }
    str type = str_trim(sharing_text(call, "jobType"));
    if (str_eq(type, STR("export"))) /* of an item; the kind of that name is a group's */
        type = STR("exportItem");
    struct job_call newest = {.item = item, .kind = str_empty(type) ? STR("item") : type, .job = out};
    return sql_read(ctx, call->site->sql, newest_job, &newest);
}

static const char *status_word(const struct job *job)
{
    static const char *const words[] = {[JOB_SUBMITTED] = "processing",
                                        [JOB_RUNNING] = "processing",
                                        [JOB_SUCCEEDED] = "completed",
                                        [JOB_FAILED] = "failed",
                                        [JOB_CANCELED] = "failed"};
    return words[job->state];
}

static str last_message(struct ctx *ctx, const struct job *job)
{
    struct json messages;
    if (!json_try_parse(ctx->arena, job->messages, &messages) || json_count(messages) == 0)
        return STR("");
    return json_string_or(json_at(messages, json_count(messages) - 1), ctx->arena, STR(""));
}

/* job: what it tells is told; NULL without. */
static int status_print(struct call *call, const id *item, const char *word, str message, const struct job *job)
{
    json_begin_object(&call->out);
    json_member_c(&call->out, "status", word);
    json_member_str(&call->out, "statusMessage", message);
    json_member_str(&call->out, "itemId", id_str(item));
    if (job && !str_empty(job->messages))
        json_member_raw(&call->out, "messages", job->messages);
    if (job && !str_empty(job->progress))
        json_member_raw(&call->out, "progress", job->progress);
    json_end_object(&call->out);
    return RC_OK;
}

/* An operation on the item as a job (addItem, update, commit with async=true): what it says as long as nothing newer is known. */
static int item_status(struct ctx *ctx, struct call *call, const id *item, const struct job *job)
{
    struct item_view v;
    int64_t touched;
    if (job && job->state <= JOB_RUNNING)
        return status_print(call, item, status_word(job), STR(""), job);
    TRY(upload_find(ctx, call->site, &call->caller, &(struct upload_ref){.owner = call_path(call, "user"), .item = *item},
                    &touched));
    if (touched >= 0 && (!job || touched > job->modified))
        return status_print(call, item, "partial", STR("The upload waits for parts, or for its commit."), NULL);
    bool failed = job && job->state != JOB_SUCCEEDED;
    int rc = sharing_owned_item(ctx, call, &v);
    if (failed && (rc == RC_NOT_FOUND || (rc == RC_OK && v.item.modified <= job->modified))) {
        err_clear(ctx);
        return status_print(call, item, status_word(job), last_message(ctx, job), job);
    }
    TRY(rc);
    return status_print(call, item, "completed", STR("completed"), NULL);
}

/* While a service is being published its item does not exist yet: with a job the item is not asked for. */
int publish_status(struct ctx *ctx, struct call *call)
{
    id item;
    struct job job;
    struct item_view v;
    TRY(sharing_item_id(ctx, call, &item));
    int rc = job_of(ctx, call, &item, &job);
    if (rc != RC_NOT_FOUND || ctx->err.kind)
        TRY(rc);
    bool mine = rc == RC_OK && (access_is_self(&call->caller, job.owner) || access_administer(&call->caller));
    if (!call_has(call, "jobId") && !call_has(call, "jobType"))
        return item_status(ctx, call, &item, mine ? &job : NULL);
    if (!mine)
        TRY(sharing_owned_item(ctx, call, &v));
    bool has_job = rc == RC_OK;
    return status_print(call, &item, has_job ? status_word(&job) : "completed",
                        has_job ? last_message(ctx, &job) : STR("completed"), has_job ? &job : NULL);
}
