/* Features and attachments in one step, though they are in two stores: see store/meta_intent.h. The data set's writer is held
 * from the first word to the last, so that the changes of a data set are one after the other. */
#include "service/hosted_edit_commit.h"
#include "base/log.h"
#include "service/hosted_private.h"
#include "store/meta_intent.h"

enum { FILES_MAX = 1000000 };

size_t hosted_commit_note(struct ctx *ctx, struct hosted_commit *c, const struct hosted_file_change *change)
{
    c->changes = arena_grow(ctx->arena, c->changes, &c->capacity, c->count + 1, sizeof *c->changes);
    c->changes[c->count] = *change;
    return c->count++;
}

struct list_call {
    struct hosted_commit *commit;
    const struct hosted_gone *features;
    size_t count, before;
};

static int list_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct list_call *call = arg;
    struct hosted_commit *c = call->commit;
    c->count = call->before; /* may be run again */
    for (size_t i = 0; i < call->count; i++) {
        const struct hosted_gone *f = &call->features[i];
        struct attachment *list;
        size_t count;
        if (!f->layer->has_attachments)
            continue;
        TRY(meta_attachments(ctx, tx, &c->service->store, f->layer->id, f->oid, 0, FILES_MAX, &list, &count));
        if (count == FILES_MAX || c->count + count > FILES_MAX)
            return err_set(ctx, &ERR_FEATURE, "%d attachments or more would be deleted: delete fewer features at once.",
                           FILES_MAX);
        for (size_t k = 0; k < count; k++)
            hosted_commit_note(ctx, c, &(struct hosted_file_change){.kind = FILE_DELETED, .attachment = list[k]});
    }
    return RC_OK;
}

int hosted_commit_note_gone(struct ctx *ctx, struct hosted_commit *c, const struct hosted_gone *features, size_t count)
{
    struct list_call call = {.commit = c, .features = features, .count = count, .before = c->count};
    return count ? sql_read(ctx, c->site->sql, list_rows, &call) : RC_OK;
}

struct intent_call {
    struct hosted_commit *commit;
    int64_t last, number;
};

/* The service as it was opened has to be the one that is there when the rows are written. */
static int check_same(struct ctx *ctx, struct sql_tx *tx, const struct hosted_service *h)
{
    struct hosted now;
    int rc = meta_hosted_get(ctx, tx, &h->item, &now);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && now.modified != h->modified)) /* deleted or overwritten meanwhile */
        return err_set(ctx, &ERR_SERVICE_MISSING, "The service was replaced by someone else meanwhile. Try again.");
    return rc;
}

static int take_bytes(struct ctx *ctx, struct sql_tx *tx, const struct hosted_bytes *bytes)
{
    int rc = bytes->blob ? blob_attach(ctx, tx, bytes->blob) : blob_reuse(ctx, tx, bytes->hash);
    return rc == RC_NOT_FOUND ? err_set(ctx, &ERR_UPLOAD, "The upload that an attachment is made of is gone.") : rc;
}

static int write_intents(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct intent_call *call = arg;
    struct hosted_commit *c = call->commit;
    const id *store = &c->service->store;
    TRY(check_same(ctx, tx, c->service));
    TRY(meta_intents_settle(ctx, tx, store, call->last)); /* what an edit before could not finish */
    for (size_t i = 0; i < c->count; i++) {
        struct hosted_file_change *change = &c->changes[i];
        if (change->bytes.given)
            TRY(take_bytes(ctx, tx, &change->bytes));
        if (change->kind == FILE_ADDED) {
            change->attachment.id = 0; /* may be run again */
            TRY(meta_attachment_id(ctx, tx, store, &change->attachment));
        }
        TRY(meta_intent_insert(ctx, tx, store, call->number, (int64_t)i,
                               change->kind == FILE_DELETED ? INTENT_DELETE : INTENT_PUT, &change->attachment));
    }
    return RC_OK;
}

static int settle_intents(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct intent_call *call = arg;
    return meta_intents_settle(ctx, tx, &call->commit->service->store, call->last);
}

static int commit_features(struct ctx *ctx, struct hosted_commit *c, int64_t number, int64_t *moment_out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct attachment *a = &c->changes[i].attachment;
        const struct feature_file_change noted = {a->layer, c->changes[i].kind, a->id, a->global_id};
        TRY(feature_edit_note_file(ctx, c->edit, &noted));
    }
    TRY(feature_edit_set_number(ctx, c->edit, number));
    return feature_edit_commit(ctx, c->edit, moment_out);
}

int hosted_commit_edit(struct ctx *ctx, struct hosted_commit *c, int64_t *moment_out)
{
    struct intent_call call = {.commit = c};
    if (c->count == 0)
        return feature_edit_commit(ctx, c->edit, moment_out);
    TRY(feature_edit_number(ctx, c->edit, &call.last));
    call.number = call.last + 1;
    TRY(sql_write(ctx, c->site->sql, write_intents, &call));
    int rc = commit_features(ctx, c, call.number, moment_out);
    if (rc == RC_OK) {
        call.last = call.number;
        return sql_write(ctx, c->site->sql, settle_intents, &call);
    }
    struct ctx child; /* the changes are forgotten at the next edit or start, when not here */
    ctx_child(&child, ctx);
    if (sql_write(&child, c->site->sql, settle_intents, &call) != RC_OK)
        log_error(&child, "forgetting changes of attachments whose edit failed");
    ctx_close(&child);
    return rc;
}

/* ---- at the start ---- */

struct leftovers {
    id *stores;
    size_t count;
    const id *store;
    int64_t last;
};

static int leftover_stores(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct leftovers *l = arg;
    return meta_intent_stores(ctx, tx, &l->stores, &l->count);
}

static int leftover_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct leftovers *l = arg;
    return meta_intents_settle(ctx, tx, l->store, l->last);
}

int hosted_commit_leftovers(struct ctx *ctx, struct site *s)
{
    struct leftovers l = {.count = 0};
    TRY(sql_read(ctx, s->sql, leftover_stores, &l));
    for (size_t i = 0; i < l.count; i++) {
        l.store = &l.stores[i];
        int rc = feature_number(ctx, s->features, l.store, &l.last);
        if (rc != RC_NOT_FOUND)
            TRY(rc);
        err_clear(ctx); /* of a data set that is gone nothing is left */
        TRY(sql_write(ctx, s->sql, leftover_rows, &l));
    }
    return RC_OK;
}
