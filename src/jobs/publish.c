/* Publishing a file item as a job: the file is read by mapferry-convert, its rows fill a data set of their own, and one
 * transaction makes that a hosted service. The data set's id follows from the job, so a job that is run again fills the same one
 * anew; once it is published, nothing is filled any more.
 *
 * Request: itemId, serviceItemId (the id that a new service item gets), owner, folder ("" root), name, nameGiven, title,
 * fileType, overwrite, targetWkid (0 or absent: the file's spatial reference stays), parameters (publishParameters as they came).
 * Result: serviceItemId, name, url (relative, see site_url_expand). */
#include "base/file.h"
#include "convert/convert.h"
#include "jobs/kinds.h"
#include "model/errors.h"
#include "portal/local/local.h"
#include "service/hosted.h"

enum { ROWS_PER_CHECKPOINT = 20000 };

struct publish_run {
    struct job_run *job;
    struct hosted_publish publish;
    enum convert_format format;
    int32_t target_wkid;
    const char *parameters;
    struct service def;
    struct job_progress progress;
};

static int parse_request(struct ctx *ctx, struct json v, struct publish_run *out)
{
    struct arena *a = ctx->arena;
    struct hosted_publish *p = &out->publish;
    str file_type = json_string_or(json_get_c(v, "fileType"), a, STR(""));
    int64_t wkid = 0;
    p->owner = json_string_or(json_get_c(v, "owner"), a, STR(""));
    p->name = json_string_or(json_get_c(v, "name"), a, STR(""));
    p->title = json_string_or(json_get_c(v, "title"), a, p->name);
    p->name_given = json_bool(json_get_c(v, "nameGiven"), false);
    p->overwrite = json_bool(json_get_c(v, "overwrite"), false);
    id_parse(json_string(json_get_c(v, "folder"), a), &p->folder);
    if (!id_parse(json_string(json_get_c(v, "itemId"), a), &p->source_item) ||
        !id_parse(json_string(json_get_c(v, "serviceItemId"), a), &p->item))
        return err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
    if (!convert_format_parse(file_type, &out->format))
        return err_set(ctx, &ERR_PUBLISH,
                       "Files of the type '%.*s' are not published: csv, excel, shapefile, fileGeodatabase, geojson, geoPackage, "
                       "kml, gpx and featureCollection are.",
                       STR_FMT(file_type));
    struct json parameters = json_get_c(v, "parameters");
    out->parameters = json_is(parameters, JSON_OBJECT) ? arena_cstr(a, json_raw(parameters)) : NULL;
    if (json_int(json_get_c(v, "targetWkid"), &wkid) && (wkid < 0 || wkid > INT32_MAX))
        return err_set(ctx, &ERR_PUBLISH, "There is no spatial reference %lld.", (long long)wkid);
    out->target_wkid = (int32_t)wkid;
    p->store = portal_local_store_id(&out->job->job->id, &p->item);
    return RC_OK;
}

/* ---- was it published by an earlier run of this job? ---- */
struct published_call {
    const struct hosted_publish *publish;
    struct hosted *out;
};

static int published_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct published_call *call = arg;
    int rc = meta_hosted_get(ctx, tx, &call->publish->item, call->out);
    if (rc == RC_NOT_FOUND) /* one that was overwritten keeps its item */
        rc = meta_hosted_by_name(ctx, tx, call->publish->name, call->out);
    TRY(rc);
    return id_eq(call->out->store, call->publish->store) ? RC_OK : RC_NOT_FOUND;
}

static int find_published(struct ctx *ctx, struct publish_run *r, struct hosted *out)
{
    return sql_read(ctx, r->job->site->sql, published_row, &(struct published_call){.publish = &r->publish, .out = out});
}

/* ---- the file ---- */
struct data_call {
    const id *item;
    struct item_part part;
};

static int data_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct data_call *call = arg;
    int rc = meta_part_get(ctx, tx, call->item, PART_DATA, STR(""), &call->part);
    return rc == RC_NOT_FOUND ? err_set(ctx, &ERR_PUBLISH, "Item '%s' has no file.", call->item->text) : rc;
}

static void convert_cleanup(struct convert **c) { convert_close(*c); }

static int load_layer(struct ctx *ctx, struct publish_run *r, struct convert *c, const struct layer *l)
{
    CLEANUP(feature_load_cleanup) struct feature_load *load = NULL;
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    struct row row;
    int64_t count, placeless = 0;
    int rc;
    TRY(convert_rows(ctx, c, l, &rows));
    TRY(feature_load_begin(ctx, r->job->site->features, &r->publish.store, l, &load));
    while ((rc = rows->next(ctx, rows, &row)) == RC_OK) {
        placeless += str_none(row.wkb);
        if (!convert_format_has_ids(r->format))
            row.oid = 0; /* its number in the file says nothing */
        TRY(feature_load_row(ctx, load, &row));
        if (++r->progress.features_done % ROWS_PER_CHECKPOINT)
            continue;
        TRY(ctx_check(ctx));
        TRY(job_checkpoint(ctx, r->job, &r->progress, STR_NONE));
    }
    if (rc != RC_END)
        return rc;
    TRY(feature_load_end(ctx, load, &count));
    if (placeless && l->geometry != GEOMETRY_NONE)
        job_message(r->job, "Layer %.*s: %lld of %lld rows have no geometry.", STR_FMT(l->name), (long long)placeless,
                    (long long)count);
    job_message(r->job, "Layer %.*s: %lld rows.", STR_FMT(l->name), (long long)count);
    return RC_OK;
}

static void tell(struct ctx *ctx, struct job_run *job, str messages)
{
    struct json list, v;
    if (!json_try_parse(ctx->arena, messages, &list))
        return;
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &v);)
        job_message(job, "%.*s", STR_FMT(json_string_or(v, ctx->arena, STR(""))));
}

static int load_file(struct ctx *ctx, struct publish_run *r, const char *path)
{
    CLEANUP(convert_cleanup) struct convert *c = NULL;
    struct site *site = r->job->site;
    const struct convert_options options = {.program = site->settings.convert_program,
                                            .path = path,
                                            .name = arena_cstr(ctx->arena, r->publish.name),
                                            .parameters = r->parameters,
                                            .format = r->format,
                                            .target_wkid = r->target_wkid};
    str messages;
    TRY(convert_open(ctx, &options, &c));
    TRY(convert_definition(ctx, c, &r->publish.definition, &messages));
    tell(ctx, r->job, messages);
    TRY(service_parse(ctx, r->publish.definition, &r->def));
    TRY(feature_create(ctx, site->features, &r->publish.store, &r->def));
    r->progress.items_total = (int64_t)r->def.layer_count;
    for (size_t i = 0; i < r->def.layer_count; i++) {
        TRY(load_layer(ctx, r, c, &r->def.layers[i]));
        r->progress.items_done++;
        TRY(job_checkpoint(ctx, r->job, &r->progress, STR_NONE));
    }
    return RC_OK;
}

static int load(struct ctx *ctx, struct publish_run *r)
{
    struct site *site = r->job->site;
    struct data_call call = {.item = &r->publish.source_item};
    str path;
    bool is_copy = false;
    TRY(sql_read(ctx, site->sql, data_row, &call));
    TRY(site_check_space(ctx, site, 3 * call.part.size)); /* the rows, put aside before that, and what else there is */
    TRY(blob_path(ctx, site->blobs, call.part.hash, &path, &is_copy));
    int rc = load_file(ctx, r, path.p);
    if (is_copy && file_remove(ctx, path.p) != RC_OK && rc == RC_OK)
        return RC_FAIL;
    return rc;
}

/* A run that failed leaves no data set behind. The job's own context may be cancelled. */
static void drop(struct publish_run *r)
{
    struct ctx ctx;
    struct hosted published;
    ctx_open(&ctx);
    if (find_published(&ctx, r, &published) == RC_NOT_FOUND) {
        err_clear(&ctx);
        feature_drop(&ctx, r->job->site->features, &r->publish.store);
    }
    ctx_close(&ctx);
}

static str result_text(struct ctx *ctx, const struct hosted_created *made)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "serviceItemId", id_str(&made->item));
    json_member_str(&o, "name", made->name);
    json_member_str(&o, "url", made->url);
    json_end_object(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

int job_publish(struct ctx *ctx, struct job_run *run)
{
    struct publish_run r = {.job = run};
    struct hosted published;
    struct hosted_created made;
    TRY(parse_request(ctx, run->request, &r));
    int rc = find_published(ctx, &r, &published);
    if (rc == RC_OK) {
        r.publish.definition = published.definition;
        r.publish.item = published.item;
    } else if (rc == RC_NOT_FOUND) {
        rc = load(ctx, &r);
    }
    rc = rc != RC_OK ? rc : hosted_publish(ctx, run->site, &r.publish, &made);
    if (rc != RC_OK) {
        drop(&r);
        return rc;
    }
    run->job->result = result_text(ctx, &made);
    return RC_OK;
}
