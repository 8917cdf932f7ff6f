/* Group import as a job: verify every byte of the package, plan, migrate(package → local) with all references rewritten to this
 * portal, then the package item goes when nothing failed. Nothing is changed before the whole package was found sound. */
#include "jobs/import_group.h"
#include "base/log.h"
#include "jobs/import_stage.h"
#include "jobs/kinds.h"
#include "jobs/lists.h"
#include "jobs/notes.h"
#include "migrate/migrate.h"
#include "model/errors.h"
#include "portal/local/local.h"
#include "service/group.h"
#include "service/item.h"
#include <pthread.h>

enum { REQUEST_MAX = 8 << 20, RESULT_MAX = 64 << 20 };

/* ---- request and definition ---- */

str import_request_print(struct ctx *ctx, const struct import_request *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "groupId", id_str(&r->group));
    json_member_str(&o, "groupTitle", r->group_title);
    json_member_str(&o, "package", id_str(&r->package));
    json_member_bool(&o, "all", r->all);
    lists_ids_print(&o, "items", r->items, r->item_count);
    json_member_bool(&o, "overwrite", r->overwrite);
    json_member_bool(&o, "keepPackage", r->keep_package);
    access_caller_print(&o, &r->caller);
    json_member_str(&o, "owner", r->owner);
    json_member_str(&o, "folder", id_str(&r->folder));
    json_member_str(&o, "folderTitle", r->folder_title);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

int import_request_parse(struct ctx *ctx, struct json v, struct import_request *out)
{
    struct arena *a = ctx->arena;
    *out = (struct import_request){.group_title = json_string(json_get_c(v, "groupTitle"), a),
                                   .all = json_bool(json_get_c(v, "all"), true),
                                   .overwrite = json_bool(json_get_c(v, "overwrite"), false),
                                   .keep_package = json_bool(json_get_c(v, "keepPackage"), false),
                                   .owner = json_string(json_get_c(v, "owner"), a),
                                   .folder_title = json_string(json_get_c(v, "folderTitle"), a)};
    id_parse(json_string(json_get_c(v, "folder"), a), &out->folder);
    if (!access_caller_parse(a, v, &out->caller) || !id_parse(json_string(json_get_c(v, "groupId"), a), &out->group) ||
        !id_parse(json_string(json_get_c(v, "package"), a), &out->package))
        return err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
    return lists_ids_parse(ctx, json_get_c(v, "items"), &out->items, &out->item_count);
}

str import_definition(struct ctx *ctx, const struct import_request *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "type", "import");
    json_member_str(&o, "itemId", id_str(&r->package));
    json_member_str(&o, "groupId", id_str(&r->group));
    json_member_str(&o, "groupTitle", r->group_title);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

/* ---- running ---- */

struct import_run {
    struct job_run *job;
    struct import_request request;
    struct package_summary summary;
    struct plan plan;
    struct idmap *map;
    pthread_rwlock_t map_lock; /* workers look things up in the map; an item found on this portal is added to it */
    id folder;
    struct job_progress progress;
    struct ctx *keep; /* the job's context: what is told at the end lives there */
};

static void idmap_cleanup(struct idmap **m)
{
    if (*m)
        idmap_close(*m);
}

static str service_url(struct ctx *ctx, str server_url, str name)
{
    return arena_printf(ctx->arena, "%.*s/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(server_url), STR_FMT(name));
}

/* What the texts may name on the other side, and what stands for it here. */
static int build_map(struct ctx *ctx, struct import_run *im, struct portal *package)
{
    const struct site *site = im->job->site;
    const struct portal_info *from = &im->summary.source;
    im->map = idmap_open();
    for (size_t i = 0; i < im->plan.count; i++) {
        const struct plan_item *p = &im->plan.items[i];
        bool here = plan_carries(p) || p->exists;
        if (!here)
            continue;
        idmap_item(im->map, &p->id, &p->id);
        if (!p->hosted || str_empty(p->service_name))
            continue;
        struct portal_item item;
        TRY(package->ops->item_get(ctx, package, &p->id, &item));
        str to = service_url(ctx, site->server_url, p->service_name);
        idmap_service(im->map, service_url(ctx, from->server_url, item.service_name), to);
        idmap_service_of_item(im->map, &p->id, to);
    }
    const str bases[] = {from->https_url, from->http_url};
    for (size_t i = 0; i < COUNT_OF(bases); i++)
        if (!str_empty(bases[i]))
            idmap_base(im->map, bases[i], site->portal_url);
    if (!str_empty(from->server_url))
        idmap_base(im->map, from->server_url, site->server_url);
    return RC_OK;
}

/* ---- texts ---- */

/* An item that is not in the plan but on this portal already, and that the caller may read: references to it stay, and get its
 * URL. */
struct resolve_call {
    const struct import_run *im;
    const struct ref_list *found;
    struct resolved {
        id item;
        str url;
    } * list; /* in the arena, as many as were found */
    size_t count;
};

static bool unresolved_item(const struct ref_found *f, id *out)
{
    return f->outcome == REF_UNRESOLVED && f->kind == REF_ITEM_ID && id_parse(f->value, out);
}

static int resolve_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct resolve_call *call = arg;
    const struct site *site = call->im->job->site;
    call->count = 0;
    for (size_t i = 0; i < call->found->count; i++) {
        struct item item;
        struct access_item facts;
        id to;
        if (!unresolved_item(&call->found->list[i], &to))
            continue;
        int rc = item_facts(ctx, tx, &call->im->request.caller, &to, &item, &facts);
        if (rc == RC_NOT_FOUND)
            err_clear(ctx);
        if (rc == RC_NOT_FOUND || (rc == RC_OK && !access_item_read(&call->im->request.caller, &facts)))
            continue;
        TRY(rc);
        call->list[call->count++] =
            (struct resolved){.item = to, .url = site_url_expand(ctx, site->server_url, item.field[ITEM_URL])};
    }
    return RC_OK;
}

static void resolve_add(struct import_run *im, const struct resolve_call *call)
{
    pthread_rwlock_wrlock(&im->map_lock);
    for (size_t i = 0; i < call->count; i++) {
        const struct resolved *r = &call->list[i];
        idmap_item(im->map, &r->item, &r->item);
        if (str_ifind(r->url, STR("/rest/services/"), 0) != SIZE_MAX)
            idmap_service_of_item(im->map, &r->item, r->url);
    }
    pthread_rwlock_unlock(&im->map_lock);
}

static int rewrite(struct ctx *ctx, struct import_run *im, const struct itemtype *type, enum ref_place place, str name, str text,
                   str *out, struct ref_list *found)
{
    *found = (struct ref_list){0};
    pthread_rwlock_rdlock(&im->map_lock);
    int rc = refs_rewrite(ctx, type, place, name, text, im->map, out, found);
    pthread_rwlock_unlock(&im->map_lock);
    return rc;
}

/* Rewrites with what is known; ids that are not are looked for on this portal, and when some are there the text is rewritten once
 * more. */
static int rewrite_known(struct ctx *ctx, struct import_run *im, const struct itemtype *type, enum ref_place place, str name,
                         str text, str *out, struct ref_list *found)
{
    TRY(rewrite(ctx, im, type, place, name, text, out, found));
    id to;
    size_t unresolved = 0;
    for (size_t i = 0; i < found->count; i++)
        unresolved += unresolved_item(&found->list[i], &to);
    if (!unresolved)
        return RC_OK;
    struct resolve_call call = {.im = im, .found = found, .list = arena_array(ctx->arena, struct resolved, unresolved)};
    TRY(sql_read(ctx, im->job->site->sql, resolve_rows, &call));
    if (!call.count)
        return RC_OK;
    resolve_add(im, &call);
    return rewrite(ctx, im, type, place, name, text, out, found);
}

static int rewrite_text(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text,
                        str *out)
{
    struct notes *notes = arg;
    struct import_run *im = notes->run;
    struct ref_list found;
    TRY(rewrite_known(ctx, im, type, place, name, text, out, &found));
    for (size_t i = 0; i < found.count; i++) {
        const struct ref_found *f = &found.list[i];
        if (f->outcome == REF_UNRESOLVED)
            notes_reference(
                notes, f,
                f->kind == REF_ITEM_ID
                    ? "Unresolved: no item with this id is in the package or on this portal; the reference is unchanged."
                    : "Unresolved: this does not lead to anything in the package or on this portal; it is unchanged.");
        else if (f->outcome == REF_GUESSED && !(type && type->rule_count) && !str_eq(name, STR("definition")))
            notes_reference(notes, f, "Guessed: rewritten by the general scan, no rule of this item type names this place.");
    }
    size_t at;
    pthread_rwlock_rdlock(&im->map_lock);
    bool named = refs_names_source(im->map, *out, &at);
    pthread_rwlock_unlock(&im->map_lock);
    if (named)
        notes_reference(
            notes,
            &(struct ref_found){
                .place = place, .name = name, .pointer = STR(""), .kind = REF_URL, .value = str_sub(*out, at, at + 120)},
            "This still names the source portal.");
    return RC_OK;
}

static void *rewrite_open(struct ctx *ctx, void *arg, const id *item) { return notes_open(ctx, arg, item); }

static void rewrite_done(void *arg, void *noted)
{
    struct import_run *im = arg;
    notes_tell(noted, im->keep, &im->plan, im->job, false);
}

static int prepare_item(struct ctx *ctx, void *arg, struct plan_item *planned, struct portal_item *item)
{
    (void)arg;
    if (!item->hosted)
        return RC_OK;
    item->service_name = planned->service_name;
    item->item.field[ITEM_URL] = service_url(ctx, STR("@server"), planned->service_name);
    return RC_OK;
}

static int import_progress(struct ctx *ctx, void *arg, const struct migrate_progress *p)
{
    struct import_run *im = arg;
    TRY(site_check_space(ctx, im->job->site, 0));
    im->progress = (struct job_progress){
        .items_done = p->items_done, .items_total = p->items_total, .bytes_done = p->bytes_done, .bytes_total = p->bytes_total};
    return job_checkpoint(ctx, im->job, &im->progress, STR_NONE);
}

/* ---- steps ---- */

/* Every byte of the package, once; a resumed job knows that it was done. */
static int verify_package(struct ctx *ctx, struct import_run *im, struct portal *package)
{
    if (str_eq(im->job->job->checkpoint, STR("{\"verified\":true}")))
        return RC_OK;
    TRY(import_stage(ctx, im->job->site, package));
    return job_checkpoint(ctx, im->job, &(struct job_progress){.bytes_total = (int64_t)im->summary.unpacked_bytes},
                          STR("{\"verified\":true}"));
}

/* The folder of new items: the one asked for, or the one with that title, made when it is missing. */
static int find_folder_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct import_run *im = arg;
    struct folder f;
    int rc = meta_folder_by_title(ctx, tx, im->request.owner, im->request.folder_title, &f);
    if (rc == RC_OK) {
        im->folder = f.id;
        return RC_OK;
    }
    if (rc != RC_NOT_FOUND)
        return rc;
    f = (struct folder){.id = portal_local_store_id(&im->job->job->id, &im->request.group),
                        .owner = im->request.owner,
                        .title = im->request.folder_title,
                        .created = ctx_now(ctx)};
    im->folder = f.id;
    return meta_folder_insert(ctx, tx, &f);
}

static int carry(struct ctx *ctx, struct import_run *im, struct portal *package)
{
    im->folder = im->request.folder;
    if (id_none(im->folder))
        TRY(sql_write(ctx, im->job->site->sql, find_folder_rows, im));
    struct portal_local_target to = {.run = im->job->job->id,
                                     .owner = im->request.owner,
                                     .folder = im->folder,
                                     .group = im->request.group,
                                     .threads = im->job->site->settings.workers};
    CLEANUP(portal_cleanup) struct portal *target = NULL;
    TRY(portal_local_open(ctx, im->job->site, &to, &target));
    struct migrate_run run = {.source = package,
                              .target = target,
                              .plan = &im->plan,
                              .items_may_fail = true,
                              .by_rank = true,
                              .content_there = true, /* since verify_package */
                              .threads = im->job->site->settings.workers,
                              .change = rewrite_text,
                              .change_arg = im,
                              .change_open = rewrite_open,
                              .change_done = rewrite_done,
                              .prepare = prepare_item,
                              .prepare_arg = im,
                              .progress = import_progress,
                              .progress_arg = im};
    TRY(migrate_run(ctx, &run));
    return target->ops->finish(ctx, target);
}

static int put_result(struct ctx *ctx, struct import_run *im)
{
    struct buf b = BUF_INIT(RESULT_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    lists_items(&o, "itemsImported", &im->plan, lists_carried);
    lists_items(&o, "itemsSkipped", &im->plan, lists_skipped);
    lists_items(&o, "itemsFailedImport", &im->plan, lists_failed);
    lists_references(&o, &im->plan);
    json_end_object(&o);
    TRY(json_out_end(&o, "the result"));
    im->job->job->result = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return RC_OK;
}

static void tell_outcome(struct import_run *im)
{
    size_t unresolved = 0;
    for (size_t i = 0; i < im->plan.count; i++) {
        const struct plan_item *p = &im->plan.items[i];
        if (!plan_carries(p))
            job_message(im->job, "%s item '%s' ('%.*s', %.*s): %.*s", p->action == PLAN_SKIP ? "Skipped" : "Failed to import",
                        p->id.text, STR_FMT(p->title), STR_FMT(p->type), STR_FMT(p->reason));
    }
    for (size_t i = 0; i < im->plan.reference_count; i++) {
        const struct plan_reference *r = &im->plan.references[i];
        if (r->found.outcome != REF_UNRESOLVED || unresolved++ >= 100)
            continue;
        job_message(im->job, "Item '%s' refers to '%.*s' at %.*s: %.*s", r->item.text, STR_FMT(r->found.value),
                    STR_FMT(r->found.pointer), STR_FMT(r->note));
    }
}

/* The package goes when no item failed and it is not to be kept. That it is protected, or gone already, is no failure of the
 * import. */
static int remove_package(struct ctx *ctx, struct import_run *im)
{
    struct json result;
    TRY(json_parse(ctx, im->job->job->result, &result));
    if (json_count(json_get_c(result, "itemsFailedImport"))) {
        job_message(im->job, "The package item '%s' was kept, since not every item was imported.", im->request.package.text);
        return RC_OK;
    }
    if (im->request.keep_package)
        return RC_OK;
    struct ctx child;
    ctx_child(&child, ctx);
    if (item_delete(&child, im->job->site, &im->request.caller, &im->request.package) != RC_OK &&
        !err_is(&child, &ERR_ITEM_MISSING))
        job_message(im->job, "The package item '%s' was not deleted: %s", im->request.package.text, err_text(&child));
    ctx_close(&child);
    return RC_OK;
}

int job_import_group(struct ctx *ctx, struct job_run *run)
{
    CLEANUP(portal_cleanup) struct portal *package = NULL;
    struct import_run im = {.job = run, .keep = ctx};
    TRY(import_request_parse(ctx, run->request, &im.request));
    if (!str_empty(run->job->result)) /* only the end was missing */
        return remove_package(ctx, &im);
    struct group group; /* may be gone since the call */
    TRY(group_move_check(ctx, run->site, &im.request.caller, &im.request.group, &group));
    TRY(import_open(ctx, run->site, &im.request.package, run->dir, &package));
    package_summary(package, &im.summary);
    if (!run->messages->n) {
        job_message(run, "Starting import of items from EPK item '%s' to group '%.*s'.", im.request.package.text,
                    STR_FMT(im.request.group_title));
        job_message(run, "Starting the import of exported package item '%s' containing %zu items.", im.request.package.text,
                    im.summary.items);
        job_message(run, "Import option to overwrite items if they exist is set to '%s'.",
                    im.request.overwrite ? "true" : "false");
    }
    TRY(import_version_check(ctx, run->site, &im.summary));
    TRY(site_check_space(ctx, run->site, (int64_t)im.summary.unpacked_bytes));
    TRY(verify_package(ctx, &im, package));
    TRY(import_plan(ctx, run->site, package, &im.request, &run->job->id, &im.plan));
    pthread_rwlock_init(&im.map_lock, NULL);
    int rc = build_map(ctx, &im, package);
    if (rc == RC_OK)
        rc = carry(ctx, &im, package);
    pthread_rwlock_destroy(&im.map_lock);
    idmap_cleanup(&im.map);
    TRY(rc);
    tell_outcome(&im);
    TRY(put_result(ctx, &im));
    TRY(job_checkpoint(ctx, run, &im.progress, STR_NONE));
    return remove_package(ctx, &im);
}
