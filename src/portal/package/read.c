/* A package as a portal to read from. Opening checks structure and manifest; bytes are verified whenever they are read. */
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "codec/json/json.h"
#include "portal/package/attachments.h"
#include "portal/package/item_json.h"
#include "portal/package/manifest.h"
#include "portal/package/names.h"
#include "portal/package/package.h"
#include "portal/package/read.h"
#include <stdlib.h>

enum { DEFINITION_MAX = 64 * 1024 * 1024, RELATIONSHIPS_MAX = 64 * 1024 * 1024 };

struct package_reader {
    struct portal base;
    struct arena *arena;
    int fd;
    struct package_limits limits;
    struct zip *zip;
    struct hash *hashes; /* of the members, by file order */
    uint32_t *by_hash;   /* member indices in order of their hashes */
    struct package_summary summary;
    id *ids;
    struct relationship *relationships;
    size_t relationship_count;
    str layers_path; /* the layer file that is unpacked now, of layers_item */
    id layers_item;
};

static struct package_reader *read_of(struct portal *p) { return (struct package_reader *)p; }
static const struct package_reader *read_of_const(const struct portal *p) { return (const struct package_reader *)p; }

/* ---- verified bytes of a member ---- */

struct read_verify {
    struct reader base;
    struct reader *inner;
    const struct zip_member *member;
    const struct hash *expected;
    uint64_t left;
    struct hash_state state;
};

static int read_verify_read(struct ctx *ctx, struct reader *base, void *p, size_t n, size_t *got)
{
    struct read_verify *r = (struct read_verify *)base;
    uint64_t before = r->left;
    TRY(reader_read(ctx, r->inner, p, n, got));
    hash_update(&r->state, p, *got);
    r->left -= *got;
    if (r->left > 0 || (before == 0 && r->member->size > 0))
        return RC_OK;
    struct hash_state copy = r->state; /* an empty member may be asked more than once */
    if (hash_eq(hash_finish(&copy), *r->expected))
        return RC_OK;
    return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" is damaged: its SHA-256 is not that of the manifest.",
                   STR_FMT(r->member->name));
}

static void read_verify_close(struct reader *base)
{
    struct read_verify *r = (struct read_verify *)base;
    reader_close(r->inner);
    mem_free(r);
}

static struct reader *read_member(const struct package_reader *p, size_t index)
{
    struct read_verify *r = mem_new(struct read_verify);
    const struct zip_member *m = zip_at(p->zip, index);
    *r = (struct read_verify){.base = {.read = read_verify_read, .close = read_verify_close},
                              .inner = zip_member_open(p->zip, m),
                              .member = m,
                              .expected = &p->hashes[index],
                              .left = m->size};
    hash_start(&r->state);
    return &r->base;
}

static int read_text(struct ctx *ctx, const struct package_reader *p, str name, size_t max, str *out)
{
    size_t index = zip_find(p->zip, name, NULL);
    if (index == SIZE_MAX)
        return err_set(ctx, &ERR_CORRUPT, "The package has no member \"%.*s\".", STR_FMT(name));
    CLEANUP(reader_cleanup) struct reader *r = read_member(p, index);
    return reader_read_all(ctx, r, max, arena_cstr(ctx->arena, name), out);
}

/* Index of a member with these bytes, SIZE_MAX when there is none. */
static size_t read_find_hash(const struct package_reader *p, const struct hash *hash)
{
    size_t low = 0, high = zip_count(p->zip);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(p->hashes[p->by_hash[middle]].bytes, hash->bytes, HASH_SIZE);
        if (order == 0)
            return p->by_hash[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

static int read_hash(struct ctx *ctx, const struct package_reader *p, const struct hash *hash, int64_t size, const char *what,
                     struct reader **out)
{
    size_t index = read_find_hash(p, hash);
    if (index == SIZE_MAX || zip_at(p->zip, index)->size != (uint64_t)size)
        return err_set(ctx, &ERR_CORRUPT, "The package does not have the bytes of %s.", what);
    *out = read_member(p, index);
    return RC_OK;
}

/* ---- the portal's functions ---- */

static int read_info(struct ctx *ctx, struct portal *p, struct portal_info *out)
{
    (void)ctx;
    *out = read_of(p)->summary.source;
    return RC_OK;
}

static int read_list(struct ctx *ctx, struct portal *base, const id *group, id **ids_out, size_t *count_out)
{
    struct package_reader *p = read_of(base);
    bool other = group && !id_eq(*group, p->summary.group);
    *count_out = other ? 0 : p->summary.items;
    *ids_out = arena_array(ctx->arena, id, *count_out);
    memcpy(*ids_out, p->ids, *count_out * sizeof **ids_out);
    return RC_OK;
}

static int read_compare_origin(const void *key, const void *element)
{
    return strcmp(((const id *)key)->text, ((const struct relationship *)element)->origin.text);
}

/* Relationships are in order of their origins. */
static void read_relationships_of(struct ctx *ctx, const struct package_reader *p, const id *item, struct portal_item *out)
{
    if (p->relationship_count == 0)
        return;
    struct relationship *end = p->relationships + p->relationship_count;
    struct relationship *first = bsearch(item, p->relationships, p->relationship_count, sizeof *first, read_compare_origin);
    if (!first)
        return;
    while (first > p->relationships && id_eq(first[-1].origin, *item))
        first--;
    size_t count = 0;
    while (first + count < end && id_eq(first[count].origin, *item))
        count++;
    out->relationships = arena_array(ctx->arena, struct relationship, count);
    memcpy(out->relationships, first, count * sizeof *first);
    out->relationship_count = count;
}

static int read_item_get(struct ctx *ctx, struct portal *base, const id *item, struct portal_item *out)
{
    struct package_reader *p = read_of(base);
    str text, name = names_item(ctx->arena, item, STR("item.json"));
    if (zip_find(p->zip, name, NULL) == SIZE_MAX)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "Item %s is not in the package.", item->text);
    TRY(read_text(ctx, p, name, ITEM_JSON_MAX, &text));
    TRY(item_json_parse(ctx, item, text, out));
    if (out->hosted)
        TRY(read_text(ctx, p, names_item(ctx->arena, item, STR("service.json")), DEFINITION_MAX, &out->definition));
    read_relationships_of(ctx, p, item, out);
    return RC_OK;
}

static int read_part_open(struct ctx *ctx, struct portal *base, const id *item, const struct item_part *part, struct reader **out)
{
    const char *what = arena_printf(ctx->arena, "\"%.*s\" of item %s", STR_FMT(part->name), item->text).p;
    return read_hash(ctx, read_of(base), &part->hash, part->size, what, out);
}

static int read_attachment_read(struct ctx *ctx, struct portal *base, const id *item, const struct portal_attachment *a,
                                struct reader **out)
{
    const char *what =
        arena_printf(ctx->arena, "attachment %lld of layer %d of item %s", (long long)a->id, a->layer, item->text).p;
    return read_hash(ctx, read_of(base), &a->hash, a->size, what, out);
}

static int read_attachments_open(struct ctx *ctx, struct portal *base, const id *item, struct attachment_source **out)
{
    struct package_reader *p = read_of(base);
    size_t index = zip_find(p->zip, names_item(ctx->arena, item, STR("attachments.ndjson")), NULL);
    *out = attachments_parse(index == SIZE_MAX ? reader_mem(STR("")) : read_member(p, index), item);
    return RC_OK;
}

static int read_layers_file(struct ctx *ctx, struct portal *base, const id *item, const char *path)
{
    struct package_reader *p = read_of(base);
    size_t index = zip_find(p->zip, names_item(ctx->arena, item, STR("layers.gpkg")), NULL);
    if (index == SIZE_MAX)
        return err_set(ctx, &ERR_CORRUPT, "The package has no layers of item %s.", item->text);
    int fd;
    TRY(file_create(ctx, path, &fd));
    struct writer *w = writer_fd(fd, true);
    CLEANUP(reader_cleanup) struct reader *r = read_member(p, index);
    int rc = stream_copy(ctx, r, w, NULL);
    writer_close(w);
    if (rc != RC_OK)
        file_remove(ctx, path);
    return rc;
}

static void read_forget_layers(struct package_reader *p)
{
    if (str_none(p->layers_path))
        return;
    struct ctx ctx;
    ctx_open(&ctx);
    file_remove(&ctx, p->layers_path.p); /* a temporary file: whoever cleans the folder finds it otherwise */
    ctx_close(&ctx);
    p->layers_path = STR_NONE;
}

static int read_rows_open(struct ctx *ctx, struct portal *base, const id *item, const struct service *def, const struct layer *l,
                          struct row_source **out)
{
    struct package_reader *p = read_of(base);
    if (!p->limits.rows_open || str_empty(p->limits.temp_dir))
        return err_set(ctx, &ERR_UNSUPPORTED, "The rows of a package cannot be read here.");
    if (str_none(p->layers_path) || !id_eq(p->layers_item, *item)) {
        read_forget_layers(p);
        str path = arena_printf(p->arena, "%.*s/layers-%s.gpkg", STR_FMT(p->limits.temp_dir), id_new().text);
        TRY(read_layers_file(ctx, base, item, path.p));
        p->layers_path = path;
        p->layers_item = *item;
    }
    return p->limits.rows_open(ctx, p->limits.rows_arg, p->layers_path, def, l, out);
}

static void read_close(struct portal *base)
{
    struct package_reader *p = read_of(base);
    read_forget_layers(p);
    zip_close(p->zip);
    mem_free(p->hashes);
    mem_free(p->by_hash);
    file_close(&p->fd);
    arena_close(p->arena);
    mem_free(p);
}

static const struct portal_ops package_reader_ops = {
    .name = "package",
    .verifies = true,
    .close = read_close,
    .info = read_info,
    .list = read_list,
    .item_get = read_item_get,
    .part_open = read_part_open,
    .rows_open = read_rows_open,
    .attachments_open = read_attachments_open,
    .attachment_read = read_attachment_read,
    .layers_file = read_layers_file,
};

/* ---- opening ---- */

/* Zip files that others made begin with another member; everything else does not begin like a zip file at all. */
static int read_refuse_foreign(struct ctx *ctx, const struct package_reader *p, uint64_t size)
{
    static const char first[] = PACKAGE_NAME;
    uint8_t head[30 + sizeof first - 1];
    size_t n = size < sizeof head ? (size_t)size : sizeof head;
    TRY(file_pread(ctx, p->fd, head, n, 0));
    if (n < 4 || memcmp(head, "PK", 2) != 0)
        return err_set(
            ctx, &ERR_UNSUPPORTED,
            "The file is not a mapferry package (not even a zip file); use \"mapferry save\" on the source portal to make one.");
    bool ours = n == sizeof head && memcmp(head, "PK\3\4", 4) == 0 && memcmp(head + 30, first, sizeof first - 1) == 0;
    return ours ? RC_OK
                : err_set(ctx, &ERR_UNSUPPORTED,
                          "The file is a zip file that another program made, not a mapferry package; use \"mapferry save\" on "
                          "the source portal to make one.");
}

static int read_package_json(struct ctx *ctx, struct package_reader *p)
{
    struct json v;
    str text;
    int64_t version;
    struct package_summary *s = &p->summary;
    size_t index = zip_find(p->zip, STR(PACKAGE_NAME), NULL);
    CLEANUP(reader_cleanup) struct reader *r = zip_member_open(p->zip, zip_at(p->zip, index));
    TRY(reader_read_all(ctx, r, ITEM_JSON_MAX, PACKAGE_NAME, &text));
    text = arena_str(p->arena, text);
    if (!json_try_parse(p->arena, text, &v) || !json_string_eq(json_get_c(v, "format"), STR(PACKAGE_FORMAT)) ||
        !json_int(json_get_c(v, "version"), &version))
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "package.json does not say \"" PACKAGE_FORMAT
                       "\": the file is not a mapferry package; use \"mapferry save\" on the "
                       "source portal to make one.");
    if (version > PACKAGE_VERSION)
        return err_set(ctx, &ERR_UNSUPPORTED,
                       "The package has format version %lld; this program reads up to %d. A later mapferry wrote it.",
                       (long long)version, PACKAGE_VERSION);
    struct json source = json_get_c(v, "source"), group = json_get_c(v, "group");
    s->format_version = json_string_or(json_get_c(v, "packageVersion"), p->arena, STR(""));
    json_int(json_get_c(v, "created"), &s->created);
    s->file_name = json_string_or(json_get_c(v, "fileName"), p->arena, STR(""));
    s->source = (struct portal_info){.https_url = json_string_or(json_get_c(source, "url"), p->arena, STR("")),
                                     .http_url = json_string_or(json_get_c(source, "httpUrl"), p->arena, STR("")),
                                     .server_url = json_string_or(json_get_c(source, "serverUrl"), p->arena, STR("")),
                                     .version = json_string_or(json_get_c(source, "version"), p->arena, STR("")),
                                     .portal_id = json_string_or(json_get_c(source, "portalId"), p->arena, STR("")),
                                     .is_portal = json_bool(json_get_c(source, "isPortal"), false)};
    s->group_title = json_string_or(json_get_c(group, "title"), p->arena, STR(""));
    id_parse(json_string_or(json_get_c(group, "id"), p->arena, STR("")), &s->group);
    return RC_OK;
}

/* ---- the manifest against the members ---- */

struct read_merge {
    struct package_reader *p;
    size_t rank; /* next member in name order */
};

static int read_merge_member(struct ctx *ctx, struct read_merge *m, const struct manifest_entry *e)
{
    struct zip *z = m->p->zip;
    if (m->rank < zip_count(z) && str_eq(zip_at(z, zip_ranked(z, m->rank))->name, STR(MANIFEST_NAME)))
        m->rank++;
    size_t index = m->rank < zip_count(z) ? zip_ranked(z, m->rank) : SIZE_MAX;
    if (index == SIZE_MAX || str_cmp(zip_at(z, index)->name, e->name) > 0)
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" of the manifest is missing.", STR_FMT(e->name));
    const struct zip_member *member = zip_at(z, index);
    if (!str_eq(member->name, e->name))
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" is not in the manifest.", STR_FMT(member->name));
    if (member->size != e->size)
        return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" does not have the size that the manifest names.", STR_FMT(e->name));
    m->p->hashes[index] = e->hash;
    m->rank++;
    return RC_OK;
}

static int read_merge_entry(struct ctx *ctx, void *arg, const struct manifest_entry *e)
{
    struct read_merge *m = arg;
    if (str_empty(e->same_as))
        return read_merge_member(ctx, m, e);
    size_t holder = zip_find(m->p->zip, e->same_as, NULL);
    if (holder == SIZE_MAX || zip_at(m->p->zip, holder)->size != e->size || zip_find(m->p->zip, e->name, NULL) != SIZE_MAX)
        return err_set(ctx, &ERR_CORRUPT, "\"%.*s\" of the manifest names bytes that the package does not have.",
                       STR_FMT(e->name));
    m->p->summary.aliases++;
    return RC_OK;
}

/* Second reading: the hash of a name without a member of its own is that of the member it names. */
static int read_check_alias(struct ctx *ctx, void *arg, const struct manifest_entry *e)
{
    struct package_reader *p = arg;
    if (str_empty(e->same_as) || hash_eq(p->hashes[zip_find(p->zip, e->same_as, NULL)], e->hash))
        return RC_OK;
    return err_set(ctx, &ERR_CORRUPT, "\"%.*s\" of the manifest names a member with other bytes.", STR_FMT(e->name));
}

static int read_compare_hash(const void *a, const void *b, void *arg)
{
    const struct hash *hashes = arg;
    return memcmp(hashes[*(const uint32_t *)a].bytes, hashes[*(const uint32_t *)b].bytes, HASH_SIZE);
}

/* The manifest cannot name its own hash; what it has is what later readings must find. */
static int read_hash_manifest(struct ctx *ctx, struct package_reader *p, size_t index)
{
    struct hash_state state;
    uint64_t count = 0;
    hash_start(&state);
    CLEANUP(reader_cleanup) struct reader *r = reader_hash(zip_member_open(p->zip, zip_at(p->zip, index)), &state, &count);
    uint8_t piece[4096];
    size_t got;
    do
        TRY(reader_read(ctx, r, piece, sizeof piece, &got));
    while (got > 0);
    p->hashes[index] = hash_finish(&state);
    return RC_OK;
}

static int read_manifest(struct ctx *ctx, struct package_reader *p)
{
    size_t count = zip_count(p->zip), index = zip_find(p->zip, STR(MANIFEST_NAME), NULL);
    struct read_merge merge = {.p = p};
    struct hash content;
    if (index != count - 1)
        return err_set(ctx, &ERR_CORRUPT, "The package has no manifest as its last member: it was never finished.");
    p->hashes = mem_alloc(count * sizeof *p->hashes);
    p->by_hash = mem_alloc(count * sizeof *p->by_hash);
    TRY(manifest_read(ctx, zip_member_open(p->zip, zip_at(p->zip, index)), read_merge_entry, &merge, &p->summary.content));
    for (; merge.rank < count; merge.rank++)
        if (zip_ranked(p->zip, merge.rank) != index)
            return err_set(ctx, &ERR_CORRUPT, "Member \"%.*s\" is not in the manifest.",
                           STR_FMT(zip_at(p->zip, zip_ranked(p->zip, merge.rank))->name));
    TRY(manifest_read(ctx, zip_member_open(p->zip, zip_at(p->zip, index)), read_check_alias, p, &content));
    for (uint32_t i = 0; i < count; i++) {
        p->by_hash[i] = i;
        p->summary.unpacked_bytes += zip_at(p->zip, i)->size;
    }
    TRY(read_hash_manifest(ctx, p, index));
    qsort_r(p->by_hash, count, sizeof *p->by_hash, read_compare_hash, p->hashes);
    p->summary.members = count;
    return RC_OK;
}

static void read_ids(struct package_reader *p)
{
    id found;
    size_t capacity = 0;
    for (size_t rank = 0; rank < zip_count(p->zip); rank++) {
        if (!names_is_item(zip_at(p->zip, zip_ranked(p->zip, rank))->name, &found))
            continue;
        p->ids = arena_grow(p->arena, p->ids, &capacity, p->summary.items + 1, sizeof *p->ids);
        p->ids[p->summary.items++] = found;
    }
}

static int read_relationships(struct ctx *ctx, struct package_reader *p)
{
    struct json v, r;
    str text;
    TRY(read_text(ctx, p, STR("relationships.json"), RELATIONSHIPS_MAX, &text));
    TRY(json_parse(ctx, text, &v));
    struct json list = json_get_c(v, "relationships");
    p->relationships = arena_array(p->arena, struct relationship, json_count(list));
    for (struct json_iter it = json_each(list); json_next(&it, NULL, &r); p->relationship_count++) {
        struct relationship *out = &p->relationships[p->relationship_count];
        out->type = arena_str(p->arena, json_string_or(json_get_c(r, "type"), ctx->arena, STR("")));
        if (!id_parse(json_string_or(json_get_c(r, "origin"), ctx->arena, STR("")), &out->origin) ||
            !id_parse(json_string_or(json_get_c(r, "destination"), ctx->arena, STR("")), &out->destination) ||
            (p->relationship_count > 0 && strcmp(out[-1].origin.text, out->origin.text) > 0))
            return err_set(ctx, &ERR_CORRUPT, "relationships.json is damaged.");
    }
    return RC_OK;
}

static int read_load(struct ctx *ctx, struct package_reader *p)
{
    uint64_t *size = &p->summary.file_bytes;
    struct zip_limits limits = {.max_members = p->limits.max_members, .max_member_bytes = p->limits.max_member_bytes};
    TRY(file_size(ctx, p->fd, size));
    TRY(read_refuse_foreign(ctx, p, *size));
    if (p->limits.max_package_bytes && *size > p->limits.max_package_bytes)
        return err_set(ctx, &ERR_LIMIT, "The package has %llu bytes; the limit is %llu.", (unsigned long long)*size,
                       (unsigned long long)p->limits.max_package_bytes);
    TRY(zip_open(ctx, p->fd, &limits, &p->zip));
    if (zip_count(p->zip) == 0 || !str_eq(zip_at(p->zip, 0)->name, STR(PACKAGE_NAME)))
        return err_set(ctx, &ERR_CORRUPT, "The package does not begin with package.json.");
    TRY(read_package_json(ctx, p));
    TRY(read_manifest(ctx, p));
    str again;
    TRY(read_text(ctx, p, STR(PACKAGE_NAME), ITEM_JSON_MAX, &again)); /* now with its hash */
    read_ids(p);
    return read_relationships(ctx, p);
}

struct package_limits package_limits_default(void)
{
    return (struct package_limits){
        .max_package_bytes = UINT64_C(5) << 30, .max_member_bytes = UINT64_C(1) << 30, .max_members = 1000000};
}

int package_open(struct ctx *ctx, int fd, const struct package_limits *limits, struct portal **out)
{
    struct package_reader *p = mem_new(struct package_reader);
    *p = (struct package_reader){.base.ops = &package_reader_ops, .arena = arena_open(), .fd = fd, .limits = *limits};
    p->limits.temp_dir = arena_str(p->arena, limits->temp_dir);
    struct arena_mark mark = arena_mark(ctx->arena);
    int rc = read_load(ctx, p);
    arena_release(ctx->arena, mark);
    if (rc != RC_OK) {
        read_close(&p->base);
        return rc;
    }
    *out = &p->base;
    return RC_OK;
}

int package_open_path(struct ctx *ctx, str path, const struct package_limits *limits, struct portal **out)
{
    int fd;
    TRY(file_open_read(ctx, arena_cstr(ctx->arena, path), &fd));
    return package_open(ctx, fd, limits, out);
}

/* ---- looking at it ---- */

void package_summary(const struct portal *p, struct package_summary *out) { *out = read_of_const(p)->summary; }

size_t package_member_count(const struct portal *p) { return zip_count(read_of_const(p)->zip); }

void package_member(const struct portal *base, size_t rank, struct package_member *out)
{
    const struct package_reader *p = read_of_const(base);
    size_t index = zip_ranked(p->zip, rank);
    const struct zip_member *m = zip_at(p->zip, index);
    *out = (struct package_member){
        .name = m->name, .size = m->size, .packed = m->packed, .stored = m->method == ZIP_STORED, .hash = p->hashes[index]};
}

const struct zip *read_zip(const struct portal *p) { return read_of_const(p)->zip; }

struct reader *read_member_open(const struct portal *p, size_t index) { return read_member(read_of_const(p), index); }

struct hash read_member_hash(const struct portal *p, size_t index) { return read_of_const(p)->hashes[index]; }

struct read_aliases {
    int (*visit)(struct ctx *ctx, void *arg, str name, str same_as);
    void *arg;
};

static int read_visit_alias(struct ctx *ctx, void *arg, const struct manifest_entry *e)
{
    struct read_aliases *a = arg;
    return str_empty(e->same_as) ? RC_OK : a->visit(ctx, a->arg, e->name, e->same_as);
}

int package_aliases_each(struct ctx *ctx, struct portal *base, int (*visit)(struct ctx *ctx, void *arg, str name, str same_as),
                         void *arg)
{
    struct package_reader *p = read_of(base);
    struct read_aliases a = {.visit = visit, .arg = arg};
    struct hash content;
    size_t index = zip_find(p->zip, STR(MANIFEST_NAME), NULL);
    return manifest_read(ctx, zip_member_open(p->zip, zip_at(p->zip, index)), read_visit_alias, &a, &content);
}
