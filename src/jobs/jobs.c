/* The job engine. Rows in the metadata store are the truth; memory holds only which jobs run and which wait. A job that was
 * running when the process ended is simply unfinished at the next start and is run again from its checkpoint. */
#include "jobs/jobs.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/kinds.h"
#include <pthread.h>
#include <stdio.h>

struct slot { /* a job that waits or runs */
    id job;
    char *owner;
    bool running;
    atomic_bool cancel; /* asked for by a user, or the engine stops */
    struct slot *next;
};

struct jobs {
    struct site *site;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a slot came, a job ended, the engine stops */
    struct slot *slots;     /* oldest first */
    unsigned waiters;       /* synchronous calls now */
    atomic_bool stopping;
    pthread_t *threads;
    unsigned thread_count;
};

/* FULL leaves room for the lines that tell how a job ended. */
enum { JOB_MESSAGES_MAX = 1 << 20, JOB_MESSAGES_FULL = JOB_MESSAGES_MAX - (64 << 10), JOB_WAIT_STEP_MS = 200 };

static const struct job_kind job_kinds[] = {
#define KIND(name, function, word) {name, function, word},
#include "jobs/kinds.def"
#undef KIND
};

static const struct job_kind *kind_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(job_kinds); i++)
        if (str_eq(str_c(job_kinds[i].name), name))
            return &job_kinds[i];
    return NULL;
}

/* ---- rows ---- */

struct row_call {
    struct job *job;
    const id *id;
};

static int update_row(struct ctx *ctx, struct sql_tx *tx, void *arg) { return meta_job_update(ctx, tx, arg); }

static int insert_row(struct ctx *ctx, struct sql_tx *tx, void *arg) { return meta_job_insert(ctx, tx, arg); }

static int get_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct row_call *call = arg;
    int rc = meta_job_get(ctx, tx, call->id, call->job);
    return rc == RC_NOT_FOUND ? err_set_rc(ctx, rc, &ERR_MISSING, "Job '%s' does not exist.", call->id->text) : rc;
}

static int cancel_row(struct ctx *ctx, struct sql_tx *tx, void *arg) { return meta_job_cancel(ctx, tx, arg); }

/* Stores the row; cancel_asked may have been set by another thread meanwhile, so it is read again in the same transaction. */
static int store_row(struct ctx *ctx, struct jobs *j, struct job *job)
{
    job->modified = ctx_now(ctx);
    return sql_write(ctx, j->site->sql, update_row, job);
}

/* ---- slots (under the mutex) ---- */

static void slot_add(struct jobs *j, const id *job, str owner)
{
    struct slot *s = mem_new(struct slot);
    s->job = *job;
    s->owner = mem_alloc(owner.n + 1);
    memcpy(s->owner, owner.p ? owner.p : "", owner.n);
    struct slot **end = &j->slots;
    while (*end)
        end = &(*end)->next;
    *end = s;
}

static void slot_remove(struct jobs *j, struct slot *s)
{
    for (struct slot **p = &j->slots; *p; p = &(*p)->next)
        if (*p == s) {
            *p = s->next;
            mem_free(s->owner);
            mem_free(s);
            return;
        }
}

static unsigned running_of(const struct jobs *j, const char *owner)
{
    unsigned n = 0;
    for (const struct slot *s = j->slots; s; s = s->next)
        n += s->running && strcmp(s->owner, owner) == 0;
    return n;
}

/* Fair by owner: the oldest waiting job of the owner who has the fewest running. */
static struct slot *slot_pick(struct jobs *j)
{
    struct slot *best = NULL;
    unsigned best_running = 0;
    for (struct slot *s = j->slots; s; s = s->next) {
        if (s->running)
            continue;
        unsigned r = running_of(j, s->owner);
        if (!best || r < best_running) {
            best = s;
            best_running = r;
        }
    }
    return best;
}

static struct slot *slot_find(struct jobs *j, const id *job)
{
    for (struct slot *s = j->slots; s; s = s->next)
        if (id_eq(s->job, *job))
            return s;
    return NULL;
}

/* Waits for a change, at most that long (under the mutex). */
static void wait_changed(struct jobs *j, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&j->changed, &j->mutex, &until);
}

/* ---- running ---- */

static void add_line(struct job_run *run, const char *line)
{
    if (run->messages->n)
        buf_add_char(run->messages, ',');
    json_escape(run->messages, str_c(line));
}

/* Did an earlier attempt tell this line? */
static bool told_before(const struct job_run *run, const char *line)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(JOB_MESSAGES_MAX);
    json_escape(&text, str_c(line));
    return str_find(str_sub(buf_str(run->messages), 0, run->messages_before), buf_str(&text), 0) != SIZE_MAX;
}

void job_message(struct job_run *run, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    if (run->messages->n > JOB_MESSAGES_FULL) {
        if (!run->messages_cut)
            add_line(run, "There are too many messages: further ones are left out.");
        run->messages_cut = true;
        return;
    }
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (!told_before(run, line))
        add_line(run, line);
}

static str messages_text(struct ctx *ctx, const struct buf *messages)
{
    return arena_printf(ctx->arena, "[%.*s]", STR_FMT(buf_str(messages)));
}

int job_checkpoint(struct ctx *ctx, struct job_run *run, const struct job_progress *progress, str checkpoint)
{
    struct job *job = run->job;
    struct ctx child;
    ctx_child(&child, ctx);
    struct job row = *job;
    row.messages = messages_text(&child, run->messages);
    snprintf(run->progress, sizeof run->progress,
             "{\"itemsDone\":%lld,\"itemsTotal\":%lld,\"bytesDone\":%lld,\"bytesTotal\":%lld,"
             "\"featuresDone\":%lld}",
             (long long)progress->items_done, (long long)progress->items_total, (long long)progress->bytes_done,
             (long long)progress->bytes_total, (long long)progress->features_done);
    row.progress = job->progress = str_c(run->progress);
    if (!str_none(checkpoint)) {
        row.checkpoint = checkpoint;
        job->checkpoint = arena_str(ctx->arena, checkpoint);
    }
    int rc = store_row(&child, run->jobs, &row);
    ctx_adopt_error(ctx, &child, rc);
    ctx_close(&child);
    if (rc == RC_OK)
        fault_checkpoint();
    return rc;
}

enum { END_PAUSE_MS = 50, END_PAUSE_MAX_MS = 5000 };

/* Stores how a job ended, in a context of its own: the job's may be cancelled or hold an error. A disk that is full or fails for
 * a moment must not make a job that ended look like one that runs for ever, so it is tried until the engine stops; then false:
 * the job goes on at the next start. */
static bool store_end(struct jobs *j, struct job *job)
{
    for (unsigned pause = END_PAUSE_MS;; pause = pause < END_PAUSE_MAX_MS ? pause * 2 : pause) {
        struct ctx ctx;
        ctx_open(&ctx);
        int rc = store_row(&ctx, j, job);
        if (rc != RC_OK)
            log_error(&ctx, "storing how a job ended");
        ctx_close(&ctx);
        if (rc == RC_OK || rc == RC_NOT_FOUND)
            return true;
        pthread_mutex_lock(&j->mutex);
        if (!atomic_load(&j->stopping))
            wait_changed(j, pause);
        pthread_mutex_unlock(&j->mutex);
        if (atomic_load(&j->stopping))
            return false;
    }
}

static void remove_dir(const char *path)
{
    struct ctx ctx;
    ctx_open(&ctx);
    if (dir_remove_tree(&ctx, path) != RC_OK)
        log_error(&ctx, "removing a job's folder");
    ctx_close(&ctx);
}

/* Runs one attempt of a job and stores how it ended. */
static void run_job(struct jobs *j, struct slot *slot)
{
    struct ctx ctx;
    ctx_open(&ctx);
    memcpy(ctx.tag, slot->job.text, sizeof slot->job.text);
    struct job job = {0};
    CLEANUP(buf_free) struct buf messages = BUF_INIT(JOB_MESSAGES_MAX);
    int rc = sql_read(&ctx, j->site->sql, get_row, &(struct row_call){.job = &job, .id = &slot->job});
    if (rc != RC_OK) {
        log_error(&ctx, "reading a job");
        ctx_close(&ctx);
        return;
    }
    if (job.messages.n > 2)
        buf_add(&messages, str_sub(job.messages, 1, job.messages.n - 1));
    struct job_run run = {.site = j->site, .jobs = j, .job = &job, .messages = &messages, .messages_before = messages.n};
    ctx.cancel = &slot->cancel; /* not before: what is cancelled has to be read as well */
    run.dir = arena_printf(ctx.arena, "%s/work/%s", j->site->data_dir, job.id.text);
    const struct job_kind *kind = kind_find(job.kind);
    job.state = JOB_RUNNING;
    rc = job.cancel_asked ? RC_CANCELED : store_row(&ctx, j, &job);
    if (rc == RC_OK)
        rc = kind ? json_parse(&ctx, job.request, &run.request) : err_set(&ctx, &ERR_INVALID, "unknown job kind");
    if (rc == RC_OK)
        rc = dir_create(&ctx, run.dir.p);
    if (rc == RC_OK)
        rc = kind->run(&ctx, &run);
    if (rc == RC_CANCELED && atomic_load(&j->stopping)) { /* goes on at the next start */
        ctx_close(&ctx);
        return;
    }
    if (rc == RC_OK) {
        job.state = JOB_SUCCEEDED;
    } else {
        job.state = rc == RC_CANCELED ? JOB_CANCELED : JOB_FAILED;
        if (rc != RC_CANCELED)
            log_error(&ctx, "job");
        add_line(&run, rc == RC_CANCELED ? "The job was cancelled." : err_text(&ctx));
        for (unsigned i = 1; i < ctx.err.detail_count && rc != RC_CANCELED; i++)
            add_line(&run, ctx.err.details[i]);
    }
    job.messages = messages_text(&ctx, &messages);
    if (store_end(j, &job))
        remove_dir(run.dir.p);
    ctx_close(&ctx);
}

static void *worker(void *arg)
{
    struct jobs *j = arg;
    pthread_mutex_lock(&j->mutex);
    while (!atomic_load(&j->stopping)) {
        struct slot *s = slot_pick(j);
        if (!s) {
            pthread_cond_wait(&j->changed, &j->mutex);
            continue;
        }
        s->running = true;
        pthread_mutex_unlock(&j->mutex);
        run_job(j, s);
        pthread_mutex_lock(&j->mutex);
        slot_remove(j, s);
        pthread_cond_broadcast(&j->changed);
    }
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}

/* ---- opening and closing ---- */

struct unfinished {
    struct job *list;
    size_t count;
};

struct work_dirs {
    struct unfinished unfinished;
    str path;
};

static int unfinished_rows(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct unfinished *u = arg;
    return meta_jobs_unfinished(ctx, tx, &u->list, &u->count);
}

/* The folder of a job that ended just before the process did. */
static int remove_left_dir(struct ctx *ctx, const char *name, void *arg)
{
    const struct work_dirs *w = arg;
    for (size_t i = 0; i < w->unfinished.count; i++)
        if (strcmp(w->unfinished.list[i].id.text, name) == 0)
            return RC_OK;
    return dir_remove_tree(ctx, arena_printf(ctx->arena, "%s/%s", w->path.p, name).p);
}

int jobs_open(struct ctx *ctx, struct site *site, unsigned threads, struct jobs **out)
{
    struct work_dirs w = {.path = arena_printf(ctx->arena, "%s/work", site->data_dir)};
    TRY(sql_read(ctx, site->sql, unfinished_rows, &w.unfinished));
    TRY(dir_each(ctx, w.path.p, remove_left_dir, &w));
    const struct unfinished u = w.unfinished;
    struct jobs *j = mem_new(struct jobs);
    j->site = site;
    pthread_mutex_init(&j->mutex, NULL);
    pthread_cond_init(&j->changed, NULL);
    for (size_t i = 0; i < u.count; i++)
        slot_add(j, &u.list[i].id, u.list[i].owner);
    if (u.count)
        log_line(ctx, LOG_INFO, "%zu unfinished jobs go on", u.count);
    j->threads = mem_alloc(threads * sizeof *j->threads);
    for (; j->thread_count < threads; j->thread_count++) {
        int e = pthread_create(&j->threads[j->thread_count], NULL, worker, j);
        if (e) {
            jobs_close(j);
            return err_errno(ctx, e, "starting a job thread");
        }
    }
    *out = j;
    return RC_OK;
}

void jobs_stop(struct jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    atomic_store(&j->stopping, true);
    for (struct slot *s = j->slots; s; s = s->next)
        atomic_store(&s->cancel, true);
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mutex);
}

void jobs_close(struct jobs *j)
{
    if (!j)
        return;
    jobs_stop(j);
    for (unsigned i = 0; i < j->thread_count; i++)
        pthread_join(j->threads[i], NULL);
    while (j->slots)
        slot_remove(j, j->slots);
    pthread_cond_destroy(&j->changed);
    pthread_mutex_destroy(&j->mutex);
    mem_free(j->threads);
    mem_free(j);
}

/* ---- use ---- */

int jobs_submit(struct ctx *ctx, struct jobs *j, const struct job_submit *what, id *job_out, char key_out[JOB_KEY_SIZE])
{
    uint8_t key[32];
    random_bytes(key, sizeof key);
    str text = base64_encode(ctx->arena, str_of(key, sizeof key));
    memcpy(key_out, text.p, JOB_KEY_SIZE - 1);
    key_out[JOB_KEY_SIZE - 1] = 0;
    int64_t now = ctx_now(ctx);
    struct job job = {.id = id_new(),
                      .kind = str_c(what->kind),
                      .owner = what->owner,
                      .key_hash = hash_of(text),
                      .state = JOB_SUBMITTED,
                      .definition = what->definition,
                      .request = what->request,
                      .checkpoint = STR(""),
                      .messages = STR("[]"),
                      .result = STR(""),
                      .progress = STR(""),
                      .item = what->item,
                      .created = now,
                      .modified = now};
    TRY(sql_write(ctx, j->site->sql, insert_row, &job));
    pthread_mutex_lock(&j->mutex);
    slot_add(j, &job.id, job.owner);
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->mutex);
    *job_out = job.id;
    return RC_OK;
}

int jobs_get(struct ctx *ctx, struct jobs *j, const id *job, struct job *out)
{
    return sql_read(ctx, j->site->sql, get_row, &(struct row_call){.job = out, .id = job});
}

int jobs_wait_begin(struct ctx *ctx, struct jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    bool room = j->waiters < j->site->settings.sync_calls;
    j->waiters += room;
    pthread_mutex_unlock(&j->mutex);
    return room ? RC_OK
                : err_set(ctx, &ERR_BUSY, "%u synchronous calls are running already: call again later, or with async=true.",
                          j->site->settings.sync_calls);
}

void jobs_wait_end(struct jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    j->waiters--;
    pthread_mutex_unlock(&j->mutex);
}

int jobs_wait(struct ctx *ctx, struct jobs *j, const id *job, struct job *out)
{
    int rc = RC_OK;
    pthread_mutex_lock(&j->mutex);
    while (rc == RC_OK && !atomic_load(&j->stopping) && slot_find(j, job)) {
        wait_changed(j, JOB_WAIT_STEP_MS);
        rc = ctx_check(ctx);
    }
    bool stopped = rc == RC_OK && atomic_load(&j->stopping) && slot_find(j, job);
    pthread_mutex_unlock(&j->mutex);
    TRY(rc);
    if (stopped)
        return err_set(ctx, &ERR_BUSY, "The portal is stopping; job '%s' goes on after its restart.", job->text);
    return jobs_get(ctx, j, job, out);
}

int jobs_cancel(struct ctx *ctx, struct jobs *j, const id *job)
{
    int rc = sql_write(ctx, j->site->sql, cancel_row, (void *)job);
    if (rc == RC_NOT_FOUND)
        return err_set_rc(ctx, rc, &ERR_MISSING, "Job '%s' does not exist.", job->text);
    TRY(rc);
    pthread_mutex_lock(&j->mutex);
    struct slot *s = slot_find(j, job);
    if (s)
        atomic_store(&s->cancel, true);
    pthread_mutex_unlock(&j->mutex);
    return RC_OK;
}

bool jobs_key_matches(const struct job *job, str key)
{
    struct hash h = hash_of(key);
    return secret_eq(str_of(h.bytes, sizeof h.bytes), str_of(job->key_hash.bytes, sizeof job->key_hash.bytes));
}

/* ---- as the API shows them ---- */

static const char *done_word(const struct site *site, const struct job *job)
{
    const struct job_kind *kind = kind_find(job->kind);
    return kind && kind->word == done_word_export ? site->settings.export_done_word : "completed";
}

const char *job_status_word(const struct site *site, const struct job *job)
{
    switch (job->state) {
    case JOB_SUBMITTED:
        return "submitted";
    case JOB_RUNNING:
        return "processing";
    case JOB_SUCCEEDED:
        return done_word(site, job);
    case JOB_FAILED:
        return "failed";
    case JOB_CANCELED:
        return "cancelled";
    }
    return "failed";
}

void job_print(struct json_out *o, const struct site *site, const struct job *job)
{
    json_begin_object(o);
    json_member_str(o, "id", id_str(&job->id));
    json_member_raw(o, "definition", job->definition);
    json_member_c(o, "status", job_status_word(site, job));
    json_member_int(o, "created", job->created);
    json_member_int(o, "modified", job->modified);
    json_member_raw(o, "messages", str_empty(job->messages) ? STR("[]") : job->messages);
    if (!str_empty(job->progress))
        json_member_raw(o, "progress", job->progress);
    if (!str_empty(job->result))
        json_member_raw(o, "result", job->result);
    json_end_object(o);
}
