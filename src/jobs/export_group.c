/* Group export as a job: plan (what may be in a package), migrate(local → package), then the package becomes content and, for an
 * asynchronous call, an item. Each step can be repeated: the package goes on at its journal, the item's id follows from the
 * job's. */
#include "jobs/export_group.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/kinds.h"
#include "jobs/lists.h"
#include "jobs/notes.h"
#include "jobs/result_item.h"
#include "migrate/migrate.h"
#include "model/errors.h"
#include "portal/local/local.h"
#include "portal/package/package.h"
#include "service/group.h"
#include "service/item.h"
#include <stdio.h>

enum { REQUEST_MAX = 8 << 20 };

/* ---- request and definition ---- */

str export_request_print(struct ctx *ctx, const struct export_request *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "groupId", id_str(&r->group));
    json_member_str(&o, "groupTitle", r->group_title);
    access_caller_print(&o, &r->caller);
    json_member_bool(&o, "all", r->all);
    lists_ids_print(&o, "items", r->items, r->item_count);
    json_member_str(&o, "folder", id_str(&r->folder));
    json_member_str(&o, "fileName", r->file_name);
    json_member_bool(&o, "keepItem", r->keep_item);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

int export_request_parse(struct ctx *ctx, struct json v, struct export_request *out)
{
    *out = (struct export_request){.group_title = json_string(json_get_c(v, "groupTitle"), ctx->arena),
                                   .all = json_bool(json_get_c(v, "all"), true),
                                   .file_name = json_string(json_get_c(v, "fileName"), ctx->arena),
                                   .keep_item = json_bool(json_get_c(v, "keepItem"), true)};
    id_parse(json_string(json_get_c(v, "folder"), ctx->arena), &out->folder);
    if (!access_caller_parse(ctx->arena, v, &out->caller) ||
        !id_parse(json_string(json_get_c(v, "groupId"), ctx->arena), &out->group))
        return err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
    return lists_ids_parse(ctx, json_get_c(v, "items"), &out->items, &out->item_count);
}

str export_definition(struct ctx *ctx, const struct export_request *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "type", "export");
    id operation = id_new();
    json_member_str(&o, "operationId", arena_printf(ctx->arena, "cm%s", operation.text));
    json_member_str(&o, "groupId", id_str(&r->group));
    json_member_str(&o, "groupTitle", r->group_title);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

/* ---- plan ---- */

struct decide_arg {
    struct site *site;
    struct portal *source;
    const struct caller *caller;
    const id *group_items; /* by id */
    size_t group_count;
};

static bool in_group(const struct decide_arg *d, const id *item)
{
    size_t low = 0, high = d->group_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = memcmp(d->group_items[mid].text, item->text, ID_SIZE);
        if (c == 0)
            return true;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

/* May the caller know of this item? RC_NOT_FOUND: no. */
static int visible(struct ctx *ctx, struct site *site, const struct caller *caller, const id *item)
{
    struct item_view view;
    int rc = item_get(ctx, site, caller, item, &view);
    return rc == RC_OK || !err_is(ctx, &ERR_FORBIDDEN) ? rc : RC_NOT_FOUND;
}

/* The text data of an item, when it has some; decides whether an app is made for a group. */
static int data_text(struct ctx *ctx, struct portal *source, const struct portal_item *item, str *out)
{
    *out = STR_NONE;
    for (size_t i = 0; i < item->part_count; i++)
        if (item->parts[i].kind == PART_DATA && text_part(ctx, &item->item, &item->parts[i]))
            return text_read(ctx, source, &item->item.id, &item->parts[i], out);
    return RC_OK;
}

static int decide_export(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    const struct decide_arg *d = arg;
    const struct site_settings *s = &d->site->settings;
    out->action = PLAN_SKIP;
    if (!in_group(d, &item->item.id)) {
        TRY(visible(ctx, d->site, d->caller, &item->item.id));
        out->reason = STR("The item is not shared with the group.");
        return RC_OK;
    }
    str data = STR_NONE;
    if (str_ieq(item->item.field[ITEM_TYPE], STR("Web Mapping Application")))
        TRY(data_text(ctx, d->source, item, &data));
    if (!itemtype_exportable(ctx, &item->item, item->hosted, data, s->strict_types, str_c(s->api_level), &out->reason))
        return RC_OK;
    if (out->size > s->package_item_max) {
        out->action = PLAN_FAIL;
        out->reason =
            arena_printf(ctx->arena, "The item has %lld bytes, more than the setting export.maxItemBytes allows (%lld).",
                         (long long)out->size, (long long)s->package_item_max);
        return RC_OK;
    }
    out->action = PLAN_CREATE;
    out->service_name = item->service_name;
    return RC_OK;
}

/* ---- references that leave the package ---- */

struct service_call {
    str url;
    id item;
};

/* The item of one of our services, by a URL below it. */
static int service_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    static const str folder = STR("/rest/services/Hosted/");
    struct service_call *call = arg;
    struct hosted hosted;
    size_t at = str_ifind(call->url, folder, 0);
    if (at == SIZE_MAX)
        return RC_NOT_FOUND;
    size_t begin = at + folder.n, end = str_find_char(call->url, '/', begin);
    TRY(meta_hosted_by_name(ctx, tx, str_sub(call->url, begin, end), &hosted));
    call->item = hosted.item;
    return RC_OK;
}

/* The item that a reference leads to. RC_NOT_FOUND: none that the caller may know of. */
static int referenced(struct ctx *ctx, struct site *site, const struct caller *caller, str value, struct item_view *out)
{
    struct service_call call = {.url = value};
    if (!id_parse(value, &call.item))
        TRY(sql_read(ctx, site->sql, service_row, &call));
    TRY(visible(ctx, site, caller, &call.item));
    return item_get(ctx, site, caller, &call.item, out);
}

/* What became of a reference that leaves the package: the other item is there but not shared with the group, or not there at all.
 */
static void note_references(struct ctx *ctx, struct site *site, const struct caller *caller, struct plan *p)
{
    for (size_t i = 0; i < p->reference_count; i++) {
        struct plan_reference *r = &p->references[i];
        struct ctx child;
        struct item_view item;
        ctx_child(&child, ctx);
        bool there = referenced(&child, site, caller, r->found.value, &item) == RC_OK;
        r->note =
            there ? arena_printf(
                        ctx->arena,
                        "'%.*s' (%.*s) is not in the package: share it with the group, or see that the receiving portal has it.",
                        STR_FMT(item.item.field[ITEM_TITLE]), STR_FMT(item.item.field[ITEM_TYPE]))
                  : STR("The item was not found in this portal.");
        ctx_close(&child);
    }
}

/* Our own addresses, and the services that are in the package: what else is below them leaves it. */
static struct idmap *known_services(struct ctx *ctx, const struct site *site, const struct plan *p)
{
    struct idmap *map = idmap_open();
    idmap_base(map, site->server_url, site->server_url);
    for (size_t i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->items[i];
        if (!item->hosted || !plan_carries(item))
            continue;
        str url = arena_printf(ctx->arena, "%.*s/rest/services/Hosted/%.*s/FeatureServer", STR_FMT(site->server_url),
                               STR_FMT(item->service_name));
        idmap_service(map, url, url);
    }
    return map;
}

static int plan_items(struct ctx *ctx, struct site *site, struct portal *source, const struct export_request *r, struct plan *out)
{
    struct decide_arg d = {.site = site, .source = source, .caller = &r->caller};
    id *ids;
    TRY(source->ops->list(ctx, source, &r->group, &ids, &d.group_count));
    d.group_items = ids;
    TRY(plan_make(ctx, source, r->all ? ids : r->items, r->all ? d.group_count : r->item_count, decide_export, &d, out));
    if (out->bytes >
        site->settings.package_max * 8) /* not even packed to an eighth would it fit; the writer checks the exact size */
        return err_set(
            ctx, &ERR_LIMIT,
            "The items have %lld bytes; a package may have %lld (setting export.maxPackageBytes). Export fewer items at a time.",
            (long long)out->bytes, (long long)site->settings.package_max);
    return site_check_space(ctx, site, out->bytes);
}

int export_plan(struct ctx *ctx, struct site *site, const struct export_request *r, struct plan *out)
{
    CLEANUP(portal_cleanup) struct portal *source = NULL;
    TRY(portal_local_open(ctx, site, NULL, &source));
    return plan_items(ctx, site, source, r, out);
}

int export_references(struct ctx *ctx, struct site *site, const struct export_request *r, struct plan *p)
{
    CLEANUP(portal_cleanup) struct portal *source = NULL;
    TRY(portal_local_open(ctx, site, NULL, &source));
    struct idmap *known = known_services(ctx, site, p);
    int rc = plan_references(ctx, source, known, p);
    idmap_close(known);
    TRY(rc);
    note_references(ctx, site, &r->caller, p);
    return RC_OK;
}

static void export_lists_print(struct json_out *o, const struct plan *p)
{
    lists_items(o, "itemsExported", p, lists_carried);
    lists_items(o, "itemsSkipped", p, lists_skipped);
    lists_items(o, "itemsFailedExport", p, lists_failed);
}

/* ---- running ---- */

struct export_run {
    struct job_run *job;
    struct export_request request;
    struct plan plan;
    struct ctx *keep;    /* the job's context: what is told at the end lives there */
    struct idmap *known; /* our own services that are in the package */
    int64_t created;
    str file_name;
};

static int redact_text(struct ctx *ctx, void *arg, const struct itemtype *type, enum ref_place place, str name, str text,
                       str *out)
{
    struct notes *notes = arg;
    const struct export_run *e = notes->run;
    struct ref_list found = {0};
    TRY(refs_redact(ctx, place, name, text, out, &found));
    for (size_t i = 0; i < found.count; i++)
        notes_message(notes, arena_printf(ctx->arena, "Redacted: a stored credential of item '%s' was left out (%s%s%.*s %.*s).",
                                          notes->item.text,
                                          place == REF_DATA       ? "data"
                                          : place == REF_RESOURCE ? "resource"
                                                                  : "field",
                                          str_empty(name) ? "" : " ", STR_FMT(name), STR_FMT(found.list[i].pointer)));
    found.count = 0;
    TRY(refs_find(ctx, type, place, name, *out, e->known, &found));
    for (size_t i = 0; i < found.count; i++)
        notes_reference(notes, &found.list[i], "");
    return RC_OK;
}

static void *redact_open(struct ctx *ctx, void *arg, const id *item) { return notes_open(ctx, arg, item); }

static void redact_done(void *arg, void *noted)
{
    struct export_run *e = arg;
    notes_tell(noted, e->keep, &e->plan, e->job, true);
}

static int export_progress(struct ctx *ctx, void *arg, const struct migrate_progress *p)
{
    struct export_run *e = arg;
    TRY(site_check_space(ctx, e->job->site, 0));
    struct job_progress progress = {
        .items_done = p->items_done, .items_total = p->items_total, .bytes_done = p->bytes_done, .bytes_total = p->bytes_total};
    return job_checkpoint(ctx, e->job, &progress, STR_NONE);
}

/* The time of the package is taken once and kept, so that a resumed job makes the same bytes. */
static int remember_time(struct ctx *ctx, struct export_run *e)
{
    struct json stored;
    if (!str_empty(e->job->job->checkpoint)) {
        TRY(json_parse(ctx, e->job->job->checkpoint, &stored));
        if (json_int(json_get_c(stored, "created"), &e->created))
            e->file_name = json_string(json_get_c(stored, "fileName"), ctx->arena);
    }
    if (e->created)
        return RC_OK;
    e->created = ctx_now(ctx);
    struct clock_parts t = clock_parts_of(e->created);
    e->file_name = !str_empty(e->request.file_name) ? e->request.file_name
                                                    : arena_printf(ctx->arena, "%.*s_%d%d%02d_%02d%02d%02d",
                                                                   STR_FMT(result_item_name(ctx, e->request.group_title)), t.year,
                                                                   t.month, t.day, t.hour, t.minute, t.second);
    struct buf b = BUF_INIT(64 << 10);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_int(&o, "created", e->created);
    json_member_str(&o, "fileName", e->file_name);
    json_end_object(&o);
    return job_checkpoint(ctx, e->job, &(struct job_progress){0}, lists_text(ctx, &o, &b));
}

static int write_package(struct ctx *ctx, struct export_run *e, str path, struct package_result *result_out)
{
    struct site *site = e->job->site;
    CLEANUP(portal_cleanup) struct portal *source = NULL;
    CLEANUP(portal_cleanup) struct portal *target = NULL;
    TRY(portal_local_open(ctx, site, NULL, &source));
    struct package_options options = {.path = path,
                                      .created = e->created,
                                      .file_name = e->file_name,
                                      .group = e->request.group,
                                      .group_title = e->request.group_title,
                                      .max_package_bytes = (uint64_t)site->settings.package_max,
                                      .max_item_bytes = (uint64_t)site->settings.package_item_max,
                                      .threads = site->settings.workers};
    TRY(source->ops->info(ctx, source, &options.source));
    if (!file_exists(path.p)) /* a finished file may have become content already, just before the process ended */
        TRY(package_journal_remove(ctx, path));
    TRY(package_create(ctx, &options, &target));
    struct migrate_run run = {.source = source,
                              .target = target,
                              .plan = &e->plan,
                              .threads = site->settings.workers,
                              .change = redact_text,
                              .change_arg = e,
                              .change_open = redact_open,
                              .change_done = redact_done,
                              .progress = export_progress,
                              .progress_arg = e};
    e->known = known_services(ctx, site, &e->plan);
    int rc = migrate_run(ctx, &run);
    idmap_close(e->known);
    TRY(rc);
    note_references(ctx, site, &e->request.caller, &e->plan);
    TRY(target->ops->finish(ctx, target));
    *result_out = package_result(target);
    return RC_OK;
}

struct attach_call {
    const struct blob_new *blob;
};

static int attach_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    return blob_attach(ctx, tx, ((struct attach_call *)arg)->blob);
}

/* The Export Package item. Its id follows from the job's, so that a repeated step finds it. */
static int add_item(struct ctx *ctx, struct export_run *e, struct blob_new *blob, id *item_out)
{
    struct site *site = e->job->site;
    id wanted = portal_local_store_id(&e->job->job->id, &e->job->job->id);
    struct caller admin = {.username = e->request.caller.username,
                           .role = ROLE_ADMIN}; /* the id is given, which only administrators may */
    struct item_view there;
    *item_out = wanted;
    if (item_get(ctx, site, &admin, &wanted, &there) == RC_OK)
        return RC_OK;
    err_clear(ctx);
    struct item_input in = {.wanted_id = wanted, .file = blob, .file_content_type = STR("application/octet-stream")};
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        in.field[f] = STR_NONE;
    in.field[ITEM_TITLE] = e->file_name;
    in.field[ITEM_TYPE] = STR("Export Package");
    in.field[ITEM_TYPE_KEYWORDS] = STR("Export Package,epk");
    in.field[ITEM_TAGS] = STR("Export Package,epk");
    in.field[ITEM_SNIPPET] = arena_printf(ctx->arena, "Content of the group '%.*s'.", STR_FMT(e->request.group_title));
    const struct result_item result = {
        .caller = &admin, .owner = admin.username, .folder = &e->request.folder, .stem = e->file_name, .extension = "epk"};
    return result_item_add(ctx, site, &result, &in, item_out);
}

static int put_result(struct ctx *ctx, struct export_run *e, const id *item, const struct package_result *package)
{
    struct buf b = BUF_INIT(64 << 20);
    struct json_out o;
    char hex[HASH_HEX + 1];
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    if (item)
        json_member_str(&o, "itemId", id_str(item));
    json_member_int(&o, "created", e->created);
    if (package) {
        json_member_str(&o, "fileName", e->file_name);
        json_member_int(&o, "size", (int64_t)package->size);
        hash_hex(package->file, hex);
        json_member_c(&o, "sha256", hex);
        hash_hex(package->content, hex);
        json_member_c(&o, "contentHash", hex);
    }
    export_lists_print(&o, &e->plan);
    lists_references(&o, &e->plan);
    json_end_object(&o);
    TRY(json_out_end(&o, "the result"));
    e->job->job->result = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    return RC_OK;
}

static int store_package(struct ctx *ctx, struct export_run *e, str path, const struct package_result *package, id *item_out)
{
    struct site *site = e->job->site;
    struct blob_new *blob;
    TRY(blob_adopt_file(ctx, site->blobs, path.p, &package->file, &blob));
    int rc;
    if (e->request.keep_item) {
        rc = add_item(ctx, e, blob, item_out);
        if (rc == RC_OK)
            job_message(e->job, "Added Export Package item with id '%s' for group with id '%s'.", item_out->text,
                        e->request.group.text);
    } else { /* bytes that nothing names: collected after the grace period */
        rc = blob_sync(ctx, site->blobs, &blob, 1);
        if (rc == RC_OK)
            rc = sql_write(ctx, site->sql, attach_rows, &(struct attach_call){.blob = blob});
    }
    blob_new_close(blob);
    return rc;
}

/* Once the package is whole, so that a run that goes on does not tell it twice. */
static void tell_plan(struct export_run *e)
{
    for (size_t i = 0; i < e->plan.count; i++) {
        const struct plan_item *p = &e->plan.items[i];
        if (!plan_carries(p))
            job_message(e->job, "%s item '%s' ('%.*s', %.*s): %.*s", p->action == PLAN_SKIP ? "Skipped" : "Failed to export",
                        p->id.text, STR_FMT(p->title), STR_FMT(p->type), STR_FMT(p->reason));
    }
    for (size_t i = 0; i < e->plan.reference_count; i++) {
        const struct plan_reference *r = &e->plan.references[i];
        job_message(e->job, "Item '%s' refers to item '%.*s' (%.*s): %.*s", r->item.text, STR_FMT(r->found.value),
                    STR_FMT(r->found.pointer), STR_FMT(r->note));
    }
}

static bool carries_any(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (plan_carries(&p->items[i]))
            return true;
    return false;
}

int job_export_group(struct ctx *ctx, struct job_run *run)
{
    struct export_run e = {.job = run, .keep = ctx};
    TRY(export_request_parse(ctx, run->request, &e.request));
    struct group group; /* may be gone since the call */
    TRY(group_move_check(ctx, run->site, &e.request.caller, &e.request.group, &group));
    if (!run->messages->n)
        job_message(run, "Starting export of items in group '%.*s' with id '%s'.", STR_FMT(e.request.group_title),
                    e.request.group.text);
    TRY(remember_time(ctx, &e));
    TRY(export_plan(ctx, run->site, &e.request, &e.plan));
    struct package_result package;
    str path = arena_printf(ctx->arena, "%.*s/package.epk", STR_FMT(run->dir));
    bool any = carries_any(&e.plan);
    if (any)
        TRY(write_package(ctx, &e, path, &package));
    any = any && carries_any(&e.plan); /* those that became too large are left out */
    tell_plan(&e);
    if (!any) {
        job_message(run, "There are no items to export.");
        return put_result(ctx, &e, NULL, NULL);
    }
    id item;
    TRY(store_package(ctx, &e, path, &package, &item));
    return put_result(ctx, &e, e.request.keep_item ? &item : NULL, &package);
}

int export_package_of(struct ctx *ctx, const struct job *job, struct hash *hash_out, str *file_name_out)
{
    struct json result;
    TRY(json_parse(ctx, job->result, &result));
    *file_name_out = json_string(json_get_c(result, "fileName"), ctx->arena);
    return hash_parse(json_string(json_get_c(result, "sha256"), ctx->arena), hash_out) ? RC_OK : RC_END;
}
