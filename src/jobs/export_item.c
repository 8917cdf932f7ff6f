/* Item export as a job. One read transaction gives the rows of all layers, a writer of the format turns them into bytes that go
 * straight into a new blob, and one transaction makes that an item. A job that is run again starts over: nothing of the run
 * before is visible, and its files go with the job's folder.
 *
 * Result: itemId, type, size. */
#include "jobs/export_item.h"
#include "base/file.h"
#include "base/num.h"
#include "jobs/kinds.h"
#include "jobs/lists.h"
#include "jobs/result_item.h"
#include "model/errors.h"

enum { REQUEST_MAX = 8 << 20, ROWS_PER_CHECKPOINT = 20000 };

/* ---- request ---- */
#define TEXTS(member)                                                                                                            \
    member("owner", owner) member("format", format) member("title", title) member("tags", tags) member("snippet", snippet)       \
        member("parameters", parameters)
#define IDS(member) member("itemId", item) member("exportItemId", result)

static str request_print(struct ctx *ctx, const struct export_item *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    access_caller_print(&o, &r->caller);
#define PRINT(name, member_) json_member_str(&o, name, r->member_);
    TEXTS(PRINT)
#undef PRINT
#define PRINT(name, member_) json_member_str(&o, name, id_str(&r->member_));
    IDS(PRINT)
#undef PRINT
    json_member_str(&o, "folder", id_str(&r->folder));
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

static int request_parse(struct ctx *ctx, struct json v, struct export_item *out)
{
    *out = (struct export_item){.folder = ID_NONE};
    bool whole = access_caller_parse(ctx->arena, v, &out->caller);
#define PARSE(name, member_) out->member_ = json_string_or(json_get_c(v, name), ctx->arena, STR(""));
    TEXTS(PARSE)
#undef PARSE
#define PARSE(name, member_) whole = whole && id_parse(json_string(json_get_c(v, name), ctx->arena), &out->member_);
    IDS(PARSE)
#undef PARSE
    id_parse(json_string(json_get_c(v, "folder"), ctx->arena), &out->folder);
    return whole ? RC_OK : err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
}

static str definition_print(struct ctx *ctx, const struct export_item *r)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_c(&o, "type", "exportItem");
    json_member_str(&o, "itemId", id_str(&r->item));
    json_member_str(&o, "exportItemId", id_str(&r->result));
    json_member_str(&o, "exportFormat", r->format);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

int export_item_wish(struct ctx *ctx, const struct export_item *r, const struct file_format **format_out,
                     struct hosted_export_wish *out)
{
    TRY(format_find(ctx, r->format, format_out));
    *out = (struct hosted_export_wish){.parameters = JSON_ABSENT,
                                       .wgs84 = (*format_out)->traits & FORMAT_WGS84,
                                       .wgs84_only = (*format_out)->traits & FORMAT_WGS84_ONLY,
                                       .row_ids = (*format_out)->traits & FORMAT_ROW_IDS};
    return str_empty(r->parameters) ? RC_OK : json_parse(ctx, r->parameters, &out->parameters);
}

int export_item_submit(struct ctx *ctx, struct jobs *jobs, const struct export_item *r, id *job_out)
{
    char key[JOB_KEY_SIZE];
    const struct job_submit what = {.kind = "exportItem",
                                    .owner = r->caller.username,
                                    .definition = definition_print(ctx, r),
                                    .request = request_print(ctx, r),
                                    .item = id_str(&r->result)};
    return jobs_submit(ctx, jobs, &what, job_out, key);
}

/* ---- the bytes ---- */
struct blob_writer {
    struct writer base;
    struct blob_new *blob;
};

static int blob_writer_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    return blob_write(ctx, ((struct blob_writer *)w)->blob, p, n);
}

static void blob_writer_close(struct writer *w) { (void)w; }

struct export_run {
    struct job_run *job;
    struct export_item request;
    const struct file_format *format;
    struct hosted_export source;
    struct job_progress progress;
    int64_t (*counts)[FORMAT_SUBJECTS]; /* of each layer */
};

/* Before the first row: what is there to be carried at all. */
static void count_carried(const struct hosted_export_layer *l, int64_t *counts)
{
    for (size_t i = 0; i < l->as.field_count; i++) {
        const struct field *f = &l->as.fields[i];
        counts[CARRY_DOMAINS] += !str_empty(f->domain) && !str_eq(f->domain, STR("null"));
        counts[CARRY_ALIASES] += !str_empty(f->alias) && !str_eq(f->alias, f->name);
    }
    counts[CARRY_ATTACHMENTS] = l->attachments;
    counts[CARRY_RELATIONSHIPS] = (int64_t)l->as.relation_count;
}

/* The longest value of each field as text, where the format wants to know. */
static int measure(struct ctx *ctx, struct export_run *e, size_t layer, const size_t **out)
{
    CLEANUP(hosted_export_rows_close) struct hosted_export_rows rows = {.cursor = NULL};
    const struct hosted_export_layer *l = &e->source.layers[layer];
    size_t *widths = arena_array(ctx->arena, size_t, l->as.field_count + 1);
    char number[NUM_INT_SIZE];
    struct row row;
    *out = NULL;
    if (!(e->format->traits & FORMAT_MEASURED))
        return RC_OK;
    int rc = hosted_export_rows_open(ctx, &e->source, layer, false, &rows);
    while (rc == RC_OK && (rc = hosted_export_rows_next(ctx, &rows, &row)) == RC_OK)
        for (size_t i = 0; i < l->as.field_count; i++) {
            const struct value *v = &row.values[i];
            size_t n = v->kind == VALUE_TEXT ? v->s.n : v->kind == VALUE_INT ? num_print_int(v->i, number) : 0;
            widths[i] = n > widths[i] ? n : widths[i];
        }
    *out = widths;
    return rc == RC_END ? RC_OK : rc;
}

static str *field_names(struct ctx *ctx, const struct layer *l)
{
    str *names = arena_array(ctx->arena, str, l->field_count + 1);
    for (size_t i = 0; i < l->field_count; i++)
        names[i] = l->fields[i].name;
    names[l->field_count] = l->name;
    return names;
}

/* What the format could not carry of it. */
static void tell_layer(const struct export_run *e, const struct format_layer *l)
{
    const struct layer *layer = l->layer;
    if (!str_eq(l->names[layer->field_count], layer->name))
        job_message(e->job, "Layer '%.*s' is called '%.*s'.", STR_FMT(layer->name), STR_FMT(l->names[layer->field_count]));
    for (size_t i = 0; i < layer->field_count; i++) {
        if (str_eq(l->names[i], layer->fields[i].name))
            continue;
        l->counts[CARRY_NAMES]++;
        job_message(e->job, "Layer '%.*s': field '%.*s' is called '%.*s'.", STR_FMT(layer->name), STR_FMT(layer->fields[i].name),
                    STR_FMT(l->names[i]));
    }
    for (enum format_subject s = 0; s < FORMAT_SUBJECTS; s++) {
        const char *loss = format_loss(e->format->id, s);
        if (loss && l->counts[s] > 0)
            job_message(e->job, "Layer '%.*s': %lld %s.", STR_FMT(layer->name), (long long)l->counts[s], loss);
    }
}

static int write_layer(struct ctx *ctx, struct export_run *e, size_t layer, struct format_writer *w)
{
    CLEANUP(hosted_export_rows_close) struct hosted_export_rows rows = {.cursor = NULL};
    const struct hosted_export_layer *l = &e->source.layers[layer];
    struct format_layer as = {.layer = &l->as,
                              .has_oid = l->as.oid_field != SIZE_MAX,
                              .crs = l->crs,
                              .x_name = l->x_name,
                              .y_name = l->y_name,
                              .names = field_names(ctx, &l->as),
                              .counts = e->counts[layer]};
    struct row row;
    int rc;
    count_carried(l, as.counts);
    TRY(measure(ctx, e, layer, &as.widths));
    TRY(w->layer(ctx, w, &as));
    TRY(hosted_export_rows_open(ctx, &e->source, layer, true, &rows));
    while ((rc = hosted_export_rows_next(ctx, &rows, &row)) == RC_OK) {
        TRY(w->row(ctx, w, &row));
        e->progress.items_done = ++e->progress.features_done;
        if (e->progress.features_done % ROWS_PER_CHECKPOINT)
            continue;
        TRY(ctx_check(ctx));
        TRY(site_check_space(ctx, e->job->site, 0));
        TRY(job_checkpoint(ctx, e->job, &e->progress, STR_NONE));
    }
    if (rc != RC_END)
        return rc;
    TRY(w->layer_end(ctx, w));
    tell_layer(e, &as);
    return job_checkpoint(ctx, e->job, &e->progress, STR_NONE);
}

/* For the progress alone: edits may change it meanwhile. */
static int count_rows(struct ctx *ctx, struct export_run *e)
{
    for (size_t i = 0; i < e->source.count; i++) {
        const struct hosted_export_layer *l = &e->source.layers[i];
        int64_t n;
        TRY(feature_count(ctx, e->job->site->features, &e->source.service->store, l->from, &l->query, &n));
        e->progress.items_total += n;
    }
    return job_checkpoint(ctx, e->job, &e->progress, STR_NONE);
}

/* What an earlier run left in the folder goes. */
static int fresh_dir(struct ctx *ctx, const struct export_run *e, str *out)
{
    *out = arena_printf(ctx->arena, "%.*s/files", STR_FMT(e->job->dir));
    TRY(dir_remove_tree(ctx, out->p));
    return dir_create(ctx, out->p);
}

/* *blob: takes the bytes; another one when the writer makes a file. */
static int write_file(struct ctx *ctx, struct export_run *e, struct blob_new **blob)
{
    CLEANUP(format_writer_cleanup) struct format_writer *w = NULL;
    struct blob_writer to = {.base = {.write = blob_writer_write, .close = blob_writer_close}, .blob = *blob};
    str dir;
    TRY(fresh_dir(ctx, e, &dir));
    const struct format_target target = {.layer_count = e->source.count,
                                         .to = &to.base,
                                         .dir = dir.p,
                                         .convert = e->job->site->settings.convert_program,
                                         .name = arena_cstr(ctx->arena, result_item_name(ctx, e->request.title))};
    TRY(e->format->open(ctx, &target, &w));
    for (size_t i = 0; i < e->source.count; i++)
        TRY(write_layer(ctx, e, i, w));
    TRY(w->finish(ctx, w));
    if (!w->file)
        return blob_finish(ctx, *blob);
    blob_new_close(*blob);
    *blob = NULL;
    return blob_adopt_file(ctx, e->job->site->blobs, w->file, NULL, blob);
}

/* ---- the end ---- */

/* Nothing relates the result to its service: Service2Data names the file that a service was made of, which publishing it anew
 * would overwrite. */
static int add_item(struct ctx *ctx, struct export_run *e, struct blob_new *blob, id *item_out)
{
    const struct export_item *r = &e->request;
    bool many = e->source.count > 1;
    struct item_input in = {.wanted_id = r->result, .id_given = true, .file = blob, .file_content_type = STR("")};
    for (int f = 0; f < ITEM_FIELD_COUNT; f++)
        in.field[f] = STR_NONE;
    in.field[ITEM_TITLE] = r->title;
    in.field[ITEM_TYPE] = str_c(many ? e->format->item_type_many : e->format->item_type);
    in.field[ITEM_TAGS] = r->tags;
    in.field[ITEM_SNIPPET] = r->snippet;
    const struct result_item result = {.caller = &r->caller,
                                       .owner = r->owner,
                                       .folder = &r->folder,
                                       .stem = result_item_name(ctx, r->title),
                                       .extension = many ? e->format->extension_many : e->format->extension};
    return result_item_add(ctx, e->job->site, &result, &in, item_out);
}

static str result_print(struct ctx *ctx, const struct item *it)
{
    struct buf b = BUF_INIT(64 << 10);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    json_member_str(&o, "itemId", id_str(&it->id));
    json_member_str(&o, "type", it->field[ITEM_TYPE]);
    json_member_int(&o, "size", it->size);
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

static int export_file(struct ctx *ctx, struct export_run *e)
{
    struct site *site = e->job->site;
    struct blob_new *blob = NULL;
    id item;
    TRY(count_rows(ctx, e));
    TRY(blob_begin(ctx, site->blobs, INT64_MAX, NULL, &blob));
    int rc = write_file(ctx, e, &blob);
    rc = rc != RC_OK ? rc : add_item(ctx, e, blob, &item);
    if (rc == RC_OK)
        job_message(e->job, "Added %s item with id '%s': %lld features of %zu layers.", e->format->name, item.text,
                    (long long)e->progress.features_done, e->source.count);
    blob_new_close(blob);
    return rc;
}

/* An earlier run may have got as far as the item. */
static int finished(struct ctx *ctx, struct export_run *e, bool *out)
{
    struct item_view v;
    int rc = item_get(ctx, e->job->site, &e->request.caller, &e->request.result, &v);
    *out = rc == RC_OK;
    if (rc == RC_NOT_FOUND) {
        err_clear(ctx);
        return RC_OK;
    }
    TRY(rc);
    e->job->job->result = result_print(ctx, &v.item);
    return RC_OK;
}

int job_export_item(struct ctx *ctx, struct job_run *run)
{
    struct export_run e = {.job = run};
    struct hosted_export_wish wish;
    bool done;
    TRY(request_parse(ctx, run->request, &e.request));
    TRY(finished(ctx, &e, &done));
    if (done)
        return RC_OK;
    TRY(export_item_wish(ctx, &e.request, &e.format, &wish));
    TRY(hosted_export_open(ctx, run->site, &e.request.caller, &e.request.item, &wish, &e.source));
    e.counts = arena_alloc_array(ctx->arena, e.source.count, sizeof *e.counts);
    int rc = export_file(ctx, &e);
    hosted_export_close(&e.source);
    TRY(rc);
    return finished(ctx, &e, &done);
}
