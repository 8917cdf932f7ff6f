/* The portal we are, as a source: items with their parts, relationships, layers and attachments, straight from the stores. */
#include "base/mem.h"
#include <stdlib.h>
#include "portal/local/local_private.h"

int local_info(struct ctx *ctx, struct portal *p, struct portal_info *out)
{
    (void)ctx;
    const struct site *s = ((struct local_portal *)p)->site;
    bool secure = str_istarts(s->portal_url, STR("https:"));
    *out = (struct portal_info){.https_url = secure ? s->portal_url : STR(""),
                                .http_url = secure ? STR("") : s->portal_url,
                                .server_url = s->server_url,
                                .version = str_c(s->settings.api_level),
                                .portal_id = s->portal_id,
                                .is_portal = true};
    return RC_OK;
}

/* ---- listing ---- */

struct list_call {
    const id *group;
    id *ids;
    size_t count, capacity;
};

enum { LIST_PAGE = 1000 };

static int list_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct list_call *call = arg;
    call->count = 0;
    struct meta_page page = {.num = LIST_PAGE, .sort_field = STR("id")};
    struct meta_items items;
    do {
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(meta_items_of_group(ctx, tx, call->group, &page, &items));
        size_t need = call->count + items.count;
        if (need > call->capacity) {
            call->capacity = need * 2;
            call->ids = mem_resize(call->ids, call->capacity * sizeof *call->ids);
        }
        for (size_t i = 0; i < items.count; i++)
            call->ids[call->count++] = items.items[i].id;
        page.start += LIST_PAGE;
        arena_release(ctx->arena, mark);
    } while (items.count == LIST_PAGE);
    return RC_OK;
}

static int id_compare(const void *a, const void *b) { return memcmp(((const id *)a)->text, ((const id *)b)->text, ID_SIZE); }

int local_list(struct ctx *ctx, struct portal *p, const id *group, id **ids_out, size_t *count_out)
{
    struct list_call call = {.group = group};
    if (!group)
        return err_set(ctx, &ERR_UNSUPPORTED, "A whole portal cannot be listed yet, only a group of it.");
    int rc = sql_read(ctx, ((struct local_portal *)p)->site->sql, list_rows, &call);
    if (rc == RC_OK) {
        *ids_out = arena_array(ctx->arena, id, call.count);
        if (call.count) {
            qsort(call.ids, call.count, sizeof *call.ids, id_compare);
            memcpy(*ids_out, call.ids, call.count * sizeof *call.ids);
        }
        *count_out = call.count;
    }
    mem_free(call.ids);
    return rc;
}

/* ---- one item ---- */

struct item_call {
    const id *item;
    struct portal_item *out;
    struct hosted *hosted; /* NULL: not wanted */
};

static int item_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct item_call *call = arg;
    struct portal_item *out = call->out;
    *out = (struct portal_item){0};
    int rc = meta_item_get(ctx, tx, call->item, &out->item);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_MISSING, "Item '%s' does not exist.", call->item->text);
    TRY(rc);
    struct item_part *parts[3];
    size_t counts[3];
    for (int kind = 0; kind < 3; kind++) {
        TRY(meta_parts(ctx, tx, call->item, (enum part_kind)kind, STR(""), &parts[kind], &counts[kind]));
        out->part_count += counts[kind];
    }
    out->parts = arena_array(ctx->arena, struct item_part, out->part_count);
    size_t n = 0;
    for (int kind = 0; kind < 3; kind++)
        for (size_t i = 0; i < counts[kind]; i++)
            out->parts[n++] = parts[kind][i];
    TRY(meta_relationships(ctx, tx, call->item, true, &out->relationships, &out->relationship_count));
    struct hosted h;
    rc = meta_hosted_get(ctx, tx, call->item, &h);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    TRY(rc);
    out->hosted = true;
    out->service_name = h.name;
    out->definition = h.definition;
    if (call->hosted)
        *call->hosted = h;
    return RC_OK;
}

int local_item_get(struct ctx *ctx, struct portal *p, const id *item, struct portal_item *out)
{
    struct item_call call = {.item = item, .out = out};
    return sql_read(ctx, ((struct local_portal *)p)->site->sql, item_rows, &call);
}

/* The data set of a hosted item. */
static int hosted_of(struct ctx *ctx, struct local_portal *lp, const id *item, struct hosted *out)
{
    struct portal_item found;
    struct item_call call = {.item = item, .out = &found, .hosted = out};
    TRY(sql_read(ctx, lp->site->sql, item_rows, &call));
    return found.hosted ? RC_OK : err_set(ctx, &ERR_INVALID, "Item '%s' is no hosted feature service.", item->text);
}

int local_part_open(struct ctx *ctx, struct portal *p, const id *item, const struct item_part *part, struct reader **out)
{
    int rc = blob_open(ctx, ((struct local_portal *)p)->site->blobs, part->hash, out);
    if (rc == RC_NOT_FOUND)
        return err_set(ctx, &ERR_CORRUPT, "The content of item '%s' ('%.*s') is missing from the store.", item->text,
                       STR_FMT(part->name));
    return rc;
}

/* ---- rows ---- */

struct local_rows {
    struct row_source base;
    struct feature_cursor *cursor;
};

static int rows_next(struct ctx *ctx, struct row_source *s, struct row *out)
{
    return feature_next(ctx, ((struct local_rows *)s)->cursor, out);
}

static void rows_close(struct row_source *s)
{
    feature_cursor_close(((struct local_rows *)s)->cursor);
    mem_free(s);
}

int local_rows_open(struct ctx *ctx, struct portal *p, const id *item, const struct service *def, const struct layer *l,
                    struct row_source **out)
{
    (void)def;
    struct local_portal *lp = (struct local_portal *)p;
    struct hosted h;
    TRY(hosted_of(ctx, lp, item, &h));
    struct feature_query all = {.limit = -1, .geometry = true};
    struct feature_cursor *cursor;
    TRY(feature_query_open(ctx, lp->site->features, &h.store, l, &all, &cursor));
    struct local_rows *rows = mem_new(struct local_rows);
    *rows = (struct local_rows){.base = {.next = rows_next, .close = rows_close}, .cursor = cursor};
    *out = &rows->base;
    return RC_OK;
}

int local_layers_file(struct ctx *ctx, struct portal *p, const id *item, const char *path)
{
    struct local_portal *lp = (struct local_portal *)p;
    struct hosted h;
    TRY(hosted_of(ctx, lp, item, &h));
    struct service def;
    TRY(service_parse(ctx, h.definition, &def));
    return feature_write_package(ctx, lp->site->features, &h.store, &def, path);
}

/* ---- attachments: pages of rows, layer by layer ---- */

struct local_attachments {
    struct attachment_source base;
    struct site *site;
    id store;
    int32_t *layers;
    size_t layer_count, layer;
    int64_t after;
    struct arena *arena; /* of the page */
    struct attachment *page;
    size_t count, at;
};

enum { ATTACHMENT_PAGE = 500 };

static int attachment_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct local_attachments *s = arg;
    return meta_attachments(ctx, tx, &s->store, s->layers[s->layer], -1, s->after, ATTACHMENT_PAGE, &s->page, &s->count);
}

/* Reads the next page that has rows into s->page; RC_END after the last layer. */
static int attachments_page(struct ctx *ctx, struct local_attachments *s)
{
    for (; s->layer < s->layer_count; s->layer++, s->after = 0) {
        struct ctx child;
        ctx_child(&child, ctx);
        arena_reset(s->arena);
        struct arena *own = child.arena;
        child.arena = s->arena;
        int rc = sql_read(&child, s->site->sql, attachment_rows, s);
        child.arena = own;
        ctx_adopt_error(ctx, &child, rc);
        ctx_close(&child);
        TRY(rc);
        s->at = 0;
        if (s->count) {
            s->after = s->page[s->count - 1].id;
            return RC_OK;
        }
    }
    return RC_END;
}

static int attachments_next(struct ctx *ctx, struct attachment_source *base, struct portal_attachment *out)
{
    struct local_attachments *s = (struct local_attachments *)base;
    if (s->at == s->count)
        TRY(attachments_page(ctx, s));
    const struct attachment *a = &s->page[s->at++];
    *out = (struct portal_attachment){.layer = a->layer,
                                      .id = a->id,
                                      .parent_oid = a->parent_oid,
                                      .global_id = a->global_id,
                                      .parent_global_id = a->parent_global_id,
                                      .name = a->name,
                                      .content_type = a->content_type,
                                      .keywords = a->keywords,
                                      .size = a->size,
                                      .hash = a->hash};
    return RC_OK;
}

static void attachments_close(struct attachment_source *base)
{
    struct local_attachments *s = (struct local_attachments *)base;
    arena_close(s->arena);
    mem_free(s->layers);
    mem_free(s);
}

int local_attachments_open(struct ctx *ctx, struct portal *p, const id *item, struct attachment_source **out)
{
    struct local_portal *lp = (struct local_portal *)p;
    struct hosted h;
    TRY(hosted_of(ctx, lp, item, &h));
    struct service def;
    TRY(service_parse(ctx, h.definition, &def));
    struct local_attachments *s = mem_new(struct local_attachments);
    *s = (struct local_attachments){.base = {.next = attachments_next, .close = attachments_close},
                                    .site = lp->site,
                                    .store = h.store,
                                    .layers = mem_alloc((def.layer_count + 1) * sizeof(int32_t)),
                                    .arena = arena_open()};
    for (size_t i = 0; i < def.layer_count; i++)
        if (def.layers[i].has_attachments)
            s->layers[s->layer_count++] = def.layers[i].id;
    *out = &s->base;
    return RC_OK;
}

int local_attachment_read(struct ctx *ctx, struct portal *p, const id *item, const struct portal_attachment *a,
                          struct reader **out)
{
    struct item_part part = {.name = a->name, .hash = a->hash};
    return local_part_open(ctx, p, item, &part, out);
}
