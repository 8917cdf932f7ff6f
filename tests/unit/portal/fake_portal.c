#include "fake_portal.h"
#include "base/file.h"
#include <stdio.h>

enum { ITEMS = 5, PARTS_MAX = 8, ATTACHMENTS = 3 };

struct fake_item {
    struct portal_item item;
    struct item_part parts[PARTS_MAX];
    str bytes[PARTS_MAX];
};
struct fake_portal {
    struct portal base;
    struct fake_options options;
    struct fake_item items[ITEMS];
    struct portal_attachment attachments[ATTACHMENTS];
    str attachment_bytes[ATTACHMENTS];
};
struct fake_attachments {
    struct attachment_source base;
    struct fake_portal *portal;
    size_t next;
};

id fake_id(int n)
{
    id out;
    snprintf(out.text, sizeof out.text, "%032x", (unsigned)n);
    return out;
}

static void fake_close(struct portal *p) { (void)p; }

static int fake_info(struct ctx *ctx, struct portal *p, struct portal_info *out)
{
    (void)ctx, (void)p;
    *out = (struct portal_info){.https_url = STR("https://one.example/portal"),
                                .http_url = STR("http://one.example/portal"),
                                .server_url = STR("https://one.example/server"),
                                .version = STR("11.4"),
                                .portal_id = STR("p-1"),
                                .is_portal = true};
    return RC_OK;
}

static int fake_list(struct ctx *ctx, struct portal *p, const id *group, id **ids_out, size_t *count_out)
{
    (void)p, (void)group;
    *ids_out = arena_array(ctx->arena, id, ITEMS);
    for (int i = 0; i < ITEMS; i++)
        (*ids_out)[i] = fake_id(i + 1);
    *count_out = ITEMS;
    return RC_OK;
}

static struct fake_item *fake_find(struct portal *p, const id *item)
{
    struct fake_portal *fp = (struct fake_portal *)p;
    for (int i = 0; i < ITEMS; i++)
        if (id_eq(fp->items[i].item.item.id, *item))
            return &fp->items[i];
    return NULL;
}

static int fake_item_get(struct ctx *ctx, struct portal *p, const id *item, struct portal_item *out)
{
    struct fake_item *found = fake_find(p, item);
    if (!found)
        return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "no item");
    *out = found->item;
    return RC_OK;
}

static int fake_part_open(struct ctx *ctx, struct portal *p, const id *item, const struct item_part *part, struct reader **out)
{
    struct fake_portal *fp = (struct fake_portal *)p;
    struct fake_item *found = fake_find(p, item);
    for (size_t i = 0; i < found->item.part_count; i++)
        if (found->parts[i].kind == part->kind && str_eq(found->parts[i].name, part->name)) {
            bool broken = fp->options.break_part && str_eq(part->name, str_c(fp->options.break_part));
            *out = reader_mem(broken ? arena_printf(ctx->arena, "%.*s!", STR_FMT(found->bytes[i])) : found->bytes[i]);
            return RC_OK;
        }
    return err_set_rc(ctx, RC_NOT_FOUND, &ERR_MISSING, "no part");
}

static int fake_attachments_next(struct ctx *ctx, struct attachment_source *s, struct portal_attachment *out)
{
    struct fake_attachments *fa = (struct fake_attachments *)s;
    (void)ctx;
    if (fa->next == ATTACHMENTS)
        return RC_END;
    *out = fa->portal->attachments[fa->next++];
    return RC_OK;
}

static void fake_attachments_close(struct attachment_source *s) { (void)s; }

static int fake_attachments_open(struct ctx *ctx, struct portal *p, const id *item, struct attachment_source **out)
{
    struct fake_attachments *fa = arena_new(ctx->arena, struct fake_attachments);
    (void)item;
    *fa = (struct fake_attachments){.base = {fake_attachments_next, fake_attachments_close}, .portal = (struct fake_portal *)p};
    *out = &fa->base;
    return RC_OK;
}

static int fake_attachment_read(struct ctx *ctx, struct portal *p, const id *item, const struct portal_attachment *a,
                                struct reader **out)
{
    (void)ctx, (void)item;
    *out = reader_mem(((struct fake_portal *)p)->attachment_bytes[a->id - 1]);
    return RC_OK;
}

static int fake_layers_file(struct ctx *ctx, struct portal *p, const id *item, const char *path)
{
    struct fake_portal *fp = (struct fake_portal *)p;
    int fd;
    (void)item;
    TRY(file_create(ctx, path, &fd));
    int rc = file_write(ctx, fd, fp->options.layers.p, fp->options.layers.n);
    file_close(&fd);
    return rc;
}

static const struct portal_ops fake_ops = {
    .name = "fake",
    .close = fake_close,
    .info = fake_info,
    .list = fake_list,
    .item_get = fake_item_get,
    .part_open = fake_part_open,
    .attachments_open = fake_attachments_open,
    .attachment_read = fake_attachment_read,
    .layers_file = fake_layers_file,
};

static void fake_add_part(struct fake_item *it, enum part_kind kind, str name, str type, str bytes)
{
    size_t i = it->item.part_count++;
    it->bytes[i] = bytes;
    it->parts[i] =
        (struct item_part){.kind = kind, .name = name, .content_type = type, .hash = hash_of(bytes), .size = (int64_t)bytes.n};
    if (kind == PART_RESOURCE)
        it->parts[i].created = it->parts[i].modified = 1700000000000;
    if (kind == PART_DATA)
        it->item.item.size = (int64_t)bytes.n;
}

static str fake_bytes(struct ctx *ctx, size_t n, int kind)
{
    static const char words[] = "points lines polygons of the parks, ";
    uint64_t seed = 88172645463325252u + n;
    char *p = arena_alloc(ctx->arena, n + 1);
    for (size_t i = 0; kind != 0 && i < n; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        p[i] = kind == 1 ? (char)seed : words[(i + seed % 3) % (sizeof words - 1)];
    }
    return str_of(p, n);
}

static void fake_fill(struct ctx *ctx, struct fake_portal *fp)
{
    static const char *const titles[] = {"Parks of Åland \"north\"", "Parks", "Report", "Dashboard", "Empty"};
    static const char *const types[] = {"Web Map", "Feature Service", "PDF", "Dashboard", "Code Sample"};
    str png = STR("\x89PNG not really a picture");
    for (int i = 0; i < ITEMS; i++) {
        struct fake_item *it = &fp->items[i];
        it->item.item = (struct item){.id = fake_id(i + 1),
                                      .owner = STR("jane"),
                                      .created = 1600000000000 + i,
                                      .modified = 1650000000000 + i,
                                      .access = ITEM_ORG,
                                      .size = -1};
        it->item.item.field[ITEM_TITLE] = str_c(titles[i]);
        it->item.item.field[ITEM_TYPE] = str_c(types[i]);
        it->item.item.field[ITEM_TAGS] = STR("[\"a\",\"b, c\"]");
        it->item.parts = it->parts;
        it->item.service_name = it->item.definition = STR("");
    }
    fp->items[0].item.item.protected = true;
    fp->items[0].item.item.field[ITEM_EXTENT] = STR("[[-1.5,2],[3,4]]");
    fp->items[0].item.item.field[ITEM_PROPERTIES] = STR("{\"z\":1,\"a\":[null,1.50]}");
    fake_add_part(&fp->items[0], PART_DATA, STR(""), STR("application/json"),
                  arena_printf(ctx->arena, "{\"operationalLayers\":[{\"itemId\":\"%s\"}]}", fake_id(2).text));
    fake_add_part(&fp->items[0], PART_INFO, STR("thumbnail/ago_downloaded.png"), STR("image/png"), png);
    fake_add_part(&fp->items[0], PART_RESOURCE, STR("images/A.png"), STR("image/png"), png);
    fake_add_part(&fp->items[0], PART_RESOURCE, STR("images/a.png"), STR("image/png"), STR("another"));
    fp->items[0].item.relationships = arena_array(ctx->arena, struct relationship, 2);
    fp->items[0].item.relationships[0] = (struct relationship){fake_id(1), fake_id(2), STR("Map2Service")};
    fp->items[0].item.relationships[1] = (struct relationship){fake_id(1), fake_id(77), STR("Map2Area")};
    fp->items[0].item.relationship_count = 2;
    fp->items[1].item.hosted = true;
    fp->items[1].item.service_name = STR("Parks");
    fp->items[1].item.definition = STR("{\"layers\":[],\"tables\":[]}");
    fake_add_part(&fp->items[2], PART_DATA, STR("Größe: \"x\" 100%.pdf"), STR("application/pdf"), fake_bytes(ctx, 3000, 1));
    fake_add_part(&fp->items[2], PART_INFO, STR("thumbnail/t.png"), STR("image/png"), png);
    fake_add_part(
        &fp->items[3], PART_DATA, STR(""), STR("application/json"),
        arena_printf(ctx->arena, "{\"widgets\":[{\"webmap\":\"%s\"},\"%s\"]}", fake_id(1).text, fake_bytes(ctx, 5000, 2).p));
    fake_add_part(&fp->items[4], PART_DATA, STR("empty.txt"), STR("text/plain"), STR(""));
    if (fp->options.big) {
        fake_add_part(&fp->items[3], PART_RESOURCE, STR("text.json"), STR(""), fake_bytes(ctx, (3 << 20) + 17, 2));
        fake_add_part(&fp->items[3], PART_RESOURCE, STR("random.bin"), STR(""), fake_bytes(ctx, (2 << 20) + 5, 1));
        fake_add_part(&fp->items[3], PART_RESOURCE, STR("zeros.bin"), STR(""), fake_bytes(ctx, 4 << 20, 0));
        fake_add_part(&fp->items[3], PART_RESOURCE, STR("chunk.bin"), STR(""), fake_bytes(ctx, 1 << 20, 2));
    }
    for (int i = 0; i < ATTACHMENTS; i++) {
        str bytes = i == 1 ? STR("a picture") : i == 2 ? png : STR("a picture");
        fp->attachment_bytes[i] = bytes;
        fp->attachments[i] = (struct portal_attachment){.layer = i == 2 ? 7 : 0,
                                                        .id = i + 1,
                                                        .parent_oid = 10 + i,
                                                        .global_id = STR("{8A1C2E3F-0000-4000-8000-00000000000A}"),
                                                        .parent_global_id = STR(""),
                                                        .name = STR("p.jpg"),
                                                        .content_type = STR("image/jpeg"),
                                                        .keywords = STR(""),
                                                        .size = (int64_t)bytes.n,
                                                        .hash = hash_of(bytes)};
    }
}

struct portal *fake_portal_open(struct ctx *ctx, const struct fake_options *options)
{
    struct fake_portal *fp = arena_new(ctx->arena, struct fake_portal);
    fp->base.ops = &fake_ops;
    fp->options = *options;
    if (str_empty(fp->options.layers))
        fp->options.layers = STR("layer bytes");
    fake_fill(ctx, fp);
    return &fp->base;
}

static int fake_put(struct ctx *ctx, struct portal *source, struct portal *target, const id *item)
{
    struct portal_item it;
    TRY(source->ops->item_get(ctx, source, item, &it));
    struct part_put *parts = arena_array(ctx->arena, struct part_put, it.part_count);
    for (size_t i = 0; i < it.part_count; i++)
        parts[i] = (struct part_put){.part = it.parts[i]};
    struct item_put put = {.item = &it, .source = source, .source_id = *item, .part_count = it.part_count, .parts = parts};
    return target->ops->item_put(ctx, target, &put);
}

int fake_portal_copy(struct ctx *ctx, struct portal *source, struct portal *target, size_t every)
{
    struct put_result *results;
    size_t count, result_count;
    id *ids;
    TRY(source->ops->list(ctx, source, NULL, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        bool done;
        TRY(target->ops->was_put(ctx, target, &ids[i], &done));
        if (!done)
            TRY(fake_put(ctx, source, target, &ids[i]));
        if ((i + 1) % every == 0)
            TRY(target->ops->checkpoint(ctx, target, &results, &result_count));
    }
    return target->ops->finish(ctx, target);
}

struct package_options fake_package_options(str path)
{
    return (struct package_options){.path = path,
                                    .created = 1700000000000,
                                    .file_name = STR("Parks.epk"),
                                    .group = fake_id(99),
                                    .group_title = STR("Parks"),
                                    .threads = 2,
                                    .source = {.https_url = STR("https://one.example/portal"),
                                               .http_url = STR("http://one.example/portal"),
                                               .server_url = STR("https://one.example/server"),
                                               .version = STR("11.4"),
                                               .portal_id = STR("p-1"),
                                               .is_portal = true}};
}

int fake_package(struct ctx *ctx, struct portal *source, str path, size_t every, struct package_result *result_out)
{
    struct package_options options = fake_package_options(path);
    CLEANUP(portal_cleanup) struct portal *target = NULL;
    TRY(package_create(ctx, &options, &target));
    TRY(fake_portal_copy(ctx, source, target, every));
    *result_out = package_result(target);
    return RC_OK;
}
