/* Journal lines, written and read. Durable only by checkpoint records: what comes after the last one never happened. */
#include "portal/package/journal.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/json/json.h"
#include "portal/package/lines.h"
#include <fcntl.h>

enum { PENDING_MAX = 256 * 1024, SEAL_SIZE = HASH_HEX + 3 /* "hash"} */ };

struct journal {
    int fd;
    uint64_t size;
    struct hash_state hash; /* of all lines so far */
    struct buf pending;     /* lines that are not written yet */
    size_t line_at;         /* where the line that is printed now begins in it */
};

/* ---- printing ---- */

static void journal_member_hash(struct json_out *o, const char *name, struct hash h)
{
    char hex[HASH_HEX + 1];
    hash_hex(h, hex);
    json_member_c(o, name, hex);
}

static void journal_print_entry(struct json_out *o, const struct pack_entry *e)
{
    json_member_str(o, "entry", e->member.name);
    json_member_int(o, "size", (int64_t)e->member.size);
    journal_member_hash(o, "sha256", e->hash);
    if (e->same_as != PACK_OWN) {
        json_member_int(o, "sameAs", e->same_as);
        return;
    }
    json_member_int(o, "offset", (int64_t)e->member.offset);
    json_member_int(o, "packed", (int64_t)e->member.packed);
    json_member_int(o, "crc", e->member.crc);
    json_member_int(o, "packedCrc", e->member.packed_crc);
    json_member_int(o, "method", e->member.method);
    json_member_bool(o, "wide", e->member.wide);
    json_member_bool(o, "shared", e->shared);
}

/* The last member of a checkpoint: hash of every byte of the journal before it. */
static void journal_print_seal(struct json_out *o, const struct journal *j)
{
    struct hash_state state = j->hash;
    json_name(o, "journal");
    hash_update(&state, j->pending.p + j->line_at, j->pending.n - j->line_at);
    json_put_str(o, hash_hex_str(o->ctx->arena, hash_finish(&state)));
}

static void journal_print(struct json_out *o, const struct journal *j, const struct journal_record *r)
{
    json_begin_object(o);
    switch (r->kind) {
    case JOURNAL_ENTRY:
        journal_print_entry(o, &r->entry);
        break;
    case JOURNAL_ITEM:
        json_member_str(o, "item", id_str(&r->item));
        break;
    case JOURNAL_RELATIONSHIP:
        json_member_str(o, "relationship", r->relationship.type);
        json_member_str(o, "origin", id_str(&r->relationship.origin));
        json_member_str(o, "destination", id_str(&r->relationship.destination));
        break;
    case JOURNAL_CHECKPOINT:
        json_member_int(o, "checkpoint", (int64_t)r->checkpoint.size);
        journal_member_hash(o, "file", r->checkpoint.file);
        json_member_bool(o, "finished", r->checkpoint.finished);
        journal_member_hash(o, "content", r->checkpoint.content);
        journal_print_seal(o, j);
        break;
    }
    json_end_object(o);
}

static int journal_flush(struct ctx *ctx, struct journal *j)
{
    TRY(file_pwrite(ctx, j->fd, j->pending.p, j->pending.n, j->size));
    j->size += j->pending.n;
    buf_clear(&j->pending);
    return RC_OK;
}

int journal_add(struct ctx *ctx, struct journal *j, const struct journal_record *r)
{
    j->line_at = j->pending.n;
    struct json_out o;
    json_out_buf(&o, ctx, &j->pending);
    journal_print(&o, j, r);
    TRY(json_out_end(&o, "journal"));
    buf_add_char(&j->pending, '\n');
    TRY(buf_check(&j->pending, ctx, "journal"));
    hash_update(&j->hash, j->pending.p + j->line_at, j->pending.n - j->line_at);
    if (r->kind == JOURNAL_CHECKPOINT || j->pending.n > PENDING_MAX / 2)
        TRY(journal_flush(ctx, j));
    return r->kind == JOURNAL_CHECKPOINT ? file_sync(ctx, j->fd) : RC_OK;
}

/* ---- reading ---- */

static bool journal_get_hash(struct json v, const char *name, struct ctx *ctx, struct hash *out)
{
    return hash_parse(json_string_or(json_get_c(v, name), ctx->arena, STR("")), out);
}

static bool journal_get_uint(struct json v, const char *name, uint64_t *out)
{
    int64_t value;
    if (!json_int(json_get_c(v, name), &value) || value < 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool journal_parse_entry(struct ctx *ctx, struct json v, struct pack_entry *e)
{
    struct zip_member *m = &e->member;
    uint64_t crc = 0, packed_crc = 0, method = 0, same_as = PACK_OWN;
    m->name = json_string(json_get_c(v, "entry"), ctx->arena);
    if (!journal_get_uint(v, "size", &m->size) || !journal_get_hash(v, "sha256", ctx, &e->hash))
        return false;
    bool alias = journal_get_uint(v, "sameAs", &same_as);
    e->same_as = (uint32_t)same_as;
    if (alias)
        return true;
    bool ok = journal_get_uint(v, "offset", &m->offset) && journal_get_uint(v, "packed", &m->packed) &&
              journal_get_uint(v, "crc", &crc) && journal_get_uint(v, "packedCrc", &packed_crc) &&
              journal_get_uint(v, "method", &method);
    m->crc = (uint32_t)crc;
    m->packed_crc = (uint32_t)packed_crc;
    m->method = (uint16_t)method;
    m->wide = json_bool(json_get_c(v, "wide"), false);
    e->shared = json_bool(json_get_c(v, "shared"), false);
    return ok;
}

/* before: hash state of the journal up to this line. */
static bool journal_parse_checkpoint(struct ctx *ctx, struct json v, const struct hash_state *before,
                                     struct journal_checkpoint *c)
{
    str line = json_text(v);
    struct hash_state state = *before;
    hash_update(&state, line.p, line.n < SEAL_SIZE ? 0 : line.n - SEAL_SIZE);
    struct hash recorded;
    c->finished = json_bool(json_get_c(v, "finished"), false);
    return journal_get_uint(v, "checkpoint", &c->size) && journal_get_hash(v, "file", ctx, &c->file) &&
           journal_get_hash(v, "content", ctx, &c->content) && journal_get_hash(v, "journal", ctx, &recorded) &&
           hash_eq(recorded, hash_finish(&state));
}

/* false: no sound record. */
static bool journal_parse(struct ctx *ctx, str line, const struct hash_state *before, struct journal_record *r)
{
    struct json v;
    *r = (struct journal_record){.kind = JOURNAL_ENTRY};
    if (!json_try_parse(ctx->arena, line, &v))
        return false;
    if (!json_absent(json_get_c(v, "entry")))
        return journal_parse_entry(ctx, v, &r->entry);
    r->kind = JOURNAL_ITEM;
    if (!json_absent(json_get_c(v, "item")))
        return id_parse(json_string(json_get_c(v, "item"), ctx->arena), &r->item);
    r->kind = JOURNAL_RELATIONSHIP;
    r->relationship.type = json_string(json_get_c(v, "relationship"), ctx->arena);
    if (!str_none(r->relationship.type))
        return id_parse(json_string(json_get_c(v, "origin"), ctx->arena), &r->relationship.origin) &&
               id_parse(json_string(json_get_c(v, "destination"), ctx->arena), &r->relationship.destination);
    r->kind = JOURNAL_CHECKPOINT;
    return journal_parse_checkpoint(ctx, v, before, &r->checkpoint);
}

typedef int (*journal_apply)(struct ctx *ctx, void *arg, const struct journal_record *r);

/* Reads records up to `limit` bytes or the first unsound one. apply NULL: only looks. *sound_out: where the last checkpoint ends,
 * with its hash state in j. */
static int journal_scan(struct ctx *ctx, struct journal *j, uint64_t limit, journal_apply apply, void *arg, uint64_t *sound_out)
{
    struct lines *lines = lines_open(reader_fd(j->fd, 0, limit, false));
    struct hash_state running;
    uint64_t at = 0;
    int rc = RC_OK;
    hash_start(&running);
    *sound_out = 0;
    while (rc == RC_OK) {
        str line;
        bool whole;
        struct journal_record r;
        struct arena_mark mark = arena_mark(ctx->arena);
        rc = lines_next(ctx, lines, &line, &whole);
        if (rc != RC_OK || !whole || !journal_parse(ctx, line, &running, &r))
            break;
        hash_update(&running, line.p, line.n);
        hash_update(&running, "\n", 1);
        at += line.n + 1;
        if (r.kind == JOURNAL_CHECKPOINT) {
            *sound_out = at;
            j->hash = running;
        }
        rc = apply ? apply(ctx, arg, &r) : RC_OK;
        arena_release(ctx->arena, mark);
    }
    lines_close(lines);
    return rc == RC_END ? RC_OK : rc;
}

static int journal_resume(struct ctx *ctx, struct journal *j, journal_apply apply, void *arg, bool *resumed_out)
{
    uint64_t size, sound, again;
    TRY(file_size(ctx, j->fd, &size));
    TRY(journal_scan(ctx, j, size, NULL, NULL, &sound));
    *resumed_out = sound > 0;
    TRY(file_truncate(ctx, j->fd, sound));
    j->size = sound;
    if (sound == 0)
        hash_start(&j->hash);
    return journal_scan(ctx, j, sound, apply, arg, &again);
}

int journal_open(struct ctx *ctx, const char *path, journal_apply apply, void *arg, struct journal **out, bool *resumed_out)
{
    struct journal *j = mem_new(struct journal);
    j->pending = BUF_INIT(PENDING_MAX);
    *resumed_out = false;
    hash_start(&j->hash);
    j->fd = open(path, O_RDWR | O_CLOEXEC);
    int rc = j->fd >= 0 ? journal_resume(ctx, j, apply, arg, resumed_out) : file_create(ctx, path, &j->fd);
    if (rc != RC_OK) {
        journal_close(j);
        return rc;
    }
    *out = j;
    return RC_OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    file_close(&j->fd);
    buf_free(&j->pending);
    mem_free(j);
}
