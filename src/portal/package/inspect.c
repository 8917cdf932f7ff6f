/* A package for human eyes, or as JSON lines for programs. Dependencies are relationships and ids of items of the package that
 * stand anywhere in data or resources. */
#include "portal/package/inspect.h"
#include "base/clock.h"
#include "codec/json/json.h"
#include <stdlib.h>

enum { SCAN_MAX = 16 * 1024 * 1024, LINE_MAX_BYTES = 1024 * 1024, DEPTH_MAX = 32 };

struct inspect_item {
    id id;
    str title, type;
    int64_t bytes; /* of all parts */
    bool hosted;
    size_t dependency_count, dependency_capacity;
    size_t *dependencies; /* indices, each once, ascending */
    bool needed;          /* by another item */
    bool shown;           /* in the tree */
};

struct inspect {
    struct ctx *ctx;
    struct portal *package;
    struct package_summary summary;
    const struct inspect_options *options;
    struct writer *out;
    struct buf line;
    size_t count;
    struct inspect_item *items; /* in id order */
};

/* ---- output ---- */

static int inspect_flush(struct inspect *in)
{
    buf_add_char(&in->line, '\n');
    TRY(buf_check(&in->line, in->ctx, "inspect"));
    TRY(writer_write(in->ctx, in->out, buf_str(&in->line)));
    buf_clear(&in->line);
    return RC_OK;
}

static int inspect_line(struct inspect *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int inspect_line(struct inspect *in, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&in->line, fmt, args);
    va_end(args);
    return inspect_flush(in);
}

/* Text from a package on its way to a terminal: no control characters. */
static str inspect_safe(struct inspect *in, str s)
{
    char *copy = arena_cstr(in->ctx->arena, s);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
            copy[i] = '?';
    return str_of(copy, s.n);
}

static const char *inspect_bytes(struct inspect *in, uint64_t n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)n;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < COUNT_OF(units); unit++)
        value /= 1024;
    return arena_printf(in->ctx->arena, unit ? "%.1f %s" : "%.0f %s", value, units[unit]).p;
}

/* ---- dependencies ---- */

static size_t inspect_find(const struct inspect *in, const char *text)
{
    size_t low = 0, high = in->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(in->items[middle].id.text, text, ID_SIZE);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

static void inspect_depend(struct inspect *in, size_t from, size_t to)
{
    struct inspect_item *it = &in->items[from];
    size_t at = 0;
    if (to == SIZE_MAX || to == from)
        return;
    while (at < it->dependency_count && it->dependencies[at] < to)
        at++;
    if (at < it->dependency_count && it->dependencies[at] == to)
        return;
    it->dependencies = arena_grow(in->ctx->arena, it->dependencies, &it->dependency_capacity, it->dependency_count + 1,
                                  sizeof *it->dependencies);
    memmove(&it->dependencies[at + 1], &it->dependencies[at], (it->dependency_count - at) * sizeof *it->dependencies);
    it->dependencies[at] = to;
    it->dependency_count++;
    in->items[to].needed = true;
}

static bool inspect_is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/* Runs of exactly 32 hex digits that are ids of the package. */
static void inspect_scan(struct inspect *in, size_t item, str bytes)
{
    size_t run = 0;
    for (size_t i = 0; i <= bytes.n; i++) {
        if (i < bytes.n && inspect_is_hex(bytes.p[i])) {
            run++;
            continue;
        }
        if (run == ID_SIZE)
            inspect_depend(in, item, inspect_find(in, bytes.p + i - ID_SIZE));
        run = 0;
    }
}

/* Reads a part into memory of its own, so that the next one finds room again. */
static int inspect_scan_part(struct inspect *in, size_t item, const struct item_part *part)
{
    struct ctx ctx;
    str bytes;
    struct reader *r = NULL;
    if (part->size > SCAN_MAX || part->kind == PART_INFO)
        return RC_OK;
    ctx_child(&ctx, in->ctx);
    int rc = in->package->ops->part_open(&ctx, in->package, &in->items[item].id, part, &r);
    if (rc == RC_OK)
        rc = reader_read_all(&ctx, r, SCAN_MAX, "part", &bytes);
    if (rc == RC_OK)
        inspect_scan(in, item, bytes);
    reader_close(r);
    ctx_adopt_error(in->ctx, &ctx, rc);
    ctx_close(&ctx);
    return rc;
}

static int inspect_load_item(struct inspect *in, size_t index)
{
    struct inspect_item *it = &in->items[index];
    struct ctx ctx;
    struct portal_item full;
    ctx_child(&ctx, in->ctx);
    int rc = in->package->ops->item_get(&ctx, in->package, &it->id, &full);
    ctx_adopt_error(in->ctx, &ctx, rc);
    if (rc == RC_OK) {
        it->title = inspect_safe(in, full.item.field[ITEM_TITLE]);
        it->type = inspect_safe(in, full.item.field[ITEM_TYPE]);
        it->hosted = full.hosted;
        for (size_t i = 0; i < full.relationship_count; i++)
            inspect_depend(in, index, inspect_find(in, full.relationships[i].destination.text));
    }
    for (size_t i = 0; rc == RC_OK && i < full.part_count; i++) {
        it->bytes += full.parts[i].size;
        rc = inspect_scan_part(in, index, &full.parts[i]);
    }
    ctx_close(&ctx);
    return rc;
}

static int inspect_load(struct inspect *in)
{
    id *ids;
    TRY(in->package->ops->list(in->ctx, in->package, NULL, &ids, &in->count));
    in->items = arena_array(in->ctx->arena, struct inspect_item, in->count);
    for (size_t i = 0; i < in->count; i++)
        in->items[i].id = ids[i];
    for (size_t i = 0; i < in->count; i++)
        TRY(inspect_load_item(in, i));
    return RC_OK;
}

/* ---- text ---- */

/* Where the portal was: its address over TLS, or the one it has without. */
static str inspect_source(const struct package_summary *s)
{
    return s->source.https_url.n ? s->source.https_url : s->source.http_url;
}

static int inspect_head(struct inspect *in)
{
    const struct package_summary *s = &in->summary;
    char created[CLOCK_ISO_SIZE];
    clock_iso_print(s->created, created);
    TRY(inspect_line(in, "File          %.*s, %s, package format %.*s", STR_FMT(inspect_safe(in, s->file_name)),
                     inspect_bytes(in, s->file_bytes), STR_FMT(inspect_safe(in, s->format_version))));
    TRY(inspect_line(in, "Made          %s from %.*s, version %.*s", created, STR_FMT(inspect_safe(in, inspect_source(s))),
                     STR_FMT(inspect_safe(in, s->source.version))));
    if (!id_none(s->group))
        TRY(inspect_line(in, "Group         %.*s (%s)", STR_FMT(inspect_safe(in, s->group_title)), s->group.text));
    TRY(inspect_line(in, "Content       %zu items, %zu members, %zu further names of the same bytes, %s unpacked", s->items,
                     s->members, s->aliases, inspect_bytes(in, s->unpacked_bytes)));
    TRY(inspect_line(in, "Content hash  %.*s", STR_FMT(hash_hex_str(in->ctx->arena, s->content))));
    return in->options->verify
               ? inspect_line(in, "Verified      every member has the size, checksum and SHA-256 that it should have")
               : RC_OK;
}

static int inspect_items(struct inspect *in)
{
    TRY(inspect_line(in, "\nItems\n%-32s  %10s  %-24s %s", "id", "size", "type", "title"));
    for (size_t i = 0; i < in->count; i++) {
        const struct inspect_item *it = &in->items[i];
        TRY(inspect_line(in, "%s  %10s  %-24.*s %.*s%s", it->id.text, inspect_bytes(in, (uint64_t)it->bytes), STR_FMT(it->type),
                         STR_FMT(it->title), it->hosted ? " [layers]" : ""));
    }
    return RC_OK;
}

/* An item and below it what it needs; what was shown already is not unfolded again, which also ends cycles. */
static int inspect_tree(struct inspect *in, size_t index, int depth)
{
    struct inspect_item *it = &in->items[index];
    bool folded = (it->shown && it->dependency_count > 0) || depth == DEPTH_MAX;
    TRY(inspect_line(in, "%*s%.*s (%.*s, %s)%s", 2 * depth, "", STR_FMT(it->title), STR_FMT(it->type), it->id.text,
                     folded ? " ..." : ""));
    it->shown = true;
    for (size_t i = 0; !folded && i < it->dependency_count; i++)
        TRY(inspect_tree(in, it->dependencies[i], depth + 1));
    return RC_OK;
}

static int inspect_dependencies(struct inspect *in)
{
    TRY(inspect_line(in, "\nDependencies"));
    for (size_t i = 0; i < in->count; i++)
        if (!in->items[i].needed)
            TRY(inspect_tree(in, i, 0));
    for (size_t i = 0; i < in->count; i++) /* items that need each other have no top */
        if (!in->items[i].shown)
            TRY(inspect_tree(in, i, 0));
    return RC_OK;
}

static int inspect_members(struct inspect *in)
{
    TRY(inspect_line(in, "\nMembers\n%-64s  %12s  %12s  %s", "sha-256", "size", "packed", "name"));
    for (size_t rank = 0; rank < package_member_count(in->package); rank++) {
        struct package_member m;
        char hex[HASH_HEX + 1];
        package_member(in->package, rank, &m);
        hash_hex(m.hash, hex);
        TRY(inspect_line(in, "%s  %12llu  %12llu  %.*s", hex, (unsigned long long)m.size, (unsigned long long)m.packed,
                         STR_FMT(m.name)));
    }
    return RC_OK;
}

static int inspect_text(struct inspect *in)
{
    TRY(inspect_head(in));
    TRY(inspect_items(in));
    TRY(inspect_dependencies(in));
    return inspect_members(in);
}

/* ---- JSON lines ---- */

static int inspect_json_line(struct inspect *in, struct json_out *o)
{
    json_end_object(o);
    TRY(json_out_end(o, "inspect"));
    return inspect_flush(in);
}

static int inspect_json_head(struct inspect *in)
{
    const struct package_summary *s = &in->summary;
    struct json_out o;
    json_out_buf(&o, in->ctx, &in->line);
    json_begin_object(&o);
    json_member_c(&o, "kind", "package");
    json_member_str(&o, "packageVersion", s->format_version);
    json_member_int(&o, "created", s->created);
    json_member_str(&o, "fileName", s->file_name);
    json_member_str(&o, "source", inspect_source(s));
    json_member_str(&o, "sourceVersion", s->source.version);
    json_member_str(&o, "group", id_str(&s->group));
    json_member_str(&o, "groupTitle", s->group_title);
    json_member_int(&o, "items", (int64_t)s->items);
    json_member_int(&o, "members", (int64_t)s->members);
    json_member_int(&o, "aliases", (int64_t)s->aliases);
    json_member_int(&o, "size", (int64_t)s->file_bytes);
    json_member_int(&o, "unpackedSize", (int64_t)s->unpacked_bytes);
    json_member_str(&o, "contentHash", hash_hex_str(in->ctx->arena, s->content));
    json_member_bool(&o, "verified", in->options->verify);
    return inspect_json_line(in, &o);
}

static int inspect_json_item(struct inspect *in, const struct inspect_item *it)
{
    struct json_out o;
    json_out_buf(&o, in->ctx, &in->line);
    json_begin_object(&o);
    json_member_c(&o, "kind", "item");
    json_member_str(&o, "id", id_str(&it->id));
    json_member_str(&o, "title", it->title);
    json_member_str(&o, "type", it->type);
    json_member_int(&o, "size", it->bytes);
    json_member_bool(&o, "hosted", it->hosted);
    json_name(&o, "dependsOn");
    json_begin_array(&o);
    for (size_t i = 0; i < it->dependency_count; i++)
        json_put_str(&o, id_str(&in->items[it->dependencies[i]].id));
    json_end_array(&o);
    return inspect_json_line(in, &o);
}

static int inspect_json_member(struct inspect *in, size_t rank)
{
    struct json_out o;
    struct package_member m;
    char hex[HASH_HEX + 1];
    package_member(in->package, rank, &m);
    hash_hex(m.hash, hex);
    json_out_buf(&o, in->ctx, &in->line);
    json_begin_object(&o);
    json_member_c(&o, "kind", "member");
    json_member_str(&o, "name", m.name);
    json_member_int(&o, "size", (int64_t)m.size);
    json_member_int(&o, "packed", (int64_t)m.packed);
    json_member_c(&o, "sha256", hex);
    return inspect_json_line(in, &o);
}

static int inspect_json_alias(struct ctx *ctx, void *arg, str name, str same_as)
{
    struct inspect *in = arg;
    struct json_out o;
    json_out_buf(&o, ctx, &in->line);
    json_begin_object(&o);
    json_member_c(&o, "kind", "alias");
    json_member_str(&o, "name", name);
    json_member_str(&o, "sameAs", same_as);
    return inspect_json_line(in, &o);
}

static int inspect_json(struct inspect *in)
{
    TRY(inspect_json_head(in));
    for (size_t i = 0; i < in->count; i++)
        TRY(inspect_json_item(in, &in->items[i]));
    for (size_t rank = 0; rank < package_member_count(in->package); rank++)
        TRY(inspect_json_member(in, rank));
    return package_aliases_each(in->ctx, in->package, inspect_json_alias, in);
}

int inspect_print(struct ctx *ctx, struct portal *package, const struct inspect_options *options, struct writer *out)
{
    struct inspect in = {.ctx = ctx, .package = package, .options = options, .out = out, .line = BUF_INIT(LINE_MAX_BYTES)};
    package_summary(package, &in.summary);
    int rc = options->verify ? package_verify(ctx, package, options->threads, NULL, NULL, NULL) : RC_OK;
    if (rc == RC_OK)
        rc = inspect_load(&in);
    if (rc == RC_OK)
        rc = options->json ? inspect_json(&in) : inspect_text(&in);
    buf_free(&in.line);
    return rc;
}
