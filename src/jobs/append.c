/* The rows of a file into a layer: the file is read by mapferry-convert, each row becomes a feature as a client would send it, so
 * that the rules of edits hold (domains, GlobalIDs, who made it when), and batches of them are edits of their own, durable each.
 * With rollbackOnFailure all of it is one edit. A job that is run again goes on behind the last batch that its checkpoint names;
 * a batch that was written without its checkpoint is written again, by which an upsert changes nothing.
 *
 * Result: recordCount, inserted, updated, skipped. */
#include "jobs/append.h"
#include "base/clock.h"
#include "base/num.h"
#include "jobs/kinds.h"
#include "jobs/lists.h"
#include "model/errors.h"
#include "model/geometry/esri_json.h"
#include "service/hosted.h"
#include "service/intake.h"
#include "service/item.h"
#include <stdlib.h>

enum {
    REQUEST_MAX = 8 << 20,
    BATCH_ROWS = 2000,
    BATCH_BYTES = 16 << 20,
    WHOLE_ROWS = 250000,
    WHOLE_BYTES = 512 << 20,
    KEY_SIZE = 64
};

/* ---- request ---- */
#define TEXTS(member)                                                                                                            \
    member("service", service) member("format", format) member("fieldMappings", mappings) member("sourceInfo", source_info)      \
        member("fields", fields) member("table", table) member("matchingField", matching_field)
#define SWITCHES(member)                                                                                                         \
    member("upsert", upsert) member("skipInserts", skip_inserts) member("skipUpdates", skip_updates)                             \
        member("keepGeometry", keep_geometry) member("useGlobalIds", global_ids) member("rollback", rollback)

static str request_print(struct ctx *ctx, const struct append *a)
{
    struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    access_caller_print(&o, &a->caller);
    json_member_str(&o, "itemId", id_str(&a->item));
    json_member_int(&o, "layer", a->layer);
#define PRINT(name, member_) json_member_str(&o, name, a->member_);
    TEXTS(PRINT)
#undef PRINT
#define PRINT(name, member_) json_member_bool(&o, name, a->member_);
    SWITCHES(PRINT)
#undef PRINT
    json_end_object(&o);
    return lists_text(ctx, &o, &b);
}

static int request_parse(struct ctx *ctx, struct json v, struct append *out)
{
    int64_t layer = 0;
    *out = (struct append){.layer = 0};
    bool whole = access_caller_parse(ctx->arena, v, &out->caller) && json_int(json_get_c(v, "layer"), &layer) &&
                 id_parse(json_string(json_get_c(v, "itemId"), ctx->arena), &out->item);
    out->layer = (int32_t)layer;
#define PARSE(name, member_) out->member_ = json_string_or(json_get_c(v, name), ctx->arena, STR(""));
    TEXTS(PARSE)
#undef PARSE
#define PARSE(name, member_) out->member_ = json_bool(json_get_c(v, name), false);
    SWITCHES(PARSE)
#undef PARSE
    return whole ? RC_OK : err_set(ctx, &ERR_CORRUPT, "a stored request is incomplete");
}

/* ---- the fields ---- */
struct append_run {
    struct job_run *job;
    struct append in;
    struct hosted_service *service;
    const struct layer *to, *from;
    const struct field **target; /* of each field of `from`; NULL: not taken */
    size_t key_from, key_to;     /* indexes of the matching field; SIZE_MAX: no upsert */
    struct append_key *keys;     /* of the layer's rows, sorted */
    size_t key_count, key_capacity;
    struct append_key *seen; /* of the file's rows, to find those that come twice */
    size_t seen_count, seen_capacity;
    int64_t inserted, updated, skipped, done;
    struct job_progress progress;
};
struct append_key {
    str text;
    int64_t oid;
};

static int compare_keys(const void *a, const void *b)
{
    return str_cmp(((const struct append_key *)a)->text, ((const struct append_key *)b)->text);
}

static bool is_listed(str csv, str name)
{
    str piece;
    while (str_split(&csv, ',', &piece))
        if (str_ieq(str_trim(piece), name))
            return true;
    return false;
}

/* The field of the layer that a field of the file goes to: what fieldMappings say, else that of the same name. */
static int target_of(struct ctx *ctx, const struct append_run *r, struct json mappings, const struct field *f,
                     const struct field **out)
{
    struct json v;
    *out = json_count(mappings) ? NULL : layer_field(r->to, f->name, NULL);
    for (struct json_iter it = json_each(mappings); json_next(&it, NULL, &v);) {
        str source = json_string_or(json_get_c(v, "source"), ctx->arena, STR(""));
        str name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
        if (!str_ieq(source, f->name) && !str_ieq(source, f->alias))
            continue;
        *out = layer_field(r->to, name, NULL);
        if (!*out)
            return err_set(ctx, &ERR_PARAMETER, "'fieldMappings': the layer has no field '%.*s'.", STR_FMT(name));
    }
    if (*out && (*out)->type == FIELD_OID)
        *out = NULL;
    if (*out && r->in.fields.n && !is_listed(r->in.fields, (*out)->name))
        *out = NULL;
    return RC_OK;
}

static bool is_mapped(const struct append_run *r, str source)
{
    for (size_t i = 0; i < r->from->field_count; i++)
        if (str_ieq(r->from->fields[i].name, source) || str_ieq(r->from->fields[i].alias, source))
            return true;
    return false;
}

static int map_fields(struct ctx *ctx, struct append_run *r)
{
    struct json mappings = JSON_ABSENT, v;
    size_t taken = 0;
    if (r->in.mappings.n)
        TRY(json_parse(ctx, r->in.mappings, &mappings));
    for (struct json_iter it = json_each(mappings); json_next(&it, NULL, &v);) {
        str source = json_string_or(json_get_c(v, "source"), ctx->arena, STR(""));
        if (!is_mapped(r, source))
            return err_set(ctx, &ERR_PARAMETER, "'fieldMappings': the file has no field '%.*s'.", STR_FMT(source));
    }
    r->target = arena_array(ctx->arena, const struct field *, r->from->field_count);
    for (size_t i = 0; i < r->from->field_count; i++) {
        if (i == r->from->oid_field)
            continue;
        TRY(target_of(ctx, r, mappings, &r->from->fields[i], &r->target[i]));
        taken += r->target[i] != NULL;
        if (!r->target[i])
            job_message(r->job, "Field %.*s of the file is not taken: the layer has none of that name.",
                        STR_FMT(r->from->fields[i].name));
    }
    if (taken == 0 && r->from->geometry == GEOMETRY_NONE)
        return err_set(ctx, &ERR_PARAMETER, "The file has no field that the layer has.");
    return RC_OK;
}

/* ---- upsert ---- */

static bool is_unique(struct ctx *ctx, const struct layer *l, const struct field *f)
{
    struct json v;
    if (f->type == FIELD_OID || f->type == FIELD_GLOBALID)
        return true;
    for (struct json_iter it = json_each(json_get_c(l->json, "indexes")); json_next(&it, NULL, &v);)
        if (json_bool(json_get_c(v, "isUnique"), false) &&
            str_ieq(json_string_or(json_get_c(v, "fields"), ctx->arena, STR("")), f->name))
            return true;
    return false;
}

/* The same text for values that are equal, whatever type they have. "" is no key. */
static str key_text(const struct value *v, char space[KEY_SIZE])
{
    char guid[GUID_SIZE + 1];
    if (v->kind == VALUE_INT)
        return str_of(space, num_print_int(v->i, space));
    if (v->kind == VALUE_DOUBLE)
        return str_of(space, num_print_double(v->d, space));
    if (v->kind != VALUE_TEXT)
        return STR("");
    if (!guid_parse(v->s, guid))
        return v->s;
    memcpy(space, guid, GUID_SIZE);
    return str_of(space, GUID_SIZE);
}

static int read_keys(struct ctx *ctx, struct append_run *r)
{
    struct feature_cursor *cursor;
    const struct feature_query q = {.limit = -1, .fields = &r->key_to, .field_count = 1};
    const struct layer *stored = layer_stored(r->to);
    struct row row;
    char space[KEY_SIZE];
    int rc;
    TRY(feature_query_open(ctx, r->job->site->features, &r->service->store, stored, &q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        const struct value oid = {.kind = VALUE_INT, .i = row.oid};
        str text = key_text(r->key_to == stored->oid_field ? &oid : &row.values[r->key_to], space);
        if (text.n == 0)
            continue;
        r->keys = arena_grow(ctx->arena, r->keys, &r->key_capacity, r->key_count + 1, sizeof *r->keys);
        r->keys[r->key_count++] = (struct append_key){arena_str(ctx->arena, text), row.oid};
    }
    feature_cursor_close(cursor);
    if (r->key_count)
        qsort(r->keys, r->key_count, sizeof *r->keys, compare_keys);
    return rc == RC_END ? RC_OK : rc;
}

static int prepare_upsert(struct ctx *ctx, struct append_run *r)
{
    r->key_from = r->key_to = SIZE_MAX;
    if (!r->in.upsert)
        return RC_OK;
    const struct field *f = layer_field(layer_stored(r->to), r->in.matching_field, &r->key_to);
    if (!f)
        return err_set(ctx, &ERR_PARAMETER, "'upsertMatchingField': the layer has no field '%.*s'.",
                       STR_FMT(r->in.matching_field));
    if (!is_unique(ctx, r->to, f))
        return err_set(
            ctx, &ERR_PARAMETER,
            "'upsertMatchingField': field '%.*s' is neither the object id nor the GlobalID, nor has it a unique index.",
            STR_FMT(f->name));
    if (r->in.global_ids && f->type != FIELD_GLOBALID)
        return err_set(ctx, &ERR_PARAMETER, "'useGlobalIds' with 'upsert' needs the GlobalID as 'upsertMatchingField'.");
    for (size_t i = 0; i < r->from->field_count; i++)
        if (i != r->from->oid_field &&
            (r->target[i] ? str_ieq(r->target[i]->name, f->name) : str_ieq(r->from->fields[i].name, f->name)))
            r->key_from = i;
    if (r->key_from == SIZE_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'upsertMatchingField': no field of the file goes to '%.*s'.", STR_FMT(f->name));
    return read_keys(ctx, r);
}

/* Two rows of the file with one key would change one feature twice. */
static int check_twice(struct ctx *ctx, struct append_run *r)
{
    if (r->seen_count)
        qsort(r->seen, r->seen_count, sizeof *r->seen, compare_keys);
    for (size_t i = 1; i < r->seen_count; i++)
        if (str_eq(r->seen[i - 1].text, r->seen[i].text))
            return err_set(ctx, &ERR_INVALID, "Rows %lld and %lld of the file have the same '%.*s'.",
                           (long long)r->seen[i - 1].oid, (long long)r->seen[i].oid, STR_FMT(r->in.matching_field));
    return RC_OK;
}

/* ---- batches ---- */
struct append_batch {
    struct buf adds, updates;
    struct json_out add_out, update_out;
    int64_t *add_rows, *update_rows; /* which rows of the file they are */
    size_t add_count, update_count, add_capacity, update_capacity;
};

static void batch_open(struct ctx *ctx, struct append_batch *b)
{
    *b = (struct append_batch){.adds = BUF_INIT(WHOLE_BYTES), .updates = BUF_INIT(WHOLE_BYTES)};
    json_out_buf(&b->add_out, ctx, &b->adds);
    json_out_buf(&b->update_out, ctx, &b->updates);
    json_begin_array(&b->add_out);
    json_begin_array(&b->update_out);
}

static void batch_close(struct append_batch *b)
{
    buf_free(&b->adds);
    buf_free(&b->updates);
}

static void put_value(struct json_out *o, const struct field *from, const struct value *v)
{
    char iso[CLOCK_ISO_SIZE];
    if (v->kind == VALUE_INT && from->type == FIELD_DATE && clock_iso_print(v->i, iso))
        json_put_str(o, str_c(iso));
    else if (v->kind == VALUE_INT)
        json_put_int(o, v->i);
    else if (v->kind == VALUE_DOUBLE)
        json_put_double(o, v->d);
    else
        json_put_str(o, v->kind == VALUE_TEXT ? v->s : STR_NONE);
}

static int put_feature(struct ctx *ctx, struct append_run *r, struct json_out *o, const struct row *row, int64_t oid)
{
    json_begin_object(o);
    json_name(o, "attributes");
    json_begin_object(o);
    if (oid > 0)
        json_member_int(o, arena_cstr(ctx->arena, r->to->fields[r->to->oid_field].name), oid);
    for (size_t i = 0; i < r->from->field_count; i++) {
        if (!r->target[i])
            continue;
        json_name_str(o, r->target[i]->name);
        /* a date is milliseconds for a field of dates, and what people read for others */
        if (r->target[i]->type == FIELD_DATE && row->values[i].kind == VALUE_INT)
            json_put_int(o, row->values[i].i);
        else
            put_value(o, &r->from->fields[i], &row->values[i]);
    }
    json_end_object(o);
    if (!str_none(row->wkb) && r->to->geometry != GEOMETRY_NONE && (oid <= 0 || !r->in.keep_geometry)) {
        json_name(o, "geometry");
        TRY(esri_json_put(ctx, o, row->wkb, (struct esri_json_form){.z = r->from->has_z, .m = r->from->has_m}));
    }
    json_end_object(o);
    return RC_OK;
}

static int add_row(struct ctx *ctx, struct append_run *r, struct append_batch *b, const struct row *row, int64_t number)
{
    char space[KEY_SIZE];
    const struct append_key *found = NULL;
    if (r->key_from != SIZE_MAX) {
        struct append_key key = {key_text(&row->values[r->key_from], space), number};
        if (key.text.n && r->key_count)
            found = bsearch(&key, r->keys, r->key_count, sizeof *r->keys, compare_keys);
    }
    if (found ? r->in.skip_updates : r->in.skip_inserts) {
        r->skipped++;
        return RC_OK;
    }
    if (found) {
        b->update_rows = arena_grow(ctx->arena, b->update_rows, &b->update_capacity, b->update_count + 1, sizeof *b->update_rows);
        b->update_rows[b->update_count++] = number;
        return put_feature(ctx, r, &b->update_out, row, found->oid);
    }
    b->add_rows = arena_grow(ctx->arena, b->add_rows, &b->add_capacity, b->add_count + 1, sizeof *b->add_rows);
    b->add_rows[b->add_count++] = number;
    return put_feature(ctx, r, &b->add_out, row, 0);
}

/* What single features have wrong: the job's failure with rollback, a message without. */
static int take_results(struct ctx *ctx, struct append_run *r, const struct edit_results *results, const int64_t *rows,
                        int64_t *done)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct edit_result *e = &results->list[i];
        if (e->success) {
            ++*done;
            continue;
        }
        if (r->in.rollback && e->code != CODE_ROLLBACK)
            return err_set(ctx, &ERR_FEATURE, "Nothing was appended: row %lld of the file: %.*s", (long long)rows[i],
                           STR_FMT(e->description));
        if (!r->in.rollback)
            job_message(r->job, "Row %lld was left out: %.*s", (long long)rows[i], STR_FMT(e->description));
        r->skipped += !r->in.rollback;
    }
    return RC_OK;
}

static int batch_write(struct ctx *ctx, struct append_run *r, struct append_batch *b)
{
    CLEANUP(hosted_editing_close) struct hosted_editing e = {NULL};
    const struct hosted_edit_options options = {.global_ids = r->in.global_ids, .rollback = r->in.rollback};
    struct hosted_layer_edits edits = {.layer = NULL};
    int64_t moment;
    json_end_array(&b->add_out);
    json_end_array(&b->update_out);
    TRY(json_out_end(&b->add_out, "the rows to add"));
    TRY(json_out_end(&b->update_out, "the rows to change"));
    TRY(hosted_editing_open(ctx, r->job->site, &r->in.caller, r->in.service, (const enum feature_right[]){FEATURE_APPEND}, 1,
                            &e));
    edits.layer = service_layer(&e.service->def, r->in.layer);
    if (!edits.layer)
        return err_kind(ctx, &ERR_LAYER_MISSING);
    TRY(json_parse(ctx, buf_str(&b->adds), &edits.adds));
    TRY(json_parse(ctx, buf_str(&b->updates), &edits.updates));
    TRY(hosted_apply_edits(ctx, r->job->site, &r->in.caller, e.service, &options, &edits, 1, &moment));
    TRY(take_results(ctx, r, &edits.added, b->add_rows, &r->inserted));
    return take_results(ctx, r, &edits.updated, b->update_rows, &r->updated);
}

static int checkpoint(struct ctx *ctx, struct append_run *r)
{
    r->progress.features_done = r->done;
    str at = arena_printf(ctx->arena, "{\"done\":%lld,\"inserted\":%lld,\"updated\":%lld,\"skipped\":%lld}", (long long)r->done,
                          (long long)r->inserted, (long long)r->updated, (long long)r->skipped);
    return job_checkpoint(ctx, r->job, &r->progress, at);
}

/* Rows until the batch is full; RC_END with those that are left. */
static int batch_fill(struct ctx *ctx, struct append_run *r, struct row_source *rows, struct append_batch *b)
{
    struct row row;
    int rc = RC_OK;
    size_t most = r->in.rollback ? WHOLE_ROWS : BATCH_ROWS, bytes = r->in.rollback ? WHOLE_BYTES : BATCH_BYTES;
    while (b->add_count + b->update_count < most && b->adds.n + b->updates.n < bytes &&
           (rc = rows->next(ctx, rows, &row)) == RC_OK) {
        TRY(ctx_check(ctx));
        TRY(add_row(ctx, r, b, &row, ++r->done));
    }
    if (rc == RC_OK && r->in.rollback)
        return err_set(ctx, &ERR_LIMIT,
                       "The file has more than the %d rows that can be appended all or none: set rollbackOnFailure to false.",
                       WHOLE_ROWS);
    return rc;
}

static int skip_done(struct ctx *ctx, struct append_run *r, struct row_source *rows)
{
    struct json at;
    struct row row;
    int64_t done = 0;
    if (!json_try_parse(ctx->arena, r->job->job->checkpoint, &at) || !json_int(json_get_c(at, "done"), &done))
        return RC_OK;
    json_int(json_get_c(at, "inserted"), &r->inserted);
    json_int(json_get_c(at, "updated"), &r->updated);
    json_int(json_get_c(at, "skipped"), &r->skipped);
    for (; r->done < done; r->done++)
        TRY(rows->next(ctx, rows, &row));
    return RC_OK;
}

static int append_rows(struct ctx *ctx, struct append_run *r, struct intake *file)
{
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    int rc = RC_OK;
    TRY(convert_rows(ctx, file->convert, r->from, &rows));
    TRY(skip_done(ctx, r, rows));
    while (rc == RC_OK) {
        struct ctx child;
        ctx_child(&child, ctx);
        CLEANUP(batch_close) struct append_batch b;
        batch_open(&child, &b);
        rc = batch_fill(&child, r, rows, &b);
        int written = rc == RC_OK || rc == RC_END ? batch_write(&child, r, &b) : RC_OK;
        rc = written != RC_OK ? written : rc;
        if (rc != RC_OK && rc != RC_END)
            ctx_adopt_error(ctx, &child, rc);
        ctx_close(&child);
        if (rc == RC_OK)
            TRY(checkpoint(ctx, r));
    }
    return rc == RC_END ? RC_OK : rc;
}

/* ---- the job ---- */

/* A pass over the file's keys alone, before anything is written. */
static int check_keys(struct ctx *ctx, struct append_run *r, struct intake *file)
{
    CLEANUP(row_source_cleanup) struct row_source *rows = NULL;
    struct row row;
    char space[KEY_SIZE];
    int64_t number = 0;
    int rc;
    if (r->key_from == SIZE_MAX)
        return RC_OK;
    TRY(convert_rows(ctx, file->convert, r->from, &rows));
    while ((rc = rows->next(ctx, rows, &row)) == RC_OK) {
        str text = key_text(&row.values[r->key_from], space);
        number++;
        if (text.n == 0)
            continue;
        r->seen = arena_grow(ctx->arena, r->seen, &r->seen_capacity, r->seen_count + 1, sizeof *r->seen);
        r->seen[r->seen_count++] = (struct append_key){arena_str(ctx->arena, text), number};
    }
    return rc == RC_END ? check_twice(ctx, r) : rc;
}

static int find_layer(struct ctx *ctx, struct append_run *r, const struct intake *file)
{
    r->from = &file->def.layers[0];
    for (size_t i = 0; r->in.table.n && i < file->def.layer_count; i++)
        if (str_ieq(file->def.layers[i].name, r->in.table))
            r->from = &file->def.layers[i];
    if (r->in.table.n && !str_ieq(r->from->name, r->in.table))
        return err_set(ctx, &ERR_PARAMETER, "'sourceTableName': the file has no layer '%.*s'.", STR_FMT(r->in.table));
    if (r->from->geometry != r->to->geometry && r->to->geometry != GEOMETRY_NONE && r->from->geometry != GEOMETRY_NONE)
        return err_set(ctx, &ERR_PARAMETER, "The file has %s, the layer %s.", geometry_type_name(r->from->geometry),
                       geometry_type_name(r->to->geometry));
    return RC_OK;
}

static int append_file(struct ctx *ctx, struct append_run *r)
{
    CLEANUP(intake_close) struct intake file = {.copy = STR_NONE};
    struct intake_wish w = {.item = r->in.item, .file_type = r->in.format, .name = r->to->name};
    w.target_wkid = r->to->latest_wkid ? r->to->latest_wkid : r->to->wkid;
    if (r->in.source_info.n)
        TRY(json_parse(ctx, r->in.source_info, &w.parameters));
    TRY(intake_open(ctx, r->job->site, &r->in.caller, &w, &file));
    TRY(find_layer(ctx, r, &file));
    TRY(map_fields(ctx, r));
    TRY(prepare_upsert(ctx, r));
    TRY(check_keys(ctx, r, &file));
    return append_rows(ctx, r, &file);
}

static void release(struct append_run *r) { hosted_release(&r->service); }

int job_append(struct ctx *ctx, struct job_run *run)
{
    CLEANUP(release) struct append_run r = {.job = run};
    TRY(request_parse(ctx, run->request, &r.in));
    TRY(hosted_open(ctx, run->site, &r.in.caller, r.in.service, FEATURE_APPEND, &r.service));
    r.to = service_layer(&r.service->def, r.in.layer);
    if (!r.to)
        return err_kind(ctx, &ERR_LAYER_MISSING);
    TRY(append_file(ctx, &r));
    run->job->result =
        arena_printf(ctx->arena, "{\"layerName\":%.*s,\"recordCount\":%lld,\"inserted\":%lld,\"updated\":%lld,\"skipped\":%lld}",
                     STR_FMT(json_raw(json_get_c(r.to->json, "name"))), (long long)(r.inserted + r.updated),
                     (long long)r.inserted, (long long)r.updated, (long long)r.skipped);
    return RC_OK;
}

int append_submit(struct ctx *ctx, struct site *s, struct jobs *jobs, const struct append *a, id *job_out)
{
    CLEANUP(hosted_release) struct hosted_service *service = NULL;
    enum convert_format format;
    char key[JOB_KEY_SIZE];
    struct item_part part;
    if (!convert_format_parse(a->format, &format))
        return err_set(ctx, &ERR_PARAMETER, "'appendUploadFormat': files of the type '%.*s' are not read.",
                       STR_FMT(str_sub(a->format, 0, 60)));
    TRY(hosted_open(ctx, s, &a->caller, a->service, FEATURE_APPEND, &service));
    const struct layer *l = service_layer(&service->def, a->layer);
    if (!l)
        return err_kind(ctx, &ERR_LAYER_MISSING);
    if (a->upsert && str_empty(a->matching_field))
        return err_set(ctx, &ERR_PARAMETER, "'upsert' needs 'upsertMatchingField'.");
    int rc = item_part_get(ctx, s, &a->caller, &a->item, PART_DATA, STR(""), &part);
    if (rc == RC_NOT_FOUND && !ctx->err.kind)
        return err_set(ctx, &ERR_PARAMETER, "Item '%s' has no file.", a->item.text);
    TRY(rc);
    const struct job_submit submit = {.kind = "append",
                                      .owner = a->caller.username,
                                      .definition = STR("{\"type\":\"append\"}"),
                                      .request = request_print(ctx, a),
                                      .item = id_str(&service->item)};
    return jobs_submit(ctx, jobs, &submit, job_out, key);
}
