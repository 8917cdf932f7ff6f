/* A changed definition comes into force. The data set gets what is new before the row of the metadata names it, and loses what is
 * gone after the row does not name it any more, so that each moment's definition has its tables and columns; what a crash in
 * between leaves nobody sees (feature_extend). */
#include "base/log.h"
#include "service/hosted_private.h"
#include "service/hosted_rows.h"
#include "service/hosted_view.h"

/* ---- the row ---- */

struct commit_call {
    const struct hosted_service *before;
    const struct service *after;
    str definition;
    id store;
    const id *source; /* of a view; NULL: it stays what it is */
};

static int commit_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct commit_call *call = arg;
    const struct hosted_service *h = call->before;
    struct hosted row;
    struct item it;
    int64_t now = ctx_now(ctx);
    int rc = meta_hosted_get(ctx, tx, &h->item, &row);
    bool other_store = rc == RC_OK && id_none(row.source) && !id_eq(row.store, h->store);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (row.modified != h->modified || other_store)))
        return err_set(ctx, &ERR_DEFINITION, "The service was changed by someone else meanwhile. Try again.");
    TRY(rc);
    row.definition = call->definition;
    if (!call->source)
        row.store = call->store;
    if (call->source) {
        row.source = *call->source;
        TRY(meta_relationship_put(ctx, tx, &(struct relationship){h->item, row.source, STR("Service2Data")}));
    }
    row.modified = now > row.modified ? now : row.modified + 1;
    TRY(meta_hosted_update(ctx, tx, &row));
    if (!call->source && !id_eq(call->store, h->store))
        TRY(meta_store_drop_later(ctx, tx, &h->store));
    for (size_t i = 0; i < h->def.layer_count && !call->source; i++)
        if (!service_layer(call->after, h->def.layers[i].id))
            TRY(meta_attachments_delete(ctx, tx, &h->store, h->def.layers[i].id, -1));
    TRY(meta_item_get(ctx, tx, &h->item, &it));
    it.modified = now;
    return meta_item_update(ctx, tx, &it);
}

/* ---- what the definition says of a layer, and whether rows fit it ---- */

static bool same_geometry(const struct layer *a, const struct layer *b)
{
    return a->geometry == b->geometry && a->has_z == b->has_z && a->has_m == b->has_m && a->wkid == b->wkid &&
           str_eq(a->wkt, b->wkt);
}

static int has_rows(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct layer *l, bool *out)
{
    int64_t count;
    TRY(feature_count(ctx, s->features, &h->store, l, &(struct feature_query){.limit = -1}, &count));
    *out = count > 0;
    return RC_OK;
}

/* Another geometry needs other tables, which is possible as long as no layer has rows. */
static int check_geometry(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct service *after,
                          bool *remade_out)
{
    *remade_out = false;
    for (size_t i = 0; i < h->def.layer_count; i++) {
        const struct layer *l = service_layer(after, h->def.layers[i].id);
        *remade_out |= l && !same_geometry(&h->def.layers[i], l);
    }
    for (size_t i = 0; i < h->def.layer_count && *remade_out; i++) {
        bool any;
        TRY(has_rows(ctx, s, h, &h->def.layers[i], &any));
        if (any)
            return err_set(ctx, &ERR_DEFINITION, "The geometry of a layer cannot be changed: layer %d has features.",
                           h->def.layers[i].id);
    }
    return RC_OK;
}

/* ---- new fields of rows that are there ---- */

/* One value for all rows, or a new GlobalID for each. */
static int fill_rows(struct ctx *ctx, struct feature_edit *e, const struct layer *l, size_t field, struct value v)
{
    struct feature_cursor *cursor;
    struct row row;
    int64_t *oids = NULL;
    size_t count = 0, capacity = 0;
    const struct feature_query all = {.limit = -1, .fields = &l->oid_field, .field_count = 1};
    TRY(feature_edit_query(ctx, e, l, &all, &cursor));
    int rc;
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK) {
        oids = arena_grow(ctx->arena, oids, &capacity, count + 1, sizeof *oids);
        oids[count++] = row.oid;
    }
    feature_cursor_close(cursor);
    row = (struct row){.values = arena_array(ctx->arena, struct value, l->field_count), .wkb = STR_NONE};
    row.values[field] = v;
    for (size_t i = 0; i < count && rc == RC_END; i++) {
        char guid[GUID_SIZE + 1];
        guid_new_at(ctx_now(ctx), guid);
        if (l->fields[field].type == FIELD_GLOBALID)
            row.values[field] = (struct value){.kind = VALUE_TEXT, .s = str_of(guid, GUID_SIZE)};
        row.oid = oids[i];
        TRY(feature_edit_update(ctx, e, l, &(struct feature_update){&row, &field, 1, false}));
    }
    return rc == RC_END ? RC_OK : rc;
}

static int fill_field(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct layer *l, size_t field)
{
    const struct field *f = &l->fields[field];
    struct value v = {.kind = VALUE_NULL};
    bool any;
    int64_t moment;
    if (f->nullable && f->type != FIELD_GLOBALID)
        return RC_OK;
    TRY(has_rows(ctx, s, h, l, &any));
    if (!any)
        return RC_OK;
    if (f->type != FIELD_GLOBALID)
        TRY(hosted_rows_default(ctx, f, &v));
    if (f->type != FIELD_GLOBALID && v.kind == VALUE_NULL)
        return err_set(ctx, &ERR_DEFINITION, "Field '%.*s' is not nullable and has no default value, and there are features.",
                       STR_FMT(f->name));
    CLEANUP(feature_edit_cleanup) struct feature_edit *e = NULL;
    TRY(feature_edit_begin(ctx, s->features, &h->store, &e));
    TRY(fill_rows(ctx, e, l, field, v));
    return feature_edit_commit(ctx, e, &moment);
}

static int fill_fields(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct service *after)
{
    for (size_t i = 0; i < after->layer_count; i++) {
        const struct layer *l = &after->layers[i], *old = service_layer(&h->def, l->id);
        for (size_t k = 0; old && k < l->field_count; k++)
            if (!layer_field(old, l->fields[k].name, NULL))
                TRY(fill_field(ctx, s, h, l, k));
    }
    return RC_OK;
}

/* ---- */

/* What the stores refuse here is the definition's fault. */
static int blame(struct ctx *ctx, int rc)
{
    if (rc != RC_FAIL || !err_is(ctx, &ERR_INVALID))
        return rc;
    const char *text = arena_cstr(ctx->arena, str_c(err_text(ctx)));
    err_clear(ctx);
    return err_set(ctx, &ERR_DEFINITION, "%s", text);
}

static int commit_in_place(struct ctx *ctx, struct site *s, const struct hosted_service *h, struct commit_call *call)
{
    TRY(blame(ctx, feature_extend(ctx, s->features, &h->store, &h->def, call->after)));
    TRY(blame(ctx, fill_fields(ctx, s, h, call->after)));
    TRY(sql_write(ctx, s->sql, commit_rows, call));
    if (feature_trim(ctx, s->features, &h->store, call->after) != RC_OK) { /* left for the next change of the definition */
        log_error(ctx, "removing what a definition does not name any more");
        err_clear(ctx);
    }
    return RC_OK;
}

int hosted_commit(struct ctx *ctx, struct site *s, const struct hosted_service *h, str definition)
{
    struct service after;
    struct commit_call call = {.before = h, .after = &after, .definition = definition, .store = h->store};
    bool remade;
    TRY(service_parse(ctx, definition, &after));
    TRY(check_geometry(ctx, s, h, &after, &remade));
    if (!remade)
        return commit_in_place(ctx, s, h, &call);
    call.store = id_new();
    TRY(feature_create(ctx, s->features, &call.store, &after));
    int rc = sql_write(ctx, s->sql, commit_rows, &call);
    if (rc != RC_OK)
        (void)feature_drop(ctx, s->features, &call.store);
    return rc;
}

/* The data set is the source's, and stays as it is. source NULL: the view shows nothing yet. */
int hosted_commit_view(struct ctx *ctx, struct site *s, const struct hosted_service *h, const struct hosted_service *source,
                       str definition)
{
    struct service after;
    struct commit_call call = {.before = h, .after = &after, .definition = definition, .store = h->store};
    TRY(service_parse(ctx, definition, &after));
    if (source) {
        TRY(hosted_view_check(ctx, source, definition));
        call.source = &source->item;
    }
    return sql_write(ctx, s->sql, commit_rows, &call);
}
