/* The pipeline. A slot holds a chunk of input, or a batch of small members, and room for what becomes of it; slots are filled by
 * the caller, compressed by workers and written in the order they were filled. Headers are put into gaps that the worker left. */
#include "portal/package/pack.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "codec/deflate.h"

enum {
    CHUNK_SIZE = 1024 * 1024,
    SAMPLE_SIZE = 64 * 1024,
    PIECES_MAX = 64,
    THREADS_MAX = 4,
    REHASH_SIZE = 256 * 1024,
};

enum piece_method { PIECE_AUTO, PIECE_STORE, PIECE_DEFLATE };
/* A member or a part of one, in a slot. */
struct piece {
    uint32_t entry;
    bool first, last;
    enum piece_method method; /* AUTO: the worker decides, for a member in one piece */
    size_t in_at, in_size;
    size_t gap;              /* bytes for the local header before, when first */
    size_t tail;             /* for the descriptor behind, when last */
    size_t out_at, out_size; /* packed bytes without gap and tail */
};
struct slot {
    struct pool_task task; /* first: the worker gets this */
    struct deflate *deflate;
    size_t piece_count, in_used, out_used;
    struct piece pieces[PIECES_MAX];
    uint8_t *in, *out;
};

/* A slot on its way to the file, by a thread of its own: hashing and writing one run beside reading the next. */
struct writing {
    struct pool_task task; /* first: the writer gets this */
    struct pack *pack;
    struct slot *slot; /* NULL: nothing is being written */
    uint64_t at;
    struct ctx ctx;
    int rc;
};

struct pack {
    struct pack_options options;
    int fd;
    struct pool *pool, *writer;
    struct writing writing;             /* owns fd's end and `hash` until it is joined */
    unsigned slot_count, first, queued; /* ring: slots[first ... first + queued) are with the workers, the next is being filled */
    struct slot slots[THREADS_MAX + 3];
    struct arena *names;
    struct pack_entry *entries;
    size_t count, capacity;
    uint32_t *table; /* open addressing by content hash: entry + 1, 0 empty */
    size_t table_slots, table_used;
    bool broken;   /* a write failed: bytes of members that were taken are lost */
    uint64_t size; /* of the file */
    struct hash_state hash;
    uint64_t base_size; /* a place to rehash from after a rollback */
    struct hash_state base_hash;
};

static size_t slot_out_size(void)
{
    return deflate_bound(CHUNK_SIZE) + PIECES_MAX * (ZIP_LOCAL_MAX + ZIP_DESCRIPTOR_MAX + deflate_bound(0));
}

void pack_open(const struct pack_options *options, struct pack **out)
{
    struct pack *p = mem_new(struct pack);
    p->options = *options;
    unsigned threads = options->threads < 1 ? 1 : options->threads > THREADS_MAX ? THREADS_MAX : options->threads;
    p->pool = pool_open(threads);
    p->writer = pool_open(1);
    p->slot_count = threads + 3; /* one is filled, one is framed, one is written */
    for (unsigned i = 0; i < p->slot_count; i++) {
        p->slots[i].deflate = deflate_open();
        p->slots[i].in = mem_alloc(CHUNK_SIZE);
        p->slots[i].out = mem_alloc(slot_out_size());
    }
    p->names = arena_open();
    hash_start(&p->hash);
    p->base_hash = p->hash;
    *out = p;
}

void pack_set_file(struct pack *p, int fd) { p->fd = fd; }

void pack_close(struct pack *p)
{
    if (!p)
        return;
    if (p->writing.slot) {
        pool_wait(p->writer, &p->writing.task);
        ctx_close(&p->writing.ctx);
    }
    pool_close(p->writer);
    pool_close(p->pool);
    for (unsigned i = 0; i < p->slot_count; i++) {
        deflate_close(p->slots[i].deflate);
        mem_free(p->slots[i].in);
        mem_free(p->slots[i].out);
    }
    arena_close(p->names);
    mem_free(p->entries);
    mem_free(p->table);
    mem_free(p);
}

/* ---- entries ---- */

size_t pack_count(const struct pack *p) { return p->count; }
const struct pack_entry *pack_at(const struct pack *p, size_t index) { return &p->entries[index]; }

static struct pack_entry *pack_entry_new(struct pack *p, str name)
{
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? p->capacity * 2 : 256;
        p->entries = mem_resize(p->entries, p->capacity * sizeof *p->entries);
    }
    struct pack_entry *e = &p->entries[p->count++];
    *e = (struct pack_entry){.member.name = arena_str(p->names, name), .same_as = PACK_OWN};
    return e;
}

/* Where a hash is in the table, or the empty place where it belongs. */
static size_t pack_table_place(const struct pack *p, const struct hash *hash)
{
    uint64_t start;
    memcpy(&start, hash->bytes, sizeof start);
    size_t at = start & (p->table_slots - 1);
    while (p->table[at] != 0 && !hash_eq(p->entries[p->table[at] - 1].hash, *hash))
        at = (at + 1) & (p->table_slots - 1);
    return at;
}

uint32_t pack_find(const struct pack *p, const struct hash *hash)
{
    if (p->table_used == 0)
        return PACK_OWN;
    uint32_t found = p->table[pack_table_place(p, hash)];
    return found ? found - 1 : PACK_OWN;
}

static void pack_table_grow(struct pack *p)
{
    uint32_t *old = p->table;
    size_t old_slots = p->table_slots;
    p->table_slots = old_slots ? old_slots * 2 : 512;
    p->table = mem_alloc(p->table_slots * sizeof *p->table);
    for (size_t i = 0; i < old_slots; i++)
        if (old[i] != 0)
            p->table[pack_table_place(p, &p->entries[old[i] - 1].hash)] = old[i];
    mem_free(old);
}

static void pack_share(struct pack *p, uint32_t entry)
{
    if (2 * (p->table_used + 1) > p->table_slots)
        pack_table_grow(p);
    size_t at = pack_table_place(p, &p->entries[entry].hash);
    if (p->table[at] != 0)
        return;
    p->table[at] = entry + 1;
    p->table_used++;
}

uint32_t pack_alias(struct pack *p, str name, uint32_t holder)
{
    struct pack_entry *e = pack_entry_new(p, name);
    e->member.size = p->entries[holder].member.size;
    e->hash = p->entries[holder].hash;
    e->same_as = holder;
    return (uint32_t)(p->count - 1);
}

/* ---- workers ---- */

/* Do the first bytes say that deflate saves more than 3 %? */
static bool pack_worth_it(struct deflate *d, const uint8_t *in, size_t n, uint8_t *scratch)
{
    if (n > SAMPLE_SIZE)
        n = SAMPLE_SIZE;
    return deflate_chunk(d, in, n, true, scratch) < n - n / 32;
}

static void pack_store(struct slot *s, struct piece *piece)
{
    piece->method = PIECE_STORE;
    piece->out_size = piece->in_size;
    memcpy(s->out + piece->out_at, s->in + piece->in_at, piece->in_size);
}

static void pack_piece(struct slot *s, struct piece *piece)
{
    const uint8_t *in = s->in + piece->in_at;
    uint8_t *out = s->out + piece->out_at;
    bool store = piece->method == PIECE_STORE;
    if (piece->method == PIECE_AUTO && piece->in_size > SAMPLE_SIZE)
        store = !pack_worth_it(s->deflate, in, piece->in_size, out);
    if (!store) {
        piece->out_size = deflate_chunk(s->deflate, in, piece->in_size, piece->last, out);
        store = piece->method == PIECE_AUTO && piece->out_size >= piece->in_size - piece->in_size / 32;
    }
    if (store)
        pack_store(s, piece);
    else
        piece->method = PIECE_DEFLATE;
}

static void pack_run(struct pool_task *task)
{
    struct slot *s = (struct slot *)task;
    for (size_t i = 0; i < s->piece_count; i++) {
        struct piece *piece = &s->pieces[i];
        piece->out_at = s->out_used + piece->gap;
        pack_piece(s, piece);
        s->out_used = piece->out_at + piece->out_size + piece->tail;
    }
}

/* ---- writing in order ---- */

static int pack_check_limit(struct ctx *ctx, const struct pack *p, size_t n)
{
    if (p->options.max_bytes && p->size + n > p->options.max_bytes)
        return err_set(ctx, &ERR_LIMIT, "The package becomes larger than %llu bytes (setting export.maxPackageBytes).",
                       (unsigned long long)p->options.max_bytes);
    return RC_OK;
}

/* Straight to the end of the file, when nothing is on its way there. */
static int pack_write(struct ctx *ctx, struct pack *p, const void *bytes, size_t n)
{
    TRY(pack_check_limit(ctx, p, n));
    TRY(file_pwrite(ctx, p->fd, bytes, n, p->size));
    hash_update(&p->hash, bytes, n);
    p->size += n;
    return RC_OK;
}

/* Fills the gaps of a finished slot, now that offsets and packed sizes are known. */
static void pack_frame(struct pack *p, struct slot *s)
{
    for (size_t i = 0; i < s->piece_count; i++) {
        struct piece *piece = &s->pieces[i];
        struct zip_member *m = &p->entries[piece->entry].member;
        if (piece->first) {
            m->method = piece->method == PIECE_STORE ? ZIP_STORED : ZIP_DEFLATED;
            m->offset = p->size + (piece->out_at - piece->gap);
            zip_local_print(m, s->out + piece->out_at - piece->gap);
        }
        m->packed += piece->out_size;
        m->packed_crc = deflate_crc32(m->packed_crc, s->out + piece->out_at, piece->out_size);
        if (piece->last)
            zip_descriptor_print(m, s->out + piece->out_at + piece->out_size);
    }
}

static struct slot *pack_filling(struct pack *p) { return &p->slots[(p->first + p->queued) % p->slot_count]; }

static void pack_slot_clear(struct slot *s) { s->piece_count = s->in_used = s->out_used = 0; }

static void pack_write_run(struct pool_task *task)
{
    struct writing *w = (struct writing *)task;
    w->rc = file_pwrite(&w->ctx, w->pack->fd, w->slot->out, w->slot->out_used, w->at);
    if (w->rc == RC_OK)
        hash_update(&w->pack->hash, w->slot->out, w->slot->out_used);
}

/* Until what is on its way to the file has arrived. */
static int pack_write_join(struct ctx *ctx, struct pack *p)
{
    struct writing *w = &p->writing;
    if (!w->slot)
        return RC_OK;
    pool_wait(p->writer, &w->task);
    pack_slot_clear(w->slot);
    w->slot = NULL;
    int rc = ctx_adopt_error(ctx, &w->ctx, w->rc);
    ctx_close(&w->ctx);
    p->broken = p->broken || rc != RC_OK;
    return rc;
}

/* Waits for the oldest slot and sends it to the file. */
static int pack_write_oldest(struct ctx *ctx, struct pack *p)
{
    struct slot *s = &p->slots[p->first];
    pool_wait(p->pool, &s->task);
    int rc = pack_write_join(ctx, p);
    p->first = (p->first + 1) % p->slot_count;
    p->queued--;
    pack_frame(p, s);
    if (rc == RC_OK)
        rc = p->broken ? RC_FAIL : pack_check_limit(ctx, p, s->out_used);
    if (rc != RC_OK) {
        pack_slot_clear(s);
        p->broken = true;
        return rc;
    }
    struct writing *w = &p->writing;
    *w = (struct writing){.task.run = pack_write_run, .pack = p, .slot = s, .at = p->size};
    ctx_child(&w->ctx, ctx);
    p->size += s->out_used;
    pool_submit(p->writer, &w->task);
    return RC_OK;
}

static int pack_check_whole(struct ctx *ctx, const struct pack *p)
{
    return p->broken ? err_set(ctx, &ERR_IO, "The package cannot be continued: an earlier write failed.") : RC_OK;
}

/* Hands the slot that was being filled to the workers; the next one is free afterwards. */
static int pack_submit(struct ctx *ctx, struct pack *p)
{
    struct slot *s = pack_filling(p);
    TRY(pack_check_whole(ctx, p));
    if (s->piece_count == 0)
        return RC_OK;
    s->task.run = pack_run;
    pool_submit(p->pool, &s->task);
    p->queued++;
    return p->queued + 1 < p->slot_count ? RC_OK : pack_write_oldest(ctx, p);
}

static int pack_drain(struct ctx *ctx, struct pack *p)
{
    TRY(pack_submit(ctx, p));
    while (p->queued > 0)
        TRY(pack_write_oldest(ctx, p));
    return pack_write_join(ctx, p);
}

int pack_flush(struct ctx *ctx, struct pack *p)
{
    TRY(pack_drain(ctx, p));
    p->base_size = p->size;
    p->base_hash = p->hash;
    return RC_OK;
}

/* ---- adding ---- */

struct pack_adding {
    const struct pack_source *source;
    uint32_t entry;
    enum piece_method method;
    uint64_t size;
    uint32_t crc;
    struct hash_state hash;
};

/* Reads the next piece of the member into the slot that is being filled. */
static int pack_add_piece(struct ctx *ctx, struct pack *p, struct pack_adding *a, bool *last_out)
{
    struct slot *s = pack_filling(p);
    size_t room = CHUNK_SIZE - s->in_used, got;
    struct piece *piece = &s->pieces[s->piece_count];
    *piece = (struct piece){.entry = a->entry, .first = a->size == 0, .in_at = s->in_used, .method = a->method};
    TRY(reader_read_full(ctx, a->source->reader, s->in + s->in_used, room, &got));
    hash_update(&a->hash, s->in + s->in_used, got);
    a->crc = deflate_crc32(a->crc, s->in + s->in_used, got);
    a->size += got;
    if (a->source->size >= 0 && a->size > (uint64_t)a->source->size)
        return err_set(ctx, &ERR_CORRUPT, "\"%.*s\" has more bytes than the %lld that were recorded.", STR_FMT(a->source->name),
                       (long long)a->source->size);
    piece->in_size = got;
    *last_out = piece->last = got < room;
    if (piece->first && !piece->last)
        a->method = pack_worth_it(s->deflate, s->in + piece->in_at, got, s->out) ? PIECE_DEFLATE : PIECE_STORE;
    piece->method = a->method;
    const struct zip_member *m = &p->entries[a->entry].member;
    piece->gap = piece->first ? zip_local_size(m) : 0;
    piece->tail = piece->last ? zip_descriptor_size(m) : 0;
    s->in_used += got;
    s->piece_count++;
    return RC_OK;
}

static int pack_check(struct ctx *ctx, const struct pack_source *source, const struct pack_entry *e)
{
    if (source->size >= 0 && e->member.size != (uint64_t)source->size)
        return err_set(ctx, &ERR_CORRUPT, "\"%.*s\" has %llu bytes instead of %lld.", STR_FMT(source->name),
                       (unsigned long long)e->member.size, (long long)source->size);
    if (source->expected && !hash_eq(e->hash, *source->expected))
        return err_set(ctx, &ERR_CORRUPT, "The bytes of \"%.*s\" are not those that were recorded: their hash differs.",
                       STR_FMT(source->name));
    return RC_OK;
}

int pack_add(struct ctx *ctx, struct pack *p, const struct pack_source *source, uint32_t *entry_out)
{
    TRY(pack_check_whole(ctx, p));
    struct slot *s = pack_filling(p);
    bool fits = source->size >= 0 && (uint64_t)source->size < CHUNK_SIZE - s->in_used && s->piece_count < PIECES_MAX;
    if (!fits)
        TRY(pack_submit(ctx, p)); /* pieces begin at whole chunks of a member, whatever its neighbours are */
    struct pack_entry *e = pack_entry_new(p, source->name);
    e->member.wide = source->size < 0 || (uint64_t)source->size > ZIP_NARROW_MAX;
    struct pack_adding a = {.source = source, .entry = (uint32_t)(p->count - 1)};
    hash_start(&a.hash);
    for (bool last = false; !last;) {
        TRY(ctx_check(ctx));
        TRY(pack_add_piece(ctx, p, &a, &last));
        if (!last) {
            TRY(pack_submit(ctx, p));
            continue;
        }
        e = &p->entries[a.entry];
        e->member.size = a.size;
        e->member.crc = a.crc;
        e->hash = hash_finish(&a.hash);
    }
    TRY(pack_check(ctx, source, e));
    e->shared = source->shared;
    if (e->shared)
        pack_share(p, a.entry);
    *entry_out = a.entry;
    return RC_OK;
}

/* ---- going back, going on ---- */

/* Reads [from, to) of the file into the running hash. */
static int pack_rehash(struct ctx *ctx, struct pack *p, uint64_t from, uint64_t to)
{
    uint8_t *bytes = mem_alloc(REHASH_SIZE);
    int rc = RC_OK;
    while (from < to && rc == RC_OK) {
        size_t n = to - from < REHASH_SIZE ? (size_t)(to - from) : REHASH_SIZE;
        rc = file_pread(ctx, p->fd, bytes, n, from);
        if (rc == RC_OK)
            hash_update(&p->hash, bytes, n);
        from += n;
    }
    mem_free(bytes);
    return rc;
}

/* Entries that stay in the table are those that were shared; the holder of an alias is one of them. */
static void pack_table_cut(struct pack *p, size_t count)
{
    uint32_t *old = p->table;
    p->table = mem_alloc(p->table_slots * sizeof *p->table + 1);
    p->table_used = 0;
    for (size_t i = 0; i < p->table_slots; i++)
        if (old[i] != 0 && old[i] <= count)
            pack_share(p, old[i] - 1);
    mem_free(old);
}

static int pack_cut(struct ctx *ctx, struct pack *p, size_t count)
{
    TRY(pack_drain(ctx, p));
    uint64_t size = p->size;
    for (size_t i = p->count; i-- > count;) /* those that were written have an offset; only the very first member lies at 0 */
        if (p->entries[i].same_as == PACK_OWN && (p->entries[i].member.offset > 0 || i == 0))
            size = p->entries[i].member.offset;
    if (size < p->size) {
        if (size < p->base_size) {
            p->base_size = 0;
            hash_start(&p->base_hash);
        }
        p->size = size;
        p->hash = p->base_hash;
        TRY(file_truncate(ctx, p->fd, size));
        TRY(pack_rehash(ctx, p, p->base_size, size));
    }
    pack_table_cut(p, count);
    p->count = count;
    return RC_OK;
}

int pack_rollback(struct ctx *ctx, struct pack *p, size_t count)
{
    int rc = pack_cut(ctx, p, count);
    p->broken = p->broken || rc != RC_OK;
    return rc;
}

void pack_restore(struct pack *p, const struct pack_entry *entry)
{
    struct pack_entry *e = pack_entry_new(p, entry->member.name);
    str name = e->member.name;
    *e = *entry;
    e->member.name = name;
    if (e->shared)
        pack_share(p, (uint32_t)(p->count - 1));
}

int pack_restore_end(struct ctx *ctx, struct pack *p, uint64_t size, const struct hash *file_hash)
{
    TRY(file_truncate(ctx, p->fd, size));
    TRY(pack_rehash(ctx, p, 0, size));
    p->size = p->base_size = size;
    p->base_hash = p->hash;
    if (!hash_eq(pack_hash(p), *file_hash))
        return err_set(ctx, &ERR_CORRUPT, "The unfinished package does not have the bytes that its journal names.");
    return RC_OK;
}

int pack_end(struct ctx *ctx, struct pack *p)
{
    TRY(pack_flush(ctx, p));
    struct zip_directory d = {.offset = p->size};
    uint8_t *bytes = p->slots[0].out; /* free after the flush */
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->entries[i].same_as != PACK_OWN)
            continue;
        n += zip_central_print(&p->entries[i].member, bytes + n);
        d.count++;
        if (n < CHUNK_SIZE - ZIP_CENTRAL_MAX)
            continue;
        TRY(pack_write(ctx, p, bytes, n));
        n = 0;
    }
    TRY(pack_write(ctx, p, bytes, n));
    d.size = p->size - d.offset;
    n = zip_end_print(&d, bytes);
    return pack_write(ctx, p, bytes, n);
}

uint64_t pack_size(const struct pack *p) { return p->size; }

struct hash pack_hash(const struct pack *p)
{
    struct hash_state copy = p->hash;
    return hash_finish(&copy);
}
