/* Feature store over GeoPackages, one file a data set: which files are open, who reads and who writes them, and making, dropping
 * and checking them. Files that nobody uses stay open until too many are. */
#include "store/feature_gpkg.h"

#include "base/file.h"
#include "base/mem.h"

static const str SUFFIX = {.p = ".gpkg", .n = 5};

int feature_store_open(struct ctx *ctx, const char *url, struct feature_store **out)
{
    str prefix = STR("dir:");
    *out = NULL;
    if (!str_starts(str_c(url), prefix) || url[prefix.n] == 0)
        return err_set(ctx, &ERR_INVALID, "feature store \"%s\": expected dir:/path", url);
    TRY(dir_create(ctx, url + prefix.n));
    struct feature_store *fs = mem_new(struct feature_store);
    fs->dir = mem_cstr(url + prefix.n);
    pthread_mutex_init(&fs->lock, NULL);
    pthread_cond_init(&fs->written, NULL);
    pthread_cond_init(&fs->merge_wake, NULL);
    *out = fs;
    return RC_OK;
}

static void close_idle(struct gpkg_set *set)
{
    while (set->idle) {
        struct gpkg_conn *c = set->idle;
        set->idle = c->next;
        gpkg_conn_close(c);
    }
    set->idle_count = 0;
}

static void remove_set(struct feature_store *fs, struct gpkg_set *set)
{
    struct gpkg_set **at = &fs->sets;
    while (*at != set)
        at = &(*at)->next;
    *at = set->next;
    fs->set_count--;
    close_idle(set);
    mem_free(set->path);
    mem_free(set);
}

void feature_store_close(struct feature_store *fs)
{
    if (!fs)
        return;
    gpkg_merger_stop(fs);
    while (fs->sets)
        remove_set(fs, fs->sets);
    pthread_cond_destroy(&fs->merge_wake);
    pthread_cond_destroy(&fs->written);
    pthread_mutex_destroy(&fs->lock);
    mem_free(fs->dir);
    mem_free(fs);
}

static str set_path(struct ctx *ctx, const struct feature_store *fs, const id *store, const char *suffix)
{
    return arena_printf(ctx->arena, "%s/%s.gpkg%s", fs->dir, store->text, suffix);
}

/* ---- the list of open data sets; callers hold the lock ---- */
static struct gpkg_set *find_set(struct feature_store *fs, const id *store)
{
    for (struct gpkg_set *s = fs->sets; s; s = s->next)
        if (id_eq(s->id, *store))
            return s;
    return NULL;
}

/* Closes the unused data sets beyond the number kept open, those first that were not used for longest. */
static void close_surplus(struct feature_store *fs)
{
    while (fs->set_count > GPKG_OPEN_SETS) {
        struct gpkg_set *oldest = NULL;
        for (struct gpkg_set *s = fs->sets; s; s = s->next)
            if (s->users == 0 && (!oldest || s->used < oldest->used))
                oldest = s;
        if (!oldest)
            return;
        remove_set(fs, oldest);
    }
}

int gpkg_set_take(struct ctx *ctx, struct feature_store *fs, const id *store, struct gpkg_set **out)
{
    str path = set_path(ctx, fs, store, "");
    pthread_mutex_lock(&fs->lock);
    struct gpkg_set *set = find_set(fs, store);
    if (!set && file_exists(path.p)) {
        close_surplus(fs);
        set = mem_new(struct gpkg_set);
        *set = (struct gpkg_set){.id = *store, .path = mem_cstr(path.p), .generation = 1, .next = fs->sets};
        fs->sets = set;
        fs->set_count++;
    }
    if (set && set->dropped)
        set = NULL;
    if (set) {
        set->users++;
        set->used = ++fs->tick;
    }
    pthread_mutex_unlock(&fs->lock);
    *out = set;
    return set ? RC_OK : err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "there is no feature data set %s", store->text);
}

void gpkg_set_give(struct feature_store *fs, struct gpkg_set *set)
{
    pthread_mutex_lock(&fs->lock);
    if (--set->users == 0 && set->dropped)
        remove_set(fs, set);
    else
        close_surplus(fs);
    pthread_mutex_unlock(&fs->lock);
}

int gpkg_read_begin(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn **out)
{
    pthread_mutex_lock(&fs->lock);
    struct gpkg_conn *c = set->idle;
    if (c) {
        set->idle = c->next;
        set->idle_count--;
    }
    pthread_mutex_unlock(&fs->lock);
    *out = c;
    if (c)
        return RC_OK;
    TRY(gpkg_conn_open(ctx, set->path, SQLITE_OPEN_READWRITE, out));
    int rc = gpkg_upgrade(ctx, *out);
    if (rc != RC_OK) {
        gpkg_conn_close(*out);
        *out = NULL;
    }
    return rc;
}

void gpkg_read_end(struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c)
{
    if (!c)
        return;
    c->ctx = NULL;
    pthread_mutex_lock(&fs->lock);
    bool keep = !set->dropped && set->idle_count < GPKG_IDLE_READERS;
    if (keep) {
        c->next = set->idle;
        set->idle = c;
        set->idle_count++;
    }
    pthread_mutex_unlock(&fs->lock);
    if (!keep)
        gpkg_conn_close(c);
}

static void write_done(struct feature_store *fs, struct gpkg_set *set)
{
    pthread_mutex_lock(&fs->lock);
    set->served++;
    set->generation++;
    pthread_cond_broadcast(&fs->written);
    pthread_mutex_unlock(&fs->lock);
}

int gpkg_write_begin(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn **out)
{
    pthread_mutex_lock(&fs->lock);
    for (uint64_t turn = set->turns++; turn != set->served;)
        pthread_cond_wait(&fs->written, &fs->lock);
    pthread_mutex_unlock(&fs->lock);
    int rc = gpkg_read_begin(ctx, fs, set, out);
    if (rc != RC_OK)
        write_done(fs, set);
    return rc;
}

int gpkg_write_open(struct ctx *ctx, struct feature_store *fs, const id *store, struct gpkg_set **set_out, struct gpkg_conn **out)
{
    TRY(gpkg_set_take(ctx, fs, store, set_out));
    int rc = gpkg_write_begin(ctx, fs, *set_out, out);
    if (rc != RC_OK)
        gpkg_set_give(fs, *set_out);
    return rc;
}

void gpkg_write_end(struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c)
{
    gpkg_read_end(fs, set, c);
    write_done(fs, set);
}

struct gpkg_mark gpkg_mark_find(struct feature_store *fs, struct gpkg_set *set, int32_t layer, int64_t offset)
{
    pthread_mutex_lock(&fs->lock);
    struct gpkg_mark best = {.layer = layer, .generation = set->generation};
    for (size_t i = 0; i < GPKG_MARKS; i++) {
        const struct gpkg_mark *m = &set->marks[i];
        if (m->generation == best.generation && m->layer == layer && m->offset <= offset && m->offset > best.offset)
            best = *m;
    }
    pthread_mutex_unlock(&fs->lock);
    return best;
}

void gpkg_mark_add(struct feature_store *fs, struct gpkg_set *set, const struct gpkg_mark *mark)
{
    pthread_mutex_lock(&fs->lock);
    set->marks[set->next_mark] = *mark;
    set->next_mark = (set->next_mark + 1) % GPKG_MARKS;
    pthread_mutex_unlock(&fs->lock);
}

static bool find_total(struct feature_store *fs, struct gpkg_set *set, struct gpkg_total *t)
{
    bool found = false;
    pthread_mutex_lock(&fs->lock);
    t->generation = set->generation;
    for (size_t i = 0; i < GPKG_MARKS && !found; i++) {
        const struct gpkg_total *known = &set->totals[i];
        found = known->generation == t->generation && known->layer == t->layer;
        if (found)
            *t = *known;
    }
    pthread_mutex_unlock(&fs->lock);
    return found;
}

int gpkg_total_get(struct ctx *ctx, struct feature_store *fs, struct gpkg_set *set, struct gpkg_conn *c, const struct layer *l,
                   struct gpkg_total *out)
{
    *out = (struct gpkg_total){.layer = layer_stored(l)->id};
    if (find_total(fs, set, out))
        return RC_OK;
    str table = gpkg_quoted(ctx, gpkg_table(ctx, l, false)), oid = gpkg_quoted(ctx, l->fields[l->oid_field].name);
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, /* one statement is one snapshot; each part of it is found the fast way */
                     arena_printf(ctx->arena,
                                  "SELECT (SELECT count(*) FROM %.*s),(SELECT min(%.*s) FROM %.*s),(SELECT max(%.*s) FROM %.*s)",
                                  STR_FMT(table), STR_FMT(oid), STR_FMT(table), STR_FMT(oid), STR_FMT(table)),
                     &stmt));
    int rc = gpkg_step(ctx, c, stmt);
    out->count = sqlite3_column_int64(stmt, 0);
    out->least = sqlite3_column_int64(stmt, 1);
    out->most = sqlite3_column_int64(stmt, 2);
    gpkg_release(c, stmt);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&fs->lock);
    set->totals[set->next_total] = *out;
    set->next_total = (set->next_total + 1) % GPKG_MARKS;
    pthread_mutex_unlock(&fs->lock);
    return RC_OK;
}

/* ---- making and dropping ---- */
static int remove_files(struct ctx *ctx, const struct feature_store *fs, const id *store)
{
    static const char *const FILES[] = {"", "-journal", "-wal", "-shm", ".new", ".new-journal"};
    for (size_t i = 0; i < COUNT_OF(FILES); i++)
        TRY(file_remove(ctx, set_path(ctx, fs, store, FILES[i]).p));
    return RC_OK;
}

int feature_drop(struct ctx *ctx, struct feature_store *fs, const id *store)
{
    pthread_mutex_lock(&fs->lock);
    struct gpkg_set *set = find_set(fs, store);
    if (set) {
        set->dropped = true;
        close_idle(set);
        if (set->users == 0)
            remove_set(fs, set);
    }
    pthread_mutex_unlock(&fs->lock);
    return remove_files(ctx, fs, store);
}

/* A file of that name that a reader still has open may be removed, but not replaced: its last connection removes the log by name.
 */
static int check_unused(struct ctx *ctx, struct feature_store *fs, const id *store)
{
    pthread_mutex_lock(&fs->lock);
    bool used = find_set(fs, store) != NULL;
    pthread_mutex_unlock(&fs->lock);
    return used ? err_set_rc(ctx, RC_BUSY, &ERR_BUSY, "feature data set %s is in use", store->text) : RC_OK;
}

static int add_layers(struct ctx *ctx, struct gpkg_conn *c, const struct service *def)
{
    for (size_t i = 0; i < def->layer_count; i++) {
        TRY(gpkg_schema_add_layer(ctx, c, &def->layers[i], false));
        TRY(gpkg_generation_set(ctx, c, def->layers[i].id, ctx_now(ctx)));
    }
    return RC_OK;
}

/* The file is whole and on the disk before it gets its name, so this one needs no journal. */
static int build_file(struct ctx *ctx, const char *path, const struct service *def)
{
    struct gpkg_conn *c = NULL;
    int fd = -1;
    TRY(file_create(ctx, path, &fd)); /* with the mode of our files */
    file_close(&fd);
    TRY(gpkg_conn_open(ctx, path, SQLITE_OPEN_READWRITE, &c));
    int rc = gpkg_exec(ctx, c, "PRAGMA journal_mode=OFF; BEGIN");
    rc = rc != RC_OK ? rc : gpkg_schema_begin(ctx, c);
    rc = rc != RC_OK ? rc : gpkg_changes_create(ctx, c);
    rc = rc != RC_OK ? rc : add_layers(ctx, c, def);
    rc = rc != RC_OK ? rc : gpkg_exec(ctx, c, "COMMIT; PRAGMA journal_mode=WAL");
    gpkg_conn_close(c);
    return rc;
}

int feature_create(struct ctx *ctx, struct feature_store *fs, const id *store, const struct service *def)
{
    TRY(feature_drop(ctx, fs, store));
    TRY(check_unused(ctx, fs, store));
    str temporary = set_path(ctx, fs, store, ".new");
    TRY(build_file(ctx, temporary.p, def));
    CLEANUP(file_close) int fd = -1;
    TRY(file_open_read(ctx, temporary.p, &fd));
    TRY(file_sync(ctx, fd));
    TRY(file_rename(ctx, temporary.p, set_path(ctx, fs, store, "").p));
    return file_sync_dir(ctx, fs->dir);
}

int feature_exists(struct ctx *ctx, struct feature_store *fs, const id *store, bool *out)
{
    *out = file_exists(set_path(ctx, fs, store, "").p);
    return RC_OK;
}

struct each {
    int (*visit)(struct ctx *ctx, const id *store, void *arg);
    void *arg;
};

static int visit_entry(struct ctx *ctx, const char *name, void *arg)
{
    const struct each *e = arg;
    str s = str_c(name);
    id store;
    if (!str_ends(s, SUFFIX) || !id_parse(str_sub(s, 0, s.n - SUFFIX.n), &store))
        return RC_OK;
    return e->visit(ctx, &store, e->arg);
}

int feature_stores_each(struct ctx *ctx, struct feature_store *fs, int (*visit)(struct ctx *ctx, const id *store, void *arg),
                        void *arg)
{
    struct each e = {visit, arg};
    return dir_each(ctx, fs->dir, visit_entry, &e);
}

/* ---- checking ---- */
struct findings {
    void (*report)(void *arg, const char *line);
    void *arg;
    const id *store;
    uint64_t bad;
};

/* Every row of a check statement that is not "ok" is a finding. */
static int run_check(struct ctx *ctx, struct gpkg_conn *c, str sql, struct findings *f)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, sql, &stmt));
    int rc;
    while ((rc = gpkg_step(ctx, c, stmt)) == RC_OK) {
        const char *line = (const char *)sqlite3_column_text(stmt, 0);
        if (line && strcmp(line, "ok") == 0)
            continue;
        f->bad++;
        f->report(f->arg, arena_printf(ctx->arena, "features %s: %s", f->store->text, line ? line : "no answer").p);
    }
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

static int check_indexes(struct ctx *ctx, struct gpkg_conn *c, struct findings *f)
{
    sqlite3_stmt *stmt = NULL;
    TRY(gpkg_prepare(ctx, c, STR("SELECT table_name, column_name FROM gpkg_geometry_columns"), &stmt));
    int rc;
    while ((rc = gpkg_step(ctx, c, stmt)) == RC_OK) {
        char *sql =
            sqlite3_mprintf("SELECT rtreecheck('rtree_%q_%q') UNION ALL SELECT 'rows and spatial index of %q differ' WHERE "
                            "(SELECT count(*) FROM \"%w\" WHERE substr(\"%w\",4,1)<>x'11' AND \"%w\" IS NOT NULL)"
                            "<>(SELECT count(*) FROM \"rtree_%w_%w_rowid\")+(SELECT count(*) FROM \"pending_%w\")",
                            sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1), sqlite3_column_text(stmt, 0),
                            sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1), sqlite3_column_text(stmt, 1),
                            sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1), sqlite3_column_text(stmt, 0));
        int checked = run_check(ctx, c, arena_str(ctx->arena, str_c(sql)), f);
        sqlite3_free(sql);
        if (checked != RC_OK) {
            gpkg_release(c, stmt);
            return checked;
        }
    }
    gpkg_release(c, stmt);
    return rc == RC_END ? RC_OK : rc;
}

int feature_check(struct ctx *ctx, struct feature_store *fs, const id *store, void (*report)(void *arg, const char *line),
                  void *arg, uint64_t *bad_out)
{
    struct findings f = {.report = report, .arg = arg, .store = store};
    struct gpkg_set *set = NULL;
    struct gpkg_conn *c = NULL;
    TRY(gpkg_set_take(ctx, fs, store, &set));
    int rc = gpkg_read_begin(ctx, fs, set, &c);
    rc = rc != RC_OK ? rc : run_check(ctx, c, STR("PRAGMA integrity_check"), &f);
    rc = rc != RC_OK ? rc : check_indexes(ctx, c, &f);
    gpkg_read_end(fs, set, c);
    gpkg_set_give(fs, set);
    if (rc == RC_FAIL && err_is(ctx, &ERR_CORRUPT)) { /* so damaged that the check itself cannot read it: a finding as well */
        f.bad++;
        report(arg, arena_printf(ctx->arena, "features %s: %s", store->text, err_text(ctx)).p);
        err_clear(ctx);
        rc = RC_OK;
    }
    *bad_out = f.bad;
    return rc;
}
