/* A package being written: the portal that export migrates into. */
#include "base/file.h"
#include "base/mem.h"
#include "codec/json/json.h"
#include "model/errors.h"
#include "portal/package/attachments.h"
#include "portal/package/item_json.h"
#include "portal/package/journal.h"
#include "portal/package/manifest.h"
#include "portal/package/names.h"
#include "portal/package/package.h"
#include <fcntl.h>
#include <stdlib.h>

struct package_writer {
    struct portal base;
    struct arena *arena;
    struct package_options options;
    str layers_path;
    int fd;
    struct pack *pack;
    struct journal *journal;
    /* All items that were put, in id order. */
    id *items;
    size_t item_count, item_capacity;
    /* Items put since the last checkpoint. */
    id *fresh;
    size_t fresh_count, fresh_capacity;
    struct relationship *relationships;
    size_t relationship_count, relationship_capacity;
    size_t journaled_entries, journaled_relationships;
    bool finished;
    struct package_result result;
};

static struct package_writer *write_of(struct portal *p) { return (struct package_writer *)p; }

/* ---- what was put ---- */

static size_t write_item_place(const struct package_writer *w, const id *item)
{
    size_t low = 0, high = w->item_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(w->items[middle].text, item->text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool write_has_item(const struct package_writer *w, const id *item)
{
    size_t at = write_item_place(w, item);
    return at < w->item_count && id_eq(w->items[at], *item);
}

static void write_note_item(struct package_writer *w, const id *item)
{
    size_t at = write_item_place(w, item);
    w->items = arena_grow(w->arena, w->items, &w->item_capacity, w->item_count + 1, sizeof *w->items);
    memmove(&w->items[at + 1], &w->items[at], (w->item_count - at) * sizeof *w->items);
    w->items[at] = *item;
    w->item_count++;
}

static void write_note_relationship(struct package_writer *w, const struct relationship *r)
{
    w->relationships =
        arena_grow(w->arena, w->relationships, &w->relationship_capacity, w->relationship_count + 1, sizeof *w->relationships);
    w->relationships[w->relationship_count] = *r;
    w->relationships[w->relationship_count++].type = arena_str(w->arena, r->type);
}

/* ---- members ---- */

static int write_add_text(struct ctx *ctx, struct package_writer *w, str name, str text)
{
    uint32_t entry;
    CLEANUP(reader_cleanup) struct reader *reader = reader_mem(text);
    return pack_add(ctx, w->pack, &(struct pack_source){.name = name, .reader = reader, .size = (int64_t)text.n}, &entry);
}

/* An item on its way into the package. */
struct write_item {
    struct package_writer *w;
    const struct item_put *put;
    const id *item;
    uint64_t bytes;
};

static int write_count_bytes(struct ctx *ctx, struct write_item *wi, uint64_t bytes)
{
    uint64_t max = wi->w->options.max_item_bytes;
    wi->bytes += bytes;
    if (!max || wi->bytes <= max)
        return RC_OK;
    return err_set(ctx, &ERR_ITEM_SIZE, "Item %s (%.*s) has more than %llu bytes (setting export.maxItemBytes).", wi->item->text,
                   STR_FMT(wi->put->item->item.field[ITEM_TITLE]), (unsigned long long)max);
}

/* Gives bytes that the package has already a further name. */
static bool write_alias(struct package_writer *w, str name, const struct hash *hash)
{
    uint32_t holder = pack_find(w->pack, hash);
    if (holder == PACK_OWN)
        return false;
    pack_alias(w->pack, name, holder);
    return true;
}

static int write_add_reader(struct ctx *ctx, struct package_writer *w, str name, struct reader *reader,
                            const struct item_part *part)
{
    uint32_t entry;
    int rc = pack_add(
        ctx, w->pack,
        &(struct pack_source){.name = name, .reader = reader, .size = part->size, .expected = &part->hash, .shared = true},
        &entry);
    reader_close(reader);
    return rc;
}

/* The part as it is in the package: rewritten ones have the hash and size of their text. */
static int write_add_part(struct ctx *ctx, struct write_item *wi, const struct part_put *put, const struct item_part *part,
                          str name)
{
    struct reader *reader;
    TRY(write_count_bytes(ctx, wi, (uint64_t)part->size));
    if (write_alias(wi->w, name, &part->hash))
        return RC_OK;
    if (put->changed)
        reader = reader_mem(put->text);
    else
        TRY(wi->put->source->ops->part_open(ctx, wi->put->source, &wi->put->source_id, &put->part, &reader));
    return write_add_reader(ctx, wi->w, name, reader, part);
}

/* ---- hosted layers ---- */

static int write_add_layers_file(struct ctx *ctx, struct write_item *wi, const char *path)
{
    struct portal *source = wi->put->source;
    uint64_t size;
    uint32_t entry;
    CLEANUP(file_close) int fd = -1;
    TRY(source->ops->layers_file(ctx, source, &wi->put->source_id, path));
    TRY(file_open_read(ctx, path, &fd));
    TRY(file_size(ctx, fd, &size));
    TRY(write_count_bytes(ctx, wi, size));
    CLEANUP(reader_cleanup) struct reader *reader = reader_fd(fd, 0, size, false);
    str name = names_item(ctx->arena, wi->item, STR("layers.gpkg"));
    return pack_add(ctx, wi->w->pack, &(struct pack_source){.name = name, .reader = reader, .size = (int64_t)size}, &entry);
}

static int write_add_layers(struct ctx *ctx, struct write_item *wi)
{
    const char *path = wi->w->layers_path.p;
    if (!PORTAL_HAS(wi->put->source, layers_file))
        return err_set(ctx, &ERR_UNSUPPORTED, "The source cannot give the layers of item %s as a file.", wi->item->text);
    TRY(file_remove(ctx, path)); /* of a run that was killed */
    int rc = write_add_layers_file(ctx, wi, path);
    int removed = file_remove(ctx, path);
    return rc != RC_OK ? rc : removed;
}

static int write_add_attachment_bytes(struct ctx *ctx, struct write_item *wi, struct attachment_source *list)
{
    struct portal *source = wi->put->source;
    struct portal_attachment a;
    int rc;
    while ((rc = list->next(ctx, list, &a)) == RC_OK) {
        struct reader *reader;
        struct arena_mark mark = arena_mark(ctx->arena);
        str name = names_item(ctx->arena, wi->item, arena_printf(ctx->arena, "attachments/%d/%lld", a.layer, (long long)a.id));
        if (!write_alias(wi->w, name, &a.hash)) {
            TRY(source->ops->attachment_read(ctx, source, &wi->put->source_id, &a, &reader));
            TRY(write_add_reader(ctx, wi->w, name, reader, &(struct item_part){.hash = a.hash, .size = a.size}));
        }
        arena_release(ctx->arena, mark);
    }
    return rc == RC_END ? RC_OK : rc;
}

typedef int (*write_attachments_step)(struct ctx *ctx, struct write_item *wi, struct attachment_source *list);

static int write_add_attachment_list(struct ctx *ctx, struct write_item *wi, struct attachment_source *list)
{
    uint64_t bytes;
    uint32_t entry;
    CLEANUP(reader_cleanup) struct reader *reader = attachments_print(list, &bytes);
    str name = names_item(ctx->arena, wi->item, STR("attachments.ndjson"));
    TRY(pack_add(ctx, wi->w->pack, &(struct pack_source){.name = name, .reader = reader, .size = -1}, &entry));
    return write_count_bytes(ctx, wi, bytes);
}

/* The list is read twice: first what there is, then the bytes. */
static int write_add_attachments(struct ctx *ctx, struct write_item *wi)
{
    static const write_attachments_step steps[] = {write_add_attachment_list, write_add_attachment_bytes};
    struct portal *source = wi->put->source;
    for (size_t i = 0; PORTAL_HAS(source, attachments_open) && i < COUNT_OF(steps); i++) {
        struct attachment_source *list;
        TRY(source->ops->attachments_open(ctx, source, &wi->put->source_id, &list));
        int rc = steps[i](ctx, wi, list);
        list->close(list);
        TRY(rc);
    }
    return RC_OK;
}

static int write_add_service(struct ctx *ctx, struct write_item *wi)
{
    TRY(write_add_text(ctx, wi->w, names_item(ctx->arena, wi->item, STR("service.json")), wi->put->item->definition));
    TRY(write_add_layers(ctx, wi));
    return write_add_attachments(ctx, wi);
}

/* ---- items ---- */

static int write_add_item_json(struct ctx *ctx, struct write_item *wi, const struct item_json *in)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(ITEM_JSON_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &text);
    item_json_print(&o, in);
    TRY(json_out_end(&o, "item.json"));
    buf_add_char(&text, '\n');
    TRY(buf_check(&text, ctx, "item.json"));
    return write_add_text(ctx, wi->w, names_item(ctx->arena, wi->item, STR("item.json")), buf_str(&text));
}

static int write_add_item(struct ctx *ctx, struct write_item *wi)
{
    const struct item_put *put = wi->put;
    struct item_part *parts = arena_array(ctx->arena, struct item_part, put->part_count);
    str *files;
    for (size_t i = 0; i < put->part_count; i++)
        parts[i] = put->parts[i].part;
    TRY(names_of_parts(ctx, parts, put->part_count, &files));
    for (size_t i = 0; i < put->part_count; i++)
        TRY(write_add_part(ctx, wi, &put->parts[i], &parts[i], names_item(ctx->arena, wi->item, files[i])));
    if (put->item->hosted)
        TRY(write_add_service(ctx, wi));
    return write_add_item_json(
        ctx, wi, &(struct item_json){.item = put->item, .parts = parts, .files = files, .part_count = put->part_count});
}

static int write_item_put(struct ctx *ctx, struct portal *p, const struct item_put *put)
{
    struct package_writer *w = write_of(p);
    struct write_item wi = {.w = w, .put = put, .item = &put->item->item.id};
    if (w->finished || write_has_item(w, wi.item))
        return err_set(ctx, &ERR_INVALID, "Item %s is in the package already, or the package is finished.", wi.item->text);
    size_t before = pack_count(w->pack);
    struct arena_mark mark = arena_mark(ctx->arena);
    int rc = write_add_item(ctx, &wi);
    arena_release(ctx->arena, mark);
    if (rc != RC_OK) {
        pack_rollback(ctx, w->pack, before);
        return rc;
    }
    write_note_item(w, wi.item);
    w->fresh = arena_grow(w->arena, w->fresh, &w->fresh_capacity, w->fresh_count + 1, sizeof *w->fresh);
    w->fresh[w->fresh_count++] = *wi.item;
    for (size_t i = 0; i < put->item->relationship_count; i++)
        write_note_relationship(w, &put->item->relationships[i]);
    return RC_OK;
}

static int write_relationship_put(struct ctx *ctx, struct portal *p, const struct relationship *r)
{
    (void)ctx;
    write_note_relationship(write_of(p), r);
    return RC_OK;
}

static int write_was_put(struct ctx *ctx, struct portal *p, const id *item, bool *out)
{
    (void)ctx;
    *out = write_has_item(write_of(p), item);
    return RC_OK;
}

/* ---- checkpoints ---- */

/* The package file is durable; now the journal says so. */
static int write_journal(struct ctx *ctx, struct package_writer *w)
{
    for (; w->journaled_entries < pack_count(w->pack); w->journaled_entries++)
        TRY(journal_add(ctx, w->journal,
                        &(struct journal_record){.kind = JOURNAL_ENTRY, .entry = *pack_at(w->pack, w->journaled_entries)}));
    for (size_t i = 0; i < w->fresh_count; i++)
        TRY(journal_add(ctx, w->journal, &(struct journal_record){.kind = JOURNAL_ITEM, .item = w->fresh[i]}));
    for (; w->journaled_relationships < w->relationship_count; w->journaled_relationships++)
        TRY(journal_add(ctx, w->journal,
                        &(struct journal_record){.kind = JOURNAL_RELATIONSHIP,
                                                 .relationship = w->relationships[w->journaled_relationships]}));
    return journal_add(ctx, w->journal,
                       &(struct journal_record){.kind = JOURNAL_CHECKPOINT,
                                                .checkpoint = {.size = pack_size(w->pack),
                                                               .file = pack_hash(w->pack),
                                                               .finished = w->finished,
                                                               .content = w->result.content}});
}

static int write_checkpoint(struct ctx *ctx, struct portal *p, struct put_result **results_out, size_t *count_out)
{
    struct package_writer *w = write_of(p);
    TRY(pack_flush(ctx, w->pack));
    TRY(file_sync(ctx, w->fd));
    TRY(write_journal(ctx, w));
    *results_out = arena_array(ctx->arena, struct put_result, w->fresh_count);
    *count_out = w->fresh_count;
    for (size_t i = 0; i < w->fresh_count; i++)
        (*results_out)[i] = (struct put_result){.item = w->fresh[i], .ok = true, .reason = STR("")};
    w->fresh_count = 0;
    return RC_OK;
}

/* ---- finishing ---- */

static int write_relationship_compare(const void *a, const void *b)
{
    const struct relationship *x = a, *y = b;
    int order = strcmp(x->origin.text, y->origin.text);
    order = order ? order : strcmp(x->destination.text, y->destination.text);
    return order ? order : str_cmp(x->type, y->type);
}

/* relationships.json: those with both ends in the package, each once, in order. */
static int write_add_relationships(struct ctx *ctx, struct package_writer *w)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(ITEM_JSON_MAX);
    const struct relationship *last = NULL;
    buf_add(&text, STR("{\"relationships\":["));
    if (w->relationship_count > 0)
        qsort(w->relationships, w->relationship_count, sizeof *w->relationships, write_relationship_compare);
    for (size_t i = 0; i < w->relationship_count; i++) {
        const struct relationship *r = &w->relationships[i];
        if (!write_has_item(w, &r->origin) || !write_has_item(w, &r->destination) ||
            (last && write_relationship_compare(last, r) == 0))
            continue;
        buf_printf(&text, "%s{\"origin\":\"%s\",\"destination\":\"%s\",\"type\":", last ? ",\n" : "\n", r->origin.text,
                   r->destination.text);
        json_escape(&text, r->type);
        buf_add_char(&text, '}');
        last = r;
    }
    buf_add(&text, STR("\n]}\n"));
    TRY(buf_check(&text, ctx, "relationships.json"));
    return write_add_text(ctx, w, STR("relationships.json"), buf_str(&text));
}

static void write_count_result(struct package_writer *w)
{
    w->result.items = w->item_count;
    w->result.members = w->result.aliases = 0;
    for (size_t i = 0; i < pack_count(w->pack); i++)
        *(pack_at(w->pack, i)->same_as == PACK_OWN ? &w->result.members : &w->result.aliases) += 1;
    w->result.size = pack_size(w->pack);
    w->result.file = pack_hash(w->pack);
}

static int write_end(struct ctx *ctx, struct package_writer *w)
{
    uint32_t entry;
    TRY(write_add_relationships(ctx, w));
    CLEANUP(reader_cleanup) struct reader *manifest = manifest_print(w->pack, &w->result.content);
    TRY(pack_add(ctx, w->pack, &(struct pack_source){.name = STR(MANIFEST_NAME), .reader = manifest, .size = -1}, &entry));
    TRY(pack_end(ctx, w->pack));
    return file_sync(ctx, w->fd);
}

static int write_finish(struct ctx *ctx, struct portal *p)
{
    struct package_writer *w = write_of(p);
    struct put_result *results;
    size_t count;
    if (w->finished)
        return RC_OK;
    TRY(write_checkpoint(ctx, p, &results, &count));
    size_t before = pack_count(w->pack);
    int rc = write_end(ctx, w);
    if (rc != RC_OK) {
        pack_rollback(ctx, w->pack, before);
        return rc;
    }
    w->finished = true;
    TRY(write_journal(ctx, w));
    write_count_result(w);
    return RC_OK;
}

struct package_result package_result(const struct portal *p) { return ((const struct package_writer *)p)->result; }

/* ---- beginning and going on ---- */

static int write_info(struct ctx *ctx, struct portal *p, struct portal_info *out)
{
    (void)ctx;
    *out = (struct portal_info){.https_url = STR(""),
                                .http_url = STR(""),
                                .server_url = STR(""),
                                .portal_id = STR(""),
                                .version = write_of(p)->options.source.version};
    return RC_OK;
}

static void write_close(struct portal *p)
{
    struct package_writer *w = write_of(p);
    pack_close(w->pack);
    journal_close(w->journal);
    file_close(&w->fd);
    arena_close(w->arena);
    mem_free(w);
}

static const struct portal_ops package_writer_ops = {
    .name = "package",
    .close = write_close,
    .info = write_info,
    .was_put = write_was_put,
    .item_put = write_item_put,
    .relationship_put = write_relationship_put,
    .checkpoint = write_checkpoint,
    .finish = write_finish,
};

static int write_add_package_json(struct ctx *ctx, struct package_writer *w)
{
    const struct package_options *in = &w->options;
    CLEANUP(buf_free) struct buf text = BUF_INIT(ITEM_JSON_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &text);
    json_begin_object(&o);
    json_member_c(&o, "format", PACKAGE_FORMAT);
    json_member_int(&o, "version", PACKAGE_VERSION);
    json_member_c(&o, "packageVersion", "1.0");
    json_member_int(&o, "created", in->created);
    json_member_str(&o, "fileName", in->file_name);
    json_name(&o, "source");
    json_begin_object(&o);
    json_member_str(&o, "url", in->source.https_url);
    json_member_str(&o, "httpUrl", in->source.http_url);
    json_member_str(&o, "serverUrl", in->source.server_url);
    json_member_str(&o, "version", in->source.version);
    json_member_str(&o, "portalId", in->source.portal_id);
    json_member_bool(&o, "isPortal", in->source.is_portal);
    json_end_object(&o);
    if (!id_none(in->group)) {
        json_name(&o, "group");
        json_begin_object(&o);
        json_member_str(&o, "id", id_str(&in->group));
        json_member_str(&o, "title", in->group_title);
        json_end_object(&o);
    }
    json_end_object(&o);
    TRY(json_out_end(&o, PACKAGE_NAME));
    buf_add_char(&text, '\n');
    return write_add_text(ctx, w, STR(PACKAGE_NAME), buf_str(&text));
}

/* What the journal tells, collected until the file is open. */
struct write_restore {
    struct package_writer *w;
    struct journal_checkpoint last;
};

static int write_restore_record(struct ctx *ctx, void *arg, const struct journal_record *r)
{
    struct write_restore *restore = arg;
    struct package_writer *w = restore->w;
    (void)ctx;
    switch (r->kind) {
    case JOURNAL_ENTRY:
        pack_restore(w->pack, &r->entry);
        break;
    case JOURNAL_ITEM:
        write_note_item(w, &r->item);
        break;
    case JOURNAL_RELATIONSHIP:
        write_note_relationship(w, &r->relationship);
        break;
    case JOURNAL_CHECKPOINT:
        restore->last = r->checkpoint;
        break;
    }
    return RC_OK;
}

static int write_go_on(struct ctx *ctx, struct package_writer *w, const struct journal_checkpoint *last)
{
    w->journaled_entries = pack_count(w->pack);
    w->journaled_relationships = w->relationship_count;
    w->finished = last->finished;
    w->result.content = last->content;
    TRY(pack_restore_end(ctx, w->pack, last->size, &last->file));
    write_count_result(w);
    return RC_OK;
}

static int write_open_file(struct ctx *ctx, struct package_writer *w, bool resumed)
{
    if (!resumed) {
        TRY(file_remove(ctx, w->options.path.p)); /* begun, but never came to a checkpoint */
        return file_create(ctx, w->options.path.p, &w->fd);
    }
    w->fd = open(w->options.path.p, O_RDWR | O_CLOEXEC);
    return w->fd >= 0 ? RC_OK
                      : err_set(ctx, &ERR_CORRUPT, "The package \"%s\" is gone, but its journal is there.", w->options.path.p);
}

static int write_sync_dir(struct ctx *ctx, str path)
{
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/')
        n--;
    return file_sync_dir(ctx, n == 0 ? "." : arena_cstr(ctx->arena, str_sub(path, 0, n)));
}

static int write_begin(struct ctx *ctx, struct package_writer *w)
{
    const char *path = w->options.path.p, *journal_path = arena_printf(w->arena, "%s.journal", path).p;
    struct write_restore restore = {.w = w};
    bool resumed;
    if (file_exists(path) && !file_exists(journal_path))
        return err_set(ctx, &ERR_INVALID, "The file \"%s\" exists already.", path);
    struct pack_options pack = {.max_bytes = w->options.max_package_bytes, .threads = w->options.threads};
    pack_open(&pack, &w->pack);
    TRY(journal_open(ctx, journal_path, write_restore_record, &restore, &w->journal, &resumed));
    TRY(write_open_file(ctx, w, resumed));
    TRY(write_sync_dir(ctx, w->options.path));
    pack_set_file(w->pack, w->fd);
    return resumed ? write_go_on(ctx, w, &restore.last) : write_add_package_json(ctx, w);
}

int package_create(struct ctx *ctx, const struct package_options *options, struct portal **out)
{
    struct package_writer *w = mem_new(struct package_writer);
    *w = (struct package_writer){.base.ops = &package_writer_ops, .arena = arena_open(), .options = *options, .fd = -1};
    w->options.path = arena_str(w->arena, options->path);
    w->options.source.version = arena_str(w->arena, options->source.version);
    w->layers_path = arena_printf(w->arena, "%.*s.layers", STR_FMT(options->path));
    int rc = write_begin(ctx, w);
    if (rc != RC_OK) {
        write_close(&w->base);
        return rc;
    }
    *out = &w->base;
    return RC_OK;
}

int package_journal_remove(struct ctx *ctx, str path)
{
    return file_remove(ctx, arena_printf(ctx->arena, "%.*s.journal", STR_FMT(path)).p);
}
