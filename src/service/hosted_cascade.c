/* Composite relationships: see hosted_cascade.h. Steps are worked off one by one: the rows that have one of the keys are read
 * with the keys that others hang on, then deleted. Rows that are gone are found by nobody, so that circles end. */
#include "service/hosted_cascade.h"
#include "service/hosted_private.h"
#include <stdlib.h>

enum { KEYS_AT_ONCE = 4000, OIDS_AT_ONCE = 100000, GONE_MAX = 1000000 };

struct cascade_step {
    const struct layer *related;
    size_t field; /* of the related layer */
    struct value *keys;
    size_t count, capacity;
    struct cascade_step *next;
};
/* A composite relationship from its origin's side. */
struct branch {
    const struct layer *related;
    size_t key, field; /* of the origin, of the related layer */
    struct cascade_step *step;
};

static bool branch_of(const struct service *def, const struct layer *l, const struct layer_relation *r, struct branch *out)
{
    if (!r->origin || !r->composite)
        return false;
    const struct layer_relation *back = hosted_relation_other(def, l, r);
    const struct layer *related = service_layer(def, r->related_layer);
    *out = (struct branch){.related = related ? layer_stored(related) : NULL}; /* also what the caller does not see */
    return back && related && layer_field(l, r->key_field, &out->key) && layer_field(out->related, back->key_field, &out->field);
}

bool hosted_cascade_any(const struct service *def, const struct layer *l)
{
    struct branch b;
    for (size_t i = 0; i < l->relation_count; i++)
        if (branch_of(def, l, &l->relations[i], &b))
            return true;
    return false;
}

/* ---- reading ---- */

struct reading {
    const struct layer *layer;
    struct branch *branches;
    size_t branch_count;
    size_t *fields, field_count;
    struct hosted_gone *rows;
    size_t count, capacity;
};

static void reading_open(struct ctx *ctx, const struct hosted_cascade *c, const struct layer *l, struct reading *out)
{
    *out = (struct reading){.layer = l,
                            .branches = arena_array(ctx->arena, struct branch, l->relation_count + 1),
                            .fields = arena_array(ctx->arena, size_t, l->relation_count + 2)};
    out->fields[out->field_count++] = l->globalid_field == SIZE_MAX ? l->oid_field : l->globalid_field;
    for (size_t i = 0; i < l->relation_count; i++) {
        struct branch *b = &out->branches[out->branch_count];
        if (!branch_of(c->def, l, &l->relations[i], b))
            continue;
        b->step = arena_new(ctx->arena, struct cascade_step);
        *b->step = (struct cascade_step){.related = b->related, .field = b->field};
        out->fields[out->field_count++] = b->key;
        out->branch_count++;
    }
}

static void read_row(struct ctx *ctx, struct reading *r, const struct row *row)
{
    size_t guid = r->layer->globalid_field;
    bool named = guid != SIZE_MAX && row->values[guid].kind == VALUE_TEXT;
    r->rows = arena_grow(ctx->arena, r->rows, &r->capacity, r->count + 1, sizeof *r->rows);
    r->rows[r->count++] = (struct hosted_gone){r->layer, row->oid, named ? arena_str(ctx->arena, row->values[guid].s) : STR_NONE};
    for (size_t i = 0; i < r->branch_count; i++) {
        struct cascade_step *step = r->branches[i].step;
        struct value v = row->values[r->branches[i].key];
        if (v.kind == VALUE_NULL)
            continue;
        if (v.kind == VALUE_TEXT)
            v.s = arena_str(ctx->arena, v.s);
        step->keys = arena_grow(ctx->arena, step->keys, &step->capacity, step->count + 1, sizeof v);
        step->keys[step->count++] = v;
    }
}

static int read_rows(struct ctx *ctx, struct hosted_cascade *c, struct reading *r, struct feature_query *q)
{
    struct feature_cursor *cursor;
    struct row row;
    int rc;
    q->limit = -1;
    q->fields = r->fields;
    q->field_count = r->field_count;
    TRY(feature_edit_query(ctx, c->edit, r->layer, q, &cursor));
    while ((rc = feature_next(ctx, cursor, &row)) == RC_OK && (rc = ctx_check(ctx)) == RC_OK)
        read_row(ctx, r, &row);
    feature_cursor_close(cursor);
    return rc == RC_END ? RC_OK : rc;
}

static void reading_end(struct hosted_cascade *c, struct reading *r)
{
    for (size_t i = 0; i < r->branch_count; i++) {
        struct cascade_step *step = r->branches[i].step;
        if (step->count == 0)
            continue;
        step->next = c->steps;
        c->steps = step;
    }
}

int hosted_cascade_read(struct ctx *ctx, struct hosted_cascade *c, const struct layer *l, const int64_t *oids, size_t count)
{
    struct reading r;
    if (!hosted_cascade_any(c->def, l))
        return RC_OK;
    reading_open(ctx, c, l, &r);
    for (size_t from = 0; from < count; from += OIDS_AT_ONCE) {
        struct feature_query q = {.oids = oids + from, .oid_count = count - from < OIDS_AT_ONCE ? count - from : OIDS_AT_ONCE};
        TRY(read_rows(ctx, c, &r, &q));
    }
    reading_end(c, &r);
    return RC_OK;
}

/* ---- deleting ---- */

static int find_rows(struct ctx *ctx, struct hosted_cascade *c, const struct cascade_step *step, struct reading *r)
{
    struct where name = {.kind = WHERE_FIELD, .field = step->field};
    struct where *literals = arena_array(ctx->arena, struct where, KEYS_AT_ONCE);
    struct where **args = arena_array(ctx->arena, struct where *, KEYS_AT_ONCE + 1);
    struct where in = {.kind = WHERE_IN, .args = args};
    args[0] = &name;
    for (size_t from = 0; from < step->count; from += KEYS_AT_ONCE) {
        in.arg_count = 1;
        for (size_t i = from; i < step->count && i < from + KEYS_AT_ONCE; i++) {
            struct where *literal = &literals[i - from];
            *literal = (struct where){.kind = WHERE_LITERAL, .literal = step->keys[i]};
            args[in.arg_count++] = literal;
        }
        struct feature_query q = {.where = &in};
        TRY(read_rows(ctx, c, r, &q));
    }
    return RC_OK;
}

static int delete_rows(struct ctx *ctx, struct hosted_cascade *c, const struct reading *r)
{
    if (r->count > GONE_MAX - c->count)
        return err_set(ctx, &ERR_FEATURE, "More than %d related features would be deleted too: delete fewer at once.", GONE_MAX);
    for (size_t i = 0; i < r->count; i++) {
        const struct hosted_gone *row = &r->rows[i];
        int rc = feature_edit_delete(ctx, c->edit, row->layer, row->oid, row->global_id);
        if (rc == RC_NOT_FOUND) /* two of the keys are equal */
            continue;
        TRY(rc);
        c->gone = arena_grow(ctx->arena, c->gone, &c->capacity, c->count + 1, sizeof *c->gone);
        c->gone[c->count++] = *row;
    }
    return RC_OK;
}

int hosted_cascade_run(struct ctx *ctx, struct hosted_cascade *c)
{
    while (c->steps) {
        struct cascade_step *step = c->steps;
        struct reading r;
        c->steps = step->next;
        reading_open(ctx, c, step->related, &r);
        TRY(feature_edit_index(ctx, c->edit, step->related, step->field));
        TRY(find_rows(ctx, c, step, &r));
        TRY(delete_rows(ctx, c, &r));
        reading_end(c, &r);
    }
    return RC_OK;
}

/* ---- looking up ---- */

static int compare_layers(const struct hosted_gone *x, const struct hosted_gone *y)
{
    return (x->layer->id > y->layer->id) - (x->layer->id < y->layer->id);
}

static int compare_oids(const void *a, const void *b)
{
    const struct hosted_gone *x = a, *y = b;
    int layers = compare_layers(x, y);
    return layers ? layers : (x->oid > y->oid) - (x->oid < y->oid);
}

static int compare_guids(const void *a, const void *b)
{
    const struct hosted_gone *x = a, *y = b;
    int layers = compare_layers(x, y);
    return layers ? layers : str_cmp(x->global_id, y->global_id);
}

void hosted_cascade_sort(struct hosted_cascade *c, bool by_guid)
{
    if (c->count)
        qsort(c->gone, c->count, sizeof *c->gone, by_guid ? compare_guids : compare_oids);
}

const struct hosted_gone *hosted_cascade_find(const struct hosted_cascade *c, const struct hosted_gone *wanted)
{
    if (c->count == 0)
        return NULL;
    return bsearch(wanted, c->gone, c->count, sizeof *wanted, str_none(wanted->global_id) ? compare_oids : compare_guids);
}
