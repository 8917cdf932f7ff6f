/* Jobs. */
#include "store/meta_rows.h"

#define JOB_COLUMNS                                                                                                              \
    "id, kind, owner, key_hash, state, definition, request, checkpoint, messages, result, progress, item, cancel_asked, "        \
    "created, "                                                                                                                  \
    "modified"

static struct sql_value text_of(str s) { return SQL_S(str_none(s) ? STR("") : s); }

static void job_row(struct ctx *ctx, const struct sql_rows *rows, void *element)
{
    *(struct job *)element = (struct job){
        .id = meta_id(rows, 0),
        .kind = sql_str(ctx, rows, 1),
        .owner = sql_str(ctx, rows, 2),
        .key_hash = meta_hash(rows, 3),
        .state = (enum job_state)sql_int(rows, 4),
        .definition = sql_str(ctx, rows, 5),
        .request = sql_str(ctx, rows, 6),
        .checkpoint = sql_str(ctx, rows, 7),
        .messages = sql_str(ctx, rows, 8),
        .result = sql_str(ctx, rows, 9),
        .progress = sql_str(ctx, rows, 10),
        .item = sql_str(ctx, rows, 11),
        .cancel_asked = sql_int(rows, 12) != 0,
        .created = sql_int(rows, 13),
        .modified = sql_int(rows, 14),
    };
}

int meta_job_insert(struct ctx *ctx, struct sql_tx *tx, const struct job *j)
{
    return sql_exec(ctx, tx, "INSERT INTO job (" JOB_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    SQL_ID(j->id), text_of(j->kind), text_of(j->owner), SQL_HASH(j->key_hash), SQL_I(j->state),
                    text_of(j->definition), text_of(j->request), text_of(j->checkpoint), text_of(j->messages), text_of(j->result),
                    text_of(j->progress), text_of(j->item), SQL_I(j->cancel_asked), SQL_I(j->created), SQL_I(j->modified));
}

/* cancel_asked only ever goes on here: a request to cancel that came after the caller read the row is kept. */
int meta_job_update(struct ctx *ctx, struct sql_tx *tx, const struct job *j)
{
    TRY(sql_exec(ctx, tx,
                 "UPDATE job SET kind = ?, owner = ?, state = ?, definition = ?, checkpoint = ?, messages = ?, result = ?, "
                 "progress = ?, item = ?, cancel_asked = CASE WHEN cancel_asked <> 0 THEN cancel_asked ELSE ? END, created = ?, "
                 "modified = ? WHERE id = ?",
                 text_of(j->kind), text_of(j->owner), SQL_I(j->state), text_of(j->definition), text_of(j->checkpoint),
                 text_of(j->messages), text_of(j->result), text_of(j->progress), text_of(j->item), SQL_I(j->cancel_asked),
                 SQL_I(j->created), SQL_I(j->modified), SQL_ID(j->id)));
    return meta_changed(tx);
}

int meta_job_get(struct ctx *ctx, struct sql_tx *tx, const id *job, struct job *out)
{
    const struct meta_query q = {"SELECT " JOB_COLUMNS " FROM job WHERE id = ?", (struct sql_value[]){SQL_ID(*job)}, 1,
                                 sizeof *out, job_row};
    return meta_first(ctx, tx, &q, out);
}

int meta_jobs(struct ctx *ctx, struct sql_tx *tx, str owner, const struct meta_page *page, struct job **out, size_t *count_out,
              int64_t *total_out)
{
    static const struct meta_order orders[] = {
        {"created", "created, id", "created DESC, id DESC"},
        {"modified", "modified, id", "modified DESC, id DESC"},
        {NULL, "created DESC, id DESC", "created DESC, id DESC"},
    };
    const char *order = meta_order_sql(orders, page->sort_field, page->descending);
    const char *where = str_none(owner) ? "" : "WHERE owner = ?";
    str text = arena_printf(ctx->arena, "SELECT " JOB_COLUMNS " FROM job %s ORDER BY %s LIMIT ? OFFSET ?", where, order);
    str total = arena_printf(ctx->arena, "SELECT COUNT(*) FROM job %s", where);
    const struct sql_value v[] = {SQL_S(owner), SQL_I(page->num < 0 ? 0 : page->num), SQL_I(page->start < 0 ? 0 : page->start)};
    size_t skip = str_none(owner) ? 1 : 0;
    const struct meta_query q = {text.p, v + skip, COUNT_OF(v) - skip, sizeof(struct job), job_row};
    void *list;
    TRY(meta_count(ctx, tx, total.p, v, 1 - skip, total_out));
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_jobs_unfinished(struct ctx *ctx, struct sql_tx *tx, struct job **out, size_t *count_out)
{
    const struct sql_value v[] = {SQL_I(JOB_SUBMITTED), SQL_I(JOB_RUNNING)};
    const struct meta_query q = {"SELECT " JOB_COLUMNS " FROM job WHERE state IN (?, ?) ORDER BY created, id", v, COUNT_OF(v),
                                 sizeof(struct job), job_row};
    void *list;
    TRY(meta_list(ctx, tx, &q, &list, count_out));
    *out = list;
    return RC_OK;
}

int meta_job_cancel(struct ctx *ctx, struct sql_tx *tx, const id *job)
{
    TRY(sql_exec(ctx, tx, "UPDATE job SET cancel_asked = 1 WHERE id = ?", SQL_ID(*job)));
    return meta_changed(tx);
}

int meta_job_of_item(struct ctx *ctx, struct sql_tx *tx, const id *item, str kind, struct job *out)
{
    const struct sql_value v[] = {SQL_ID(*item), SQL_S(kind)};
    struct meta_query q = {"SELECT " JOB_COLUMNS " FROM job WHERE item = ? ORDER BY created DESC, id DESC LIMIT 1", v, 1,
                           sizeof *out, job_row};
    if (!str_empty(kind)) {
        q.text = "SELECT " JOB_COLUMNS " FROM job WHERE item = ? AND kind = ? ORDER BY created DESC, id DESC LIMIT 1";
        q.value_count = 2;
    }
    return meta_first(ctx, tx, &q, out);
}

int meta_step_put(struct ctx *ctx, struct sql_tx *tx, const id *job, str step)
{
    return sql_exec(ctx, tx, "INSERT INTO job_step (job, step) VALUES (?, ?) ON CONFLICT (job, step) DO NOTHING", SQL_ID(*job),
                    SQL_S(step));
}

int meta_step_get(struct ctx *ctx, struct sql_tx *tx, const id *job, str step)
{
    int64_t found;
    const struct sql_value values[] = {SQL_ID(*job), SQL_S(step)};
    int rc = sql_query_int(ctx, tx, &found, "SELECT 1 FROM job_step WHERE job = ? AND step = ?", values, COUNT_OF(values));
    return rc == RC_END ? RC_NOT_FOUND : rc;
}

int meta_steps_any(struct ctx *ctx, struct sql_tx *tx, const id *job, bool *out)
{
    int64_t found;
    int rc =
        sql_query_int(ctx, tx, &found, "SELECT 1 FROM job_step WHERE job = ? LIMIT 1", (struct sql_value[]){SQL_ID(*job)}, 1);
    *out = rc == RC_OK;
    return rc == RC_END ? RC_OK : rc;
}

int meta_jobs_expire(struct ctx *ctx, struct sql_tx *tx, int64_t before)
{
    const struct sql_value values[] = {SQL_I(JOB_SUBMITTED), SQL_I(JOB_RUNNING), SQL_I(before)};
    TRY(sql_exec_n(ctx, tx, "DELETE FROM job_step WHERE job IN (SELECT id FROM job WHERE state NOT IN (?, ?) AND modified < ?)",
                   values, COUNT_OF(values)));
    return sql_exec_n(ctx, tx, "DELETE FROM job WHERE state NOT IN (?, ?) AND modified < ?", values, COUNT_OF(values));
}
