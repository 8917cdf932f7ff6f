/* The manifest as a stream of lines: a head line, one line a name, a last line. Together they are one JSON object. */
#include "portal/package/manifest.h"
#include "base/mem.h"
#include "codec/json/json.h"
#include "portal/package/lines.h"
#include <stdlib.h>

enum { LINE_MAX_BYTES = 16 * 1024 };

static void manifest_hash_start(struct manifest_hash *h) { hash_start(&h->state); }

static void manifest_hash_add(struct manifest_hash *h, str name, const struct hash *hash)
{
    char hex[HASH_HEX + 1];
    if (str_eq(name, STR(PACKAGE_NAME)))
        return; /* it differs from export to export */
    hash_hex(*hash, hex);
    hash_update(&h->state, hex, HASH_HEX);
    hash_update(&h->state, "  ", 2);
    hash_update(&h->state, name.p, name.n);
    hash_update(&h->state, "\n", 1);
}

static struct hash manifest_hash_finish(struct manifest_hash *h) { return hash_finish(&h->state); }

/* ---- printing ---- */

struct manifest_reader {
    struct reader base;
    const struct pack *pack;
    uint32_t *order;
    size_t count, next; /* next entry to print; count + 1: all is printed */
    struct hash content;
    struct buf line;
    size_t at; /* in line */
};

static int manifest_compare(const void *a, const void *b, void *arg)
{
    const struct pack *p = arg;
    return str_cmp(pack_at(p, *(const uint32_t *)a)->member.name, pack_at(p, *(const uint32_t *)b)->member.name);
}

static void manifest_print_head(struct manifest_reader *r)
{
    char hex[HASH_HEX + 1];
    hash_hex(r->content, hex);
    buf_printf(&r->line, "{\"format\":\"" MANIFEST_FORMAT "\",\"version\":%d,\"contentHash\":\"%s\",\"members\":[\n",
               PACKAGE_VERSION, hex);
}

static void manifest_print_entry(struct manifest_reader *r, const struct pack_entry *e, bool last)
{
    char hex[HASH_HEX + 1];
    hash_hex(e->hash, hex);
    buf_add(&r->line, STR("{\"name\":"));
    json_escape(&r->line, e->member.name);
    buf_printf(&r->line, ",\"size\":%llu,\"sha256\":\"%s\"", (unsigned long long)e->member.size, hex);
    if (e->same_as != PACK_OWN) {
        buf_add(&r->line, STR(",\"sameAs\":"));
        json_escape(&r->line, pack_at(r->pack, e->same_as)->member.name);
    }
    buf_add(&r->line, last ? STR("}\n") : STR("},\n"));
}

static int manifest_next_line(struct ctx *ctx, struct manifest_reader *r)
{
    buf_clear(&r->line);
    r->at = 0;
    if (r->next < r->count)
        manifest_print_entry(r, pack_at(r->pack, r->order[r->next]), r->next + 1 == r->count);
    else if (r->next == r->count)
        buf_add(&r->line, STR("]}\n"));
    r->next++;
    return buf_check(&r->line, ctx, "manifest");
}

static int manifest_reader_read(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    struct manifest_reader *r = (struct manifest_reader *)base;
    for (*got = 0; *got < n && r->next <= r->count + 1;) {
        size_t left = r->line.n - r->at, take = left < n - *got ? left : n - *got;
        if (left == 0) {
            TRY(manifest_next_line(ctx, r));
            continue;
        }
        memcpy((char *)p + *got, r->line.p + r->at, take);
        r->at += take;
        *got += take;
    }
    return RC_OK;
}

static void manifest_reader_close(struct reader *base)
{
    struct manifest_reader *r = (struct manifest_reader *)base;
    buf_free(&r->line);
    mem_free(r->order);
    mem_free(r);
}

struct reader *manifest_print(const struct pack *p, struct hash *content_out)
{
    struct manifest_reader *r = mem_new(struct manifest_reader);
    struct manifest_hash hash;
    *r = (struct manifest_reader){.base = {.read = manifest_reader_read, .close = manifest_reader_close},
                                  .pack = p,
                                  .count = pack_count(p),
                                  .line = BUF_INIT(LINE_MAX_BYTES)};
    r->order = mem_alloc((r->count + 1) * sizeof *r->order);
    for (uint32_t i = 0; i < r->count; i++)
        r->order[i] = i;
    qsort_r(r->order, r->count, sizeof *r->order, manifest_compare, (void *)(uintptr_t)p);
    manifest_hash_start(&hash);
    for (size_t i = 0; i < r->count; i++)
        manifest_hash_add(&hash, pack_at(p, r->order[i])->member.name, &pack_at(p, r->order[i])->hash);
    *content_out = r->content = manifest_hash_finish(&hash);
    manifest_print_head(r);
    return &r->base;
}

/* ---- reading ---- */

struct manifest_reading {
    struct lines *lines;
    struct manifest_hash hash;
    struct hash content; /* as the head says */
    struct buf last;     /* name before */
    int (*visit)(struct ctx *ctx, void *arg, const struct manifest_entry *e);
    void *arg;
};

static int manifest_damaged(struct ctx *ctx, const char *what)
{
    return err_set(ctx, &ERR_CORRUPT, "manifest.json is damaged: %s.", what);
}

static int manifest_line(struct ctx *ctx, struct lines *l, str *line)
{
    int rc = lines_next(ctx, l, line, NULL);
    return rc == RC_END ? manifest_damaged(ctx, "it ends too early") : rc;
}

static int manifest_read_head(struct ctx *ctx, struct manifest_reading *m)
{
    str line;
    struct json v;
    int64_t version;
    TRY(manifest_line(ctx, m->lines, &line));
    str text = arena_printf(ctx->arena, "%.*s]}", STR_FMT(line));
    if (!json_try_parse(ctx->arena, text, &v) || !json_string_eq(json_get_c(v, "format"), STR(MANIFEST_FORMAT)) ||
        !json_int(json_get_c(v, "version"), &version))
        return manifest_damaged(ctx, "its first line is not the head of a manifest");
    if (version > PACKAGE_VERSION)
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "The package has format version %lld; this program reads up to %d. A later mapferry wrote it.",
                       (long long)version, PACKAGE_VERSION);
    if (!hash_parse(json_string_or(json_get_c(v, "contentHash"), ctx->arena, STR("")), &m->content))
        return manifest_damaged(ctx, "it has no content hash");
    return RC_OK;
}

static int manifest_read_entry(struct ctx *ctx, struct manifest_reading *m, str line)
{
    struct json v;
    struct manifest_entry e;
    int64_t size;
    if (str_ends(line, STR(",")))
        line.n--;
    if (!json_try_parse(ctx->arena, line, &v) || !json_int(json_get_c(v, "size"), &size) || size < 0 ||
        !hash_parse(json_string_or(json_get_c(v, "sha256"), ctx->arena, STR("")), &e.hash))
        return manifest_damaged(ctx, "a line is no entry");
    e.name = json_string_or(json_get_c(v, "name"), ctx->arena, STR(""));
    e.same_as = json_string_or(json_get_c(v, "sameAs"), ctx->arena, STR(""));
    e.size = (uint64_t)size;
    if (!zip_name_valid(e.name) || str_cmp(e.name, buf_str(&m->last)) <= 0)
        return manifest_damaged(ctx, "its names are not in order");
    buf_clear(&m->last);
    buf_add(&m->last, e.name);
    manifest_hash_add(&m->hash, e.name, &e.hash);
    return m->visit(ctx, m->arg, &e);
}

static int manifest_read_all(struct ctx *ctx, struct manifest_reading *m)
{
    TRY(manifest_read_head(ctx, m));
    for (;;) {
        str line;
        TRY(manifest_line(ctx, m->lines, &line));
        if (str_eq(line, STR("]}")))
            break;
        struct arena_mark mark = arena_mark(ctx->arena);
        TRY(manifest_read_entry(ctx, m, line));
        arena_release(ctx->arena, mark);
    }
    str line;
    int rc = lines_next(ctx, m->lines, &line, NULL);
    if (rc != RC_END)
        return rc == RC_OK ? manifest_damaged(ctx, "it goes on behind its end") : rc;
    return hash_eq(m->content, manifest_hash_finish(&m->hash))
               ? RC_OK
               : manifest_damaged(ctx, "the content hash is not that of its entries");
}

int manifest_read(struct ctx *ctx, struct reader *reader,
                  int (*visit)(struct ctx *ctx, void *arg, const struct manifest_entry *e), void *arg, struct hash *content_out)
{
    struct manifest_reading m = {.lines = lines_open(reader), .last = BUF_INIT(ZIP_NAME_MAX), .visit = visit, .arg = arg};
    manifest_hash_start(&m.hash);
    int rc = manifest_read_all(ctx, &m);
    lines_close(m.lines);
    buf_free(&m.last);
    *content_out = m.content;
    return rc;
}
