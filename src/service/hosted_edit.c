/* Edits of features: what the rules say of each, then one transaction for those that are right. JSON becomes rows before the
 * transaction begins, so that writers wait for each other as briefly as possible. */
#include "service/hosted_private.h"
#include "service/hosted_edit_files.h"
#include "service/hosted_targets.h"
#include <stdlib.h>

enum { FEATURES_MAX = 1000000 };

/* ---- a service held for editing ---- */

int hosted_editing_open(struct ctx *ctx, struct site *s, const struct caller *c, str name, const enum feature_right *rights,
                        size_t right_count, struct hosted_editing *out)
{
    hosted_cache_lock(s->hosted, false);
    *out = (struct hosted_editing){.locked = s->hosted};
    int rc = hosted_open(ctx, s, c, name, rights[0], &out->service);
    for (size_t i = 1; i < right_count && rc == RC_OK; i++)
        rc = service_require(ctx, c, access_features(c, &out->service->facts, out->service->def.capabilities, rights[i]));
    if (rc != RC_OK)
        hosted_editing_close(out);
    return rc;
}

void hosted_editing_close(struct hosted_editing *e)
{
    hosted_release(&e->service);
    hosted_cache_unlock(&e->locked);
    e->locked = NULL;
}

/* ---- the edits of one layer on their way ---- */

struct layer_call {
    struct hosted_layer_edits *edits;
    struct hosted_rows rows;
    struct row *adds; /* of the features that are right so far, and which ones those are */
    size_t *add_at, add_count;
    struct hosted_row_change *changes;
    size_t *change_at, change_count;
    struct hosted_files files;
};
struct edit_call {
    struct site *site;
    const struct caller *caller;
    const struct hosted_service *service;
    const struct hosted_edit_options *options;
    struct feature_edit *edit;
    struct hosted_cascade cascade;
    struct layer_call *layers;
    size_t count;
    bool failed; /* a feature was refused */
};

static void refuse(struct ctx *ctx, struct edit_call *call, struct edit_result *r, int code, const char *text)
{
    r->success = false;
    r->code = code;
    r->description = arena_str(ctx->arena, str_c(text));
    call->failed = true;
}

/* What one feature has wrong goes to its result; any other failure is the call's. */
static int settle(struct ctx *ctx, struct edit_call *call, struct edit_result *r, int rc)
{
    if (rc == RC_OK)
        return RC_OK;
    if (rc == RC_NOT_FOUND) {
        refuse(ctx, call, r, CODE_MISSING, "The feature does not exist.");
        return RC_OK;
    }
    if (rc != RC_FAIL || !(err_is(ctx, &ERR_INVALID) || err_is(ctx, &ERR_UNSUPPORTED) || err_is(ctx, &ERR_LIMIT)))
        return rc;
    refuse(ctx, call, r, CODE_INVALID, err_text(ctx));
    err_clear(ctx);
    return RC_OK;
}

static int start_results(struct ctx *ctx, struct edit_results *out, size_t count)
{
    *out = (struct edit_results){.list = arena_array(ctx->arena, struct edit_result, count), .count = count};
    for (size_t i = 0; i < count; i++)
        out->list[i] = (struct edit_result){.oid = -1, .global_id = STR_NONE, .success = true};
    return RC_OK;
}

static int check_list(struct ctx *ctx, struct json list, const char *what)
{
    if (json_absent(list) || (json_is(list, JSON_ARRAY) && json_count(list) <= FEATURES_MAX))
        return RC_OK;
    return err_set(ctx, &ERR_FEATURE, "%s have to be an array of at most %d features.", what, FEATURES_MAX);
}

/* ---- before the transaction ---- */

static int read_adds(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct json v;
    size_t at = 0;
    for (struct json_iter it = json_each(l->edits->adds); json_next(&it, NULL, &v); at++) {
        struct edit_result *r = &l->edits->added.list[at];
        TRY(ctx_check(ctx));
        TRY(settle(ctx, call, r, hosted_rows_add(ctx, &l->rows, v, &l->adds[l->add_count])));
        if (r->success)
            l->add_at[l->add_count++] = at;
    }
    return RC_OK;
}

static int read_updates(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct json v;
    size_t at = 0;
    bool by_guid = call->options->global_ids;
    for (struct json_iter it = json_each(l->edits->updates); json_next(&it, NULL, &v); at++) {
        struct edit_result *r = &l->edits->updated.list[at];
        struct hosted_row_change *change = &l->changes[l->change_count];
        TRY(ctx_check(ctx));
        TRY(settle(ctx, call, r, hosted_rows_update(ctx, &l->rows, v, change)));
        r->oid = change->row.oid ? change->row.oid : -1;
        r->global_id = change->global_id;
        if (!r->success)
            continue;
        if (by_guid ? str_none(change->global_id) : change->row.oid == 0)
            refuse(ctx, call, r, CODE_NO_ID, by_guid ? "The feature has no GlobalID." : "The feature has no object id.");
        else
            l->change_at[l->change_count++] = at;
    }
    return RC_OK;
}

static int layer_begin(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct hosted_layer_edits *e = l->edits;
    size_t adds = json_count(e->adds), updates = json_count(e->updates);
    TRY(check_list(ctx, e->adds, "Features to add"));
    TRY(check_list(ctx, e->updates, "Features to update"));
    TRY(hosted_rows_open(ctx, e->layer, call->caller, &l->rows));
    l->rows.global_ids = call->options->global_ids;
    if (call->options->global_ids && l->rows.layer->globalid_field == SIZE_MAX)
        return err_set(ctx, &ERR_FEATURE, "Layer %d has no GlobalIDs, so 'useGlobalIds' cannot be true.", e->layer->id);
    TRY(start_results(ctx, &e->added, adds));
    TRY(start_results(ctx, &e->updated, updates));
    TRY(start_results(ctx, &e->deleted, e->delete_query ? 0 : e->delete_count));
    l->adds = arena_array(ctx->arena, struct row, adds + 1);
    l->add_at = arena_array(ctx->arena, size_t, adds);
    l->changes = arena_array(ctx->arena, struct hosted_row_change, updates + 1);
    l->change_at = arena_array(ctx->arena, size_t, updates);
    TRY(read_adds(ctx, call, l));
    TRY(read_updates(ctx, call, l));
    TRY(hosted_files_begin(ctx, call->site, e, &l->rows, &l->files));
    call->failed |= hosted_files_failed(e);
    return RC_OK;
}

/* ---- adding ---- */

static str guid_of(const struct layer_call *l, size_t add) { return l->adds[add].values[l->rows.layer->globalid_field].s; }

static int compare_strs(const void *a, const void *b) { return str_cmp(*(const str *)a, *(const str *)b); }

/* GlobalIDs that features bring along have to be new. */
static int check_new_guids(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct hosted_targets there;
    str *guids = arena_array(ctx->arena, str, l->add_count);
    hosted_targets_open(&l->rows, &there);
    for (size_t i = 0; i < l->add_count; i++)
        guids[i] = guid_of(l, i);
    TRY(hosted_targets_guids(ctx, call->edit, &there, guids, l->add_count, true));
    hosted_targets_sort(&there, true);
    if (l->add_count)
        qsort(guids, l->add_count, sizeof *guids, compare_strs);
    for (size_t i = 0; i < l->add_count; i++) {
        str guid = guid_of(l, i);
        const str *found = bsearch(&guid, guids, l->add_count, sizeof guid, compare_strs);
        size_t at = (size_t)(found - guids);
        bool twice = (at > 0 && str_eq(guids[at - 1], guid)) || (at + 1 < l->add_count && str_eq(guids[at + 1], guid));
        if (twice || hosted_targets_find_guid(&there, guid))
            refuse(ctx, call, &l->edits->added.list[l->add_at[i]], CODE_INVALID, "There is a feature with this GlobalID.");
    }
    return RC_OK;
}

static int write_adds(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    const struct layer *layer = l->rows.layer;
    if (call->options->global_ids)
        TRY(check_new_guids(ctx, call, l));
    for (size_t i = 0; i < l->add_count; i++) {
        struct edit_result *r = &l->edits->added.list[l->add_at[i]];
        if (!r->success)
            continue;
        TRY(settle(ctx, call, r, feature_edit_add(ctx, call->edit, layer, &l->adds[i])));
        if (!r->success)
            continue;
        r->oid = l->adds[i].oid;
        if (layer->globalid_field != SIZE_MAX)
            r->global_id = guid_of(l, i);
    }
    return RC_OK;
}

/* ---- updating and deleting what is there ---- */

/* Ownership-based access: true when the caller may not touch the row because somebody else made it. */
static bool is_not_yours(const struct caller *c, const struct hosted_service *h, const struct hosted_rows *r,
                         const struct hosted_target *t, const char *others, const char *anonymous)
{
    struct json rules = json_get_c(r->layer->json, "ownershipBasedAccessControlForFeatures");
    if (!json_is(rules, JSON_OBJECT) || r->tracking[TRACK_CREATOR] == SIZE_MAX)
        return false;
    return !access_feature_of(c, &h->facts, str_none(t->creator) ? STR("") : t->creator,
                              json_bool(json_get_c(rules, others), true), json_bool(json_get_c(rules, anonymous), true));
}

static bool not_yours(const struct edit_call *call, const struct layer_call *l, const struct hosted_target *t, const char *others,
                      const char *anonymous)
{
    return is_not_yours(call->caller, call->service, &l->rows, t, others, anonymous);
}

int hosted_ownership_check(struct ctx *ctx, const struct caller *c, const struct hosted_service *h, const struct hosted_rows *r,
                           const struct hosted_target *t)
{
    if (!is_not_yours(c, h, r, t, "allowOthersToUpdate", "allowAnonymousToUpdate"))
        return RC_OK;
    return err_set(ctx, &ERR_FORBIDDEN, "Feature %lld was made by somebody else, and only its maker may change it.",
                   (long long)t->oid);
}

static const char NOT_YOURS[] = "The feature was made by somebody else, and only its maker may do this.";

/* The rows that the updates name. */
static int find_targets(struct ctx *ctx, struct edit_call *call, struct layer_call *l, struct hosted_targets *out)
{
    hosted_targets_open(&l->rows, out);
    if (call->options->global_ids) {
        str *guids = arena_array(ctx->arena, str, l->change_count);
        for (size_t i = 0; i < l->change_count; i++)
            guids[i] = l->changes[i].global_id;
        TRY(hosted_targets_guids(ctx, call->edit, out, guids, l->change_count, false));
    } else {
        int64_t *oids = arena_array(ctx->arena, int64_t, l->change_count);
        for (size_t i = 0; i < l->change_count; i++)
            oids[i] = l->changes[i].row.oid;
        TRY(hosted_targets_oids(ctx, call->edit, out, oids, l->change_count));
    }
    hosted_targets_sort(out, call->options->global_ids);
    return RC_OK;
}

static int write_update(struct ctx *ctx, struct edit_call *call, struct layer_call *l, struct hosted_row_change *change,
                        const struct hosted_target *t)
{
    if (!t)
        return RC_NOT_FOUND;
    change->row.oid = t->oid;
    TRY(hosted_rows_check_change(ctx, &l->rows, change, &t->type));
    hosted_rows_track(&l->rows, change);
    if (change->field_count == 0 && !change->geometry)
        return RC_OK;
    const struct feature_update u = {&change->row, change->fields, change->field_count, change->geometry};
    return feature_edit_update(ctx, call->edit, l->rows.layer, &u);
}

static int write_updates(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct hosted_targets targets;
    bool by_guid = call->options->global_ids;
    TRY(find_targets(ctx, call, l, &targets));
    for (size_t i = 0; i < l->change_count; i++) {
        struct hosted_row_change *change = &l->changes[i];
        struct edit_result *r = &l->edits->updated.list[l->change_at[i]];
        const struct hosted_target *t =
            by_guid ? hosted_targets_find_guid(&targets, change->global_id) : hosted_targets_find(&targets, change->row.oid);
        if (t && not_yours(call, l, t, "allowOthersToUpdate", "allowAnonymousToUpdate")) {
            refuse(ctx, call, r, CODE_NOT_YOURS, NOT_YOURS);
            continue;
        }
        TRY(settle(ctx, call, r, write_update(ctx, call, l, change, t)));
        if (!r->success)
            continue;
        r->oid = t->oid;
        r->global_id = t->global_id;
    }
    return RC_OK;
}

/* What goes with those that are about to be deleted. */
static int read_cascade(struct ctx *ctx, struct edit_call *call, struct layer_call *l, const struct hosted_targets *targets)
{
    int64_t *oids = arena_array(ctx->arena, int64_t, targets->count);
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++)
        if (!not_yours(call, l, &targets->list[i], "allowOthersToDelete", "allowAnonymousToDelete"))
            oids[count++] = targets->list[i].oid;
    return hosted_cascade_read(ctx, &call->cascade, l->rows.layer, oids, count);
}

static int write_delete(struct ctx *ctx, struct edit_call *call, struct layer_call *l, const struct hosted_target *t,
                        struct edit_result *r)
{
    const struct hosted_gone wanted = {l->rows.layer, r->oid, r->global_id};
    const struct hosted_gone *gone = t ? NULL : hosted_cascade_find(&call->cascade, &wanted);
    if (gone) { /* it went with a feature of this call that it was related to */
        r->oid = gone->oid;
        r->global_id = gone->global_id;
        return RC_OK;
    }
    if (t && not_yours(call, l, t, "allowOthersToDelete", "allowAnonymousToDelete")) {
        refuse(ctx, call, r, CODE_NOT_YOURS, NOT_YOURS);
        return RC_OK;
    }
    int rc = t ? feature_edit_delete(ctx, call->edit, l->rows.layer, t->oid, t->global_id) : RC_NOT_FOUND;
    TRY(settle(ctx, call, r, rc));
    if (r->success) {
        r->oid = t->oid;
        r->global_id = t->global_id;
    }
    return RC_OK;
}

static int write_deletes_found(struct ctx *ctx, struct edit_call *call, struct layer_call *l,
                               const struct hosted_targets *targets)
{
    TRY(start_results(ctx, &l->edits->deleted, targets->count));
    TRY(read_cascade(ctx, call, l, targets));
    for (size_t i = 0; i < targets->count; i++) {
        l->edits->deleted.list[i].oid = targets->list[i].oid;
        TRY(write_delete(ctx, call, l, &targets->list[i], &l->edits->deleted.list[i]));
    }
    return hosted_cascade_run(ctx, &call->cascade);
}

static int write_deletes(struct ctx *ctx, struct edit_call *call, struct layer_call *l)
{
    struct hosted_layer_edits *e = l->edits;
    struct hosted_targets targets;
    hosted_targets_open(&l->rows, &targets);
    if (e->delete_query) {
        TRY(hosted_targets_query(ctx, call->edit, &targets, e->delete_query));
        return write_deletes_found(ctx, call, l, &targets);
    }
    if (e->delete_guids)
        TRY(hosted_targets_guids(ctx, call->edit, &targets, e->delete_guids, e->delete_count, false));
    else
        TRY(hosted_targets_oids(ctx, call->edit, &targets, e->delete_oids, e->delete_count));
    hosted_targets_sort(&targets, e->delete_guids != NULL);
    hosted_cascade_sort(&call->cascade, e->delete_guids != NULL);
    TRY(read_cascade(ctx, call, l, &targets));
    for (size_t i = 0; i < e->delete_count; i++) {
        struct edit_result *r = &e->deleted.list[i];
        const struct hosted_target *t = e->delete_guids ? hosted_targets_find_guid(&targets, e->delete_guids[i])
                                                        : hosted_targets_find(&targets, e->delete_oids[i]);
        if (e->delete_guids)
            r->global_id = e->delete_guids[i];
        else
            r->oid = e->delete_oids[i];
        TRY(write_delete(ctx, call, l, t, r));
    }
    return hosted_cascade_run(ctx, &call->cascade);
}

/* ---- the transaction ---- */

/* The result of a feature that was right, in a call of which nothing was done. */
static void roll_back(struct ctx *ctx, struct edit_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        struct hosted_layer_edits *e = call->layers[i].edits;
        const struct edit_results all[] = {e->added, e->updated, e->deleted, e->files_added, e->files_updated, e->files_deleted};
        for (size_t k = 0; k < COUNT_OF(all); k++)
            for (size_t at = 0; at < all[k].count; at++)
                if (all[k].list[at].success) {
                    if (k == 0)
                        all[k].list[at] = (struct edit_result){.oid = -1, .global_id = STR_NONE};
                    refuse(ctx, call, &all[k].list[at], CODE_ROLLBACK, "Operation rolled back.");
                }
    }
}

static bool gives_up(const struct edit_call *call) { return call->failed && call->options->rollback; }

static int write_layers(struct ctx *ctx, struct edit_call *call)
{
    for (size_t i = 0; i < call->count && !gives_up(call); i++) {
        struct layer_call *l = &call->layers[i];
        TRY(write_adds(ctx, call, l));
        TRY(write_updates(ctx, call, l));
        TRY(write_deletes(ctx, call, l));
        TRY(hosted_files_find(ctx, call->site, call->edit, &call->service->store, &l->files));
        call->failed |= hosted_files_failed(l->edits);
    }
    return RC_OK;
}

/* Features that were deleted, and those that went with them: their attachments go too. */
static int note_gone(struct ctx *ctx, struct edit_call *call, struct hosted_commit *commit)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct hosted_layer_edits *e = call->layers[i].edits;
        const struct layer *stored = layer_stored(e->layer);
        if (!stored->has_attachments)
            continue;
        struct hosted_gone *gone = arena_array(ctx->arena, struct hosted_gone, e->deleted.count);
        size_t count = 0;
        for (size_t k = 0; k < e->deleted.count; k++)
            if (e->deleted.list[k].success)
                gone[count++] = (struct hosted_gone){stored, e->deleted.list[k].oid, STR_NONE};
        TRY(hosted_commit_note_gone(ctx, commit, gone, count));
    }
    return hosted_commit_note_gone(ctx, commit, call->cascade.gone, call->cascade.count);
}

static int commit(struct ctx *ctx, struct site *s, struct edit_call *call, int64_t *moment_out)
{
    struct hosted_commit c = {.site = s, .service = call->service, .edit = call->edit};
    for (size_t i = 0; i < call->count; i++)
        hosted_files_note(ctx, &c, &call->layers[i].files);
    TRY(note_gone(ctx, call, &c));
    TRY(hosted_commit_edit(ctx, &c, moment_out));
    for (size_t i = 0; i < call->count; i++)
        hosted_files_settle(&c, &call->layers[i].files);
    return RC_OK;
}

int hosted_apply_edits(struct ctx *ctx, struct site *s, const struct caller *c, const struct hosted_service *h,
                       const struct hosted_edit_options *o, struct hosted_layer_edits *edits, size_t count, int64_t *moment_out)
{
    struct edit_call call = {.site = s,
                             .caller = c,
                             .service = h,
                             .options = o,
                             .layers = arena_array(ctx->arena, struct layer_call, count),
                             .count = count};
    *moment_out = ctx_now(ctx);
    for (size_t i = 0; i < count; i++) {
        call.layers[i] = (struct layer_call){.edits = &edits[i]};
        TRY(layer_begin(ctx, &call, &call.layers[i]));
    }
    if (!gives_up(&call)) {
        CLEANUP(feature_edit_cleanup) struct feature_edit *edit = NULL;
        TRY(feature_edit_begin(ctx, s->features, &h->store, &edit));
        call.edit = edit;
        call.cascade = (struct hosted_cascade){.def = h->def.source ? h->def.source : &h->def, .edit = edit};
        TRY(write_layers(ctx, &call));
        if (!gives_up(&call))
            TRY(commit(ctx, s, &call, moment_out));
    }
    if (gives_up(&call))
        roll_back(ctx, &call);
    return RC_OK;
}

/* ---- truncate ---- */

int hosted_truncate(struct ctx *ctx, struct site *s, const struct caller *c, str name, int32_t layer_id, bool attachments_only)
{
    hosted_cache_lock(s->hosted, false);
    CLEANUP(hosted_cache_unlock) struct hosted_cache *locked = s->hosted;
    (void)locked;
    CLEANUP(hosted_release) struct hosted_service *h = NULL;
    const struct layer *l;
    int64_t moment;
    TRY(hosted_open_admin(ctx, s, c, name, &h));
    TRY(hosted_layer(ctx, h, layer_id, &l));
    if (l->source)
        return err_set(ctx, &ERR_FEATURE, "A layer of a view is not truncated: its features are those of another service.");
    if (!attachments_only && hosted_cascade_any(&h->def, l))
        return err_set(ctx, &ERR_FEATURE,
                       "Layer %d is the origin of a composite relationship and is not truncated: delete its features instead, so "
                       "that those related to them go too.",
                       l->id);
    CLEANUP(feature_edit_cleanup) struct feature_edit *e = NULL;
    TRY(feature_edit_begin(ctx, s->features, &h->store, &e));
    struct hosted_commit ending = {.site = s, .service = h, .edit = e};
    const struct hosted_gone all = {layer_stored(l), -1, STR_NONE};
    TRY(hosted_commit_note_gone(ctx, &ending, &all, 1));
    if (!attachments_only)
        TRY(feature_edit_clear(ctx, e, all.layer));
    return hosted_commit_edit(ctx, &ending, &moment);
}
