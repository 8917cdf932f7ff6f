/* Attachments of features over HTTP. */
#include "base/num.h"
#include "service/hosted_upload.h"
#include "web/featureserver/featureserver.h"
#include <stdlib.h>

enum { OBJECT_IDS_MAX = 1000, ALL_MAX = 100000 };

str features_attachment_url(struct ctx *ctx, const struct call *call, const struct hosted_service *h, int32_t layer,
                            const struct attachment *a)
{
    return arena_printf(ctx->arena, "%.*s/rest/services/Hosted/%.*s/FeatureServer/%d/%lld/attachments/%lld",
                        STR_FMT(call->server_url), STR_FMT(h->name), layer, (long long)a->parent_oid, (long long)a->id);
}

static void put_info(struct json_out *o, const struct attachment *a, str url)
{
    json_begin_object(o);
    json_member_int(o, "id", a->id);
    json_member_str(o, "globalId", a->global_id);
    if (!str_empty(a->parent_global_id))
        json_member_str(o, "parentGlobalId", a->parent_global_id);
    json_member_str(o, "name", a->name);
    json_member_str(o, "contentType", a->content_type);
    json_member_int(o, "size", a->size);
    json_member_str(o, "keywords", a->keywords);
    json_member_null(o, "exifInfo");
    if (!str_none(url))
        json_member_str(o, "url", url);
    json_end_object(o);
}

int features_attachments(struct ctx *ctx, struct call *call)
{
    struct json_out *o = &call->out;
    int32_t layer_id;
    int64_t oid;
    struct attachment *list;
    size_t count;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(features_path_number(ctx, call, "objectId", &oid));
    TRY(hosted_attachments(ctx, call->site, &call->caller, call_path(call, "name"), layer_id, oid, &list, &count));
    json_begin_object(o);
    json_name(o, "attachmentInfos");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        put_info(o, &list[i], STR_NONE);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

int features_attachment(struct ctx *ctx, struct call *call)
{
    int32_t layer_id;
    int64_t oid, wanted;
    struct attachment a;
    TRY(features_layer_id(ctx, call, &layer_id));
    TRY(features_path_number(ctx, call, "objectId", &oid));
    TRY(features_path_number(ctx, call, "attachmentId", &wanted));
    TRY(hosted_attachment_get(ctx, call->site, &call->caller, call_path(call, "name"), layer_id, oid, wanted, &a));
    return reply_blob(ctx, call, a.hash, a.content_type, a.name);
}

/* ---- changing ---- */

static int read_feature(struct ctx *ctx, const struct call *call, struct hosted_feature *out)
{
    out->service = call_path(call, "name");
    TRY(features_layer_id(ctx, call, &out->layer));
    return features_path_number(ctx, call, "objectId", &out->oid);
}

/* The file that came along, or one that was uploaded before. */
static int read_file(struct ctx *ctx, struct call *call, struct hosted_file *out)
{
    struct upload *file = call_file(call, "attachment");
    struct service_upload u;
    if (!file && !call_has(call, "uploadId"))
        return err_set(ctx, &ERR_PARAMETER, "'attachment' has to be a file, or 'uploadId' the id of an upload.");
    if (file) {
        *out =
            (struct hosted_file){hosted_bytes_new(file->blob), file->filename, file->content_type, call_param(call, "keywords")};
        return RC_OK;
    }
    TRY(hosted_upload_file(ctx, call->site, &call->caller, call_path(call, "name"), call_param(call, "uploadId"), &u));
    *out = (struct hosted_file){{true, NULL, u.size, u.hash}, u.name, u.content_type, call_param(call, "keywords")};
    return RC_OK;
}

static void put_single_result(struct json_out *o, const char *name, const struct edit_result *r)
{
    json_begin_object(o);
    json_name(o, name);
    features_put_edit_result(o, r);
    json_end_object(o);
}

int features_add_attachment(struct ctx *ctx, struct call *call)
{
    struct hosted_feature at;
    struct hosted_file file;
    struct edit_result result;
    TRY(read_feature(ctx, call, &at));
    TRY(read_file(ctx, call, &file));
    TRY(hosted_add_attachment(ctx, call->site, &call->caller, &at, &file, &result));
    put_single_result(&call->out, "addAttachmentResult", &result);
    return RC_OK;
}

int features_update_attachment(struct ctx *ctx, struct call *call)
{
    struct hosted_feature at;
    struct hosted_file file;
    struct edit_result result;
    int64_t attachment = call_int(call, "attachmentId");
    TRY(read_feature(ctx, call, &at));
    TRY(read_file(ctx, call, &file));
    TRY(hosted_update_attachment(ctx, call->site, &call->caller, &at, attachment, &file, &result));
    put_single_result(&call->out, "updateAttachmentResult", &result);
    return RC_OK;
}

int features_delete_attachments(struct ctx *ctx, struct call *call)
{
    struct json_out *o = &call->out;
    struct hosted_feature at;
    struct edit_result *results;
    int64_t *ids;
    size_t count;
    TRY(read_feature(ctx, call, &at));
    TRY(features_object_ids(ctx, call_param(call, "attachmentIds"), &ids, &count));
    if (count > OBJECT_IDS_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d attachment ids.", OBJECT_IDS_MAX);
    TRY(hosted_delete_attachments(ctx, call->site, &call->caller, &at, ids, count, call_bool(call, "rollbackOnFailure"),
                                  &results));
    json_begin_object(o);
    json_name(o, "deleteAttachmentResults");
    json_begin_array(o);
    for (size_t i = 0; i < count; i++)
        features_put_edit_result(o, &results[i]);
    json_end_array(o);
    json_end_object(o);
    return RC_OK;
}

/* ---- queryAttachments ---- */

struct attachment_query {
    struct hosted_service *service;
    const struct layer *layer;
    int64_t least, most;     /* bytes */
    struct attachment *list; /* of the parents asked for, by parent and id */
    size_t count, capacity;
};

static int compare(const void *a, const void *b)
{
    const struct attachment *x = a, *y = b;
    if (x->parent_oid != y->parent_oid)
        return x->parent_oid < y->parent_oid ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* All attachments of the features asked for; without ids, of the layer. */
static int read_attachments(struct ctx *ctx, struct call *call, struct attachment_query *q)
{
    int64_t *oids;
    size_t count;
    TRY(features_object_ids(ctx, call_param(call, "objectIds"), &oids, &count));
    if (count > OBJECT_IDS_MAX)
        return err_set(ctx, &ERR_FEATURE, "More than %d object ids.", OBJECT_IDS_MAX);
    if (count == 0) {
        oids[0] = -1; /* all */
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct attachment *found;
        size_t n;
        TRY(hosted_attachments_of(ctx, call->site, q->service, q->layer->id, oids[i], 0, ALL_MAX + 1, &found, &n));
        if (q->count + n > ALL_MAX)
            return err_set(ctx, &ERR_FEATURE, "More than %d attachments: ask with 'objectIds'.", ALL_MAX);
        q->list = arena_grow(ctx->arena, q->list, &q->capacity, q->count + n + 1, sizeof *q->list);
        for (size_t k = 0; k < n; k++)
            q->list[q->count++] = found[k];
    }
    qsort(q->list, q->count, sizeof *q->list, compare);
    return RC_OK;
}

/* What would change the answer and is not there. */
static int refuse_unsupported(struct ctx *ctx, const struct call *call)
{
    static const char *const texts[] = {"attachmentsDefinitionExpression", "orderByFields", "gdbVersion"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (call_has(call, texts[i]))
            return err_set(ctx, &ERR_FEATURE, "'%s' is not supported.", texts[i]);
    if (call_bool(call, "returnMetadata"))
        return err_set(ctx, &ERR_FEATURE, "'returnMetadata' is not supported: what images say of themselves is not read.");
    return RC_OK;
}

/* size=most or size=least,most: bytes. */
static int read_sizes(struct ctx *ctx, const struct call *call, struct attachment_query *q)
{
    str rest = call_param(call, "size"), piece;
    int64_t sizes[2];
    size_t count = 0;
    q->most = INT64_MAX;
    if (!call_has(call, "size"))
        return RC_OK;
    while (str_split(&rest, ',', &piece))
        if (count == COUNT_OF(sizes) || !num_parse_int(str_trim(piece), &sizes[count++]))
            return err_set(ctx, &ERR_FEATURE, "'size' has to be the most bytes, or the least and the most.");
    q->least = count == 2 ? sizes[0] : 0;
    q->most = sizes[count - 1];
    return RC_OK;
}

/* GlobalID IN (globalIds), NULL without any. */
static int read_parents(struct ctx *ctx, const struct call *call, const struct layer *l, struct where **out)
{
    char guid[GUID_SIZE + 1];
    str rest = call_param(call, "globalIds"), piece;
    *out = NULL;
    if (!call_has(call, "globalIds"))
        return RC_OK;
    if (l->globalid_field == SIZE_MAX)
        return err_set(ctx, &ERR_FEATURE, "'globalIds': the layer has no GlobalIDs.");
    struct where *nodes = arena_array(ctx->arena, struct where, OBJECT_IDS_MAX + 2);
    struct where **args = arena_array(ctx->arena, struct where *, OBJECT_IDS_MAX + 1);
    nodes[0] = (struct where){.kind = WHERE_FIELD, .field = l->globalid_field};
    args[0] = &nodes[0];
    size_t count = 1;
    while (str_split(&rest, ',', &piece)) {
        if (count > OBJECT_IDS_MAX)
            return err_set(ctx, &ERR_FEATURE, "More than %d GlobalIDs.", OBJECT_IDS_MAX);
        if (!guid_parse(str_trim(piece), guid))
            return err_set(ctx, &ERR_FEATURE, "'globalIds': '%.*s' is no GlobalID.", STR_FMT(str_sub(piece, 0, 64)));
        nodes[count] = (struct where){.kind = WHERE_LITERAL,
                                      .literal = {.kind = VALUE_TEXT, .s = arena_str(ctx->arena, str_of(guid, GUID_SIZE))}};
        args[count] = &nodes[count];
        count++;
    }
    *out = &nodes[OBJECT_IDS_MAX + 1];
    **out = (struct where){.kind = WHERE_IN, .args = args, .arg_count = count};
    return RC_OK;
}

static const struct where *both(struct ctx *ctx, struct where *a, struct where *b)
{
    if (!a || !b)
        return a ? a : b;
    struct where *out = arena_new(ctx->arena, struct where), **args = arena_array(ctx->arena, struct where *, 2);
    args[0] = a;
    args[1] = b;
    *out = (struct where){.kind = WHERE_AND, .args = args, .arg_count = 2};
    return out;
}

/* Leaves those whose feature is there for the caller, and fits the expression. */
static int keep_matching(struct ctx *ctx, struct call *call, struct attachment_query *q)
{
    struct where *where, *named;
    struct feature_query fq = {.limit = -1, .fields = &q->layer->oid_field, .field_count = 1};
    TRY(features_where(ctx, q->layer, call_param(call, "definitionExpression"), &where));
    TRY(read_parents(ctx, call, q->layer, &named));
    int64_t *parents = arena_array(ctx->arena, int64_t, q->count + 1);
    for (size_t i = 0; i < q->count; i++)
        if (i == 0 || q->list[i].parent_oid != q->list[i - 1].parent_oid)
            parents[fq.oid_count++] = q->list[i].parent_oid;
    fq.where = both(ctx, where, named);
    fq.oids = parents;
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    size_t kept = 0, at = 0;
    TRY(feature_query_open(ctx, call->site->features, &q->service->store, q->layer, &fq, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        for (; at < q->count && q->list[at].parent_oid <= row.oid; at++)
            if (q->list[at].parent_oid == row.oid)
                q->list[kept++] = q->list[at];
    }
    feature_cursor_close(cursor);
    q->count = kept;
    return rc == RC_END ? RC_OK : rc;
}

/* Has one of the values (a csv too) a place in the csv? An empty csv lets everything through. */
static bool listed(str csv, str values)
{
    str rest = csv, piece, value;
    if (str_empty(str_trim(csv)))
        return true;
    while (str_split(&rest, ',', &piece))
        for (str left = values; str_split(&left, ',', &value);)
            if (str_ieq(str_trim(piece), str_trim(value)))
                return true;
    return false;
}

static void keep_page(struct call *call, struct attachment_query *q)
{
    int64_t offset = call_int(call, "resultOffset"),
            most = call_has(call, "resultRecordCount") ? call_int(call, "resultRecordCount") : ALL_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < q->count; i++) {
        const struct attachment *a = &q->list[i];
        if (a->size >= q->least && a->size <= q->most && listed(call_param(call, "attachmentTypes"), a->content_type) &&
            listed(call_param(call, "keywords"), a->keywords) && offset-- <= 0 && most-- > 0)
            q->list[kept++] = *a;
    }
    q->count = kept;
}

static str attachment_url(struct ctx *ctx, const struct call *call, const struct attachment_query *q, const struct attachment *a)
{
    return call_bool(call, "returnUrl") ? features_attachment_url(ctx, call, q->service, q->layer->id, a) : STR_NONE;
}

static void put_group(struct ctx *ctx, struct call *call, const struct attachment_query *q, size_t from, size_t to)
{
    struct json_out *o = &call->out;
    json_begin_object(o);
    json_member_int(o, "parentObjectId", q->list[from].parent_oid);
    if (!str_empty(q->list[from].parent_global_id))
        json_member_str(o, "parentGlobalId", q->list[from].parent_global_id);
    if (call_bool(call, "returnCountOnly")) {
        json_member_int(o, "count", (int64_t)(to - from));
    } else {
        json_name(o, "attachmentInfos");
        json_begin_array(o);
        for (size_t i = from; i < to; i++)
            put_info(o, &q->list[i], attachment_url(ctx, call, q, &q->list[i]));
        json_end_array(o);
    }
    json_end_object(o);
}

static void query_close(struct attachment_query *q) { hosted_release(&q->service); }

int features_query_attachments(struct ctx *ctx, struct call *call)
{
    CLEANUP(query_close) struct attachment_query q = {0};
    TRY(refuse_unsupported(ctx, call));
    TRY(read_sizes(ctx, call, &q));
    TRY(features_open_layer(ctx, call, FEATURE_QUERY, &q.service, &q.layer));
    TRY(read_attachments(ctx, call, &q));
    TRY(keep_matching(ctx, call, &q));
    keep_page(call, &q);
    json_begin_object(&call->out);
    json_name(&call->out, "attachmentGroups");
    json_begin_array(&call->out);
    for (size_t from = 0, to; from < q.count; from = to) {
        for (to = from + 1; to < q.count && q.list[to].parent_oid == q.list[from].parent_oid; to++)
            ;
        put_group(ctx, call, &q, from, to);
    }
    json_end_array(&call->out);
    json_end_object(&call->out);
    return RC_OK;
}
