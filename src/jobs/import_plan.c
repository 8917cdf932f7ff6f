/* Planning a group import: which items of a package are created, overwritten, skipped or refused, and why. Shared by the preview
 * and the job, so that the preview cannot promise what the job does not do. */
#include "base/file.h"
#include "convert/convert.h"
#include "base/mem.h"
#include "base/num.h"
#include "jobs/import_group.h"
#include "model/errors.h"
#include "service/hosted.h"
#include "service/item.h"

/* ---- opening a package ---- */

struct package_rows {
    struct row_source base;
    struct convert *convert;
    struct row_source *rows;
};

static int package_rows_next(struct ctx *ctx, struct row_source *s, struct row *out)
{
    struct package_rows *p = (struct package_rows *)s;
    return p->rows->next(ctx, p->rows, out);
}

static void package_rows_close(struct row_source *s)
{
    struct package_rows *p = (struct package_rows *)s;
    if (p->rows)
        p->rows->close(p->rows);
    convert_close(p->convert);
    mem_free(p);
}

/* Layers in a package were written by strangers: the sandboxed child reads them. */
static int package_rows_open(struct ctx *ctx, void *arg, str gpkg_path, const struct service *def, const struct layer *l,
                             struct row_source **out)
{
    (void)def;
    const struct site *site = arg;
    struct package_rows *p = mem_new(struct package_rows);
    p->base = (struct row_source){.next = package_rows_next, .close = package_rows_close};
    struct convert_options options = {
        .program = site->settings.convert_program, .path = arena_cstr(ctx->arena, gpkg_path), .format = CONVERT_PACKAGE_LAYERS};
    int rc = convert_open(ctx, &options, &p->convert);
    if (rc == RC_OK)
        rc = convert_rows(ctx, p->convert, l, &p->rows);
    if (rc != RC_OK) {
        package_rows_close(&p->base);
        return rc;
    }
    *out = &p->base;
    return RC_OK;
}

static int package_part(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct item_part *part = arg;
    id item;
    id_parse(part->name, &item);
    int rc = meta_part_get(ctx, tx, &item, PART_DATA, STR(""), part);
    return rc == RC_NOT_FOUND ? err_set(ctx, &ERR_PACKAGE, "The item holds no file.") : rc;
}

int import_open(struct ctx *ctx, struct site *site, const id *item, str temp_dir, struct portal **out)
{
    struct item_part part = {.name = id_str(item)};
    TRY(sql_read(ctx, site->sql, package_part, &part));
    struct package_limits limits = package_limits_default();
    limits.max_package_bytes = (uint64_t)site->settings.package_max;
    limits.max_member_bytes = (uint64_t)site->settings.package_item_max;
    limits.temp_dir = temp_dir;
    limits.rows_open = package_rows_open;
    limits.rows_arg = site;
    str path;
    bool remove;
    TRY(blob_path(ctx, site->blobs, part.hash, &path, &remove));
    int rc = package_open_path(ctx, path, &limits, out);
    if (rc == RC_FAIL && !err_is(ctx, &ERR_IO)) { /* whatever is wrong with the file, it was uploaded like that */
        const char *why = arena_cstr(ctx->arena, str_c(err_text(ctx)));
        err_clear(ctx);
        rc = err_set(ctx, &ERR_PACKAGE, "%s", why);
    }
    if (remove) {
        struct ctx child;
        ctx_child(&child, ctx);
        (void)file_remove(&child, path.p); /* the open descriptor keeps the bytes */
        ctx_close(&child);
    }
    return rc;
}

/* "11.4" < "11.10": dotted numbers, compared one by one. */
static int version_compare(str a, str b)
{
    str x, y;
    while (!str_empty(a) || !str_empty(b)) {
        int64_t m = 0, n = 0;
        if (str_split(&a, '.', &x))
            num_parse_int(x, &m);
        if (str_split(&b, '.', &y))
            num_parse_int(y, &n);
        if (m != n)
            return m < n ? -1 : 1;
    }
    return 0;
}

static bool version_older(const struct site *site, const struct package_summary *summary)
{
    return version_compare(str_c(site->settings.api_level), summary->source.version) < 0;
}

int import_version_check(struct ctx *ctx, const struct site *site, const struct package_summary *summary)
{
    if (!version_older(site, summary))
        return RC_OK;
    return err_set(ctx, &ERR_PACKAGE,
                   "The package was exported from version %.*s; this portal is version %s, and imports from the same or an "
                   "earlier version only.",
                   STR_FMT(summary->source.version), site->settings.api_level);
}

/* ---- deciding ---- */

struct decide_arg {
    struct site *site;
    const struct import_request *request;
    const id *run;
    bool older;
    str source_version;
    str *names; /* of services given out by this plan */
    size_t name_count, name_capacity;
    struct ctx *plan_ctx;
};
struct decide_call {
    struct decide_arg *d;
    const struct portal_item *item;
    struct plan_item *out;
};

static int refuse(struct plan_item *out, enum plan_action action, str reason)
{
    out->action = action;
    out->reason = reason;
    return RC_OK;
}

static bool name_given(const struct decide_arg *d, str name)
{
    for (size_t i = 0; i < d->name_count; i++)
        if (str_ieq(d->names[i], name))
            return true;
    return false;
}

/* The name of the service on this portal: as in the package, made valid, with a suffix when it is taken. */
static int choose_name(struct ctx *ctx, struct sql_tx *tx, const struct decide_arg *d, str wanted, str *out)
{
    enum { ROOM_FOR_SUFFIX = 100 };
    TRY(hosted_name_free(ctx, tx, wanted, out));
    wanted = str_sub(wanted, 0, ROOM_FOR_SUFFIX);
    for (int n = 1; name_given(d, *out); n++)
        TRY(hosted_name_free(ctx, tx, arena_printf(ctx->arena, "%.*s_%d", STR_FMT(wanted), n), out));
    return RC_OK;
}

static int existing(struct ctx *ctx, struct sql_tx *tx, struct decide_call *call, const struct item *there,
                    const struct access_item *facts)
{
    const struct portal_item *item = call->item;
    struct plan_item *out = call->out;
    out->exists = true;
    bool mine = !id_none(*call->d->run) && meta_step_get(ctx, tx, call->d->run, id_str(&item->item.id)) == RC_OK;
    struct hosted h;
    int rc = meta_hosted_get(ctx, tx, &item->item.id, &h);
    if (rc == RC_OK)
        out->service_name = h.name;
    else if (rc != RC_NOT_FOUND)
        return rc;
    if (mine)
        return refuse(out, PLAN_CREATE, STR(""));
    if (!call->d->request->overwrite)
        return refuse(out, PLAN_SKIP, STR("An item with this id exists, and overwriteExistingItems is not true."));
    /* First: a caller who may not touch it learns nothing of it. */
    if (!access_item_update(&call->d->request->caller, facts))
        return refuse(out, PLAN_FAIL, STR("An item with this id exists, and you may not update it."));
    if (!str_ieq(there->field[ITEM_TYPE], item->item.field[ITEM_TYPE]) || (rc == RC_OK) != item->hosted)
        return refuse(out, PLAN_FAIL,
                      arena_printf(ctx->arena, "An item with this id exists and has another type (%.*s).",
                                   STR_FMT(there->field[ITEM_TYPE])));
    return refuse(out, PLAN_OVERWRITE, STR(""));
}

static int decide_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct decide_call *call = arg;
    struct item there;
    struct access_item facts;
    int rc = item_facts(ctx, tx, &call->d->request->caller, &call->item->item.id, &there, &facts);
    if (rc == RC_OK)
        return existing(ctx, tx, call, &there, &facts);
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(ctx);
    call->out->action = PLAN_CREATE;
    return call->item->hosted ? choose_name(ctx, tx, call->d, call->item->service_name, &call->out->service_name) : RC_OK;
}

static int decide_import(struct ctx *ctx, void *arg, const struct portal_item *item, struct plan_item *out)
{
    struct decide_arg *d = arg;
    struct decide_call call = {.d = d, .item = item, .out = out};
    TRY(sql_read(ctx, d->site->sql, decide_rows, &call));
    if (d->older)
        return refuse(out, PLAN_FAIL,
                      arena_printf(ctx->arena, "The package comes from version %.*s, which is later than this portal's %s.",
                                   STR_FMT(d->source_version), d->site->settings.api_level));
    if (!plan_carries(out))
        return RC_OK;
    if (item->hosted && !access_publish(&d->request->caller))
        return refuse(out, PLAN_FAIL,
                      STR("Importing a hosted feature service needs the right to publish, which your role does not have."));
    if (out->size > d->site->settings.package_item_max)
        return refuse(out, PLAN_FAIL, STR("The item is larger than the setting export.maxItemBytes allows."));
    if (item->hosted) {
        d->names = arena_grow(d->plan_ctx->arena, d->names, &d->name_capacity, d->name_count + 1, sizeof *d->names);
        d->names[d->name_count++] = arena_str(d->plan_ctx->arena, out->service_name);
    }
    return RC_OK;
}

int import_plan(struct ctx *ctx, struct site *site, struct portal *package, const struct import_request *r, const id *run,
                struct plan *out)
{
    struct package_summary summary;
    package_summary(package, &summary);
    struct decide_arg d = {.site = site,
                           .request = r,
                           .run = run,
                           .older = version_older(site, &summary),
                           .source_version = summary.source.version,
                           .plan_ctx = ctx};
    id *ids;
    size_t count;
    TRY(package->ops->list(ctx, package, NULL, &ids, &count));
    return plan_make(ctx, package, r->all ? ids : r->items, r->all ? count : r->item_count, decide_import, &d, out);
}
