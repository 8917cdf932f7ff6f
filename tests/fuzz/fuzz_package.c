/* The package reader: any bytes are opened, all items and members are read; nothing may crash, hang or take much memory. To get
 * behind the checksums the first byte may say that the bytes are the member texts of a package: the target then frames them as a
 * sound archive. */
#include "portal/package/package.h"
#include "base/file.h"
#include "codec/deflate.h"
#include "portal/package/manifest.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_reader(struct ctx *ctx, struct reader *r)
{
    uint8_t piece[4096];
    size_t got, total = 0;
    while (reader_read(ctx, r, piece, sizeof piece, &got) == RC_OK && got > 0 && total < (16u << 20))
        total += got;
    reader_close(r);
}

static void fuzz_item(struct ctx *ctx, struct portal *p, const id *item)
{
    struct portal_item full;
    struct attachment_source *list;
    struct portal_attachment a;
    struct reader *r;
    if (p->ops->item_get(ctx, p, item, &full) == RC_OK)
        for (size_t i = 0; i < full.part_count; i++)
            if (p->ops->part_open(ctx, p, item, &full.parts[i], &r) == RC_OK)
                fuzz_reader(ctx, r);
    err_clear(ctx);
    if (p->ops->attachments_open(ctx, p, item, &list) == RC_OK) {
        while (list->next(ctx, list, &a) == RC_OK)
            if (p->ops->attachment_read(ctx, p, item, &a, &r) == RC_OK)
                fuzz_reader(ctx, r);
        list->close(list);
    }
    err_clear(ctx);
}

static void fuzz_open(int fd)
{
    struct ctx ctx;
    struct portal *p;
    struct package_limits limits = {.max_member_bytes = 16 << 20, .max_members = 10000};
    id *ids;
    size_t count;
    ctx_open(&ctx);
    if (package_open(&ctx, fd, &limits, &p) == RC_OK) {
        if (p->ops->list(&ctx, p, NULL, &ids, &count) != RC_OK)
            abort();
        for (size_t i = 0; i < count; i++)
            fuzz_item(&ctx, p, &ids[i]);
        package_verify(&ctx, p, 1, NULL, NULL, NULL);
        portal_close(p);
    } else if (!ctx.err.kind) {
        abort();
    }
    ctx_close(&ctx);
}

/* Texts separated by '\0' become the members package.json, item.json, attachments.ndjson, relationships.json of one item; the
 * manifest is made sound. */
static void fuzz_frame(int fd, str texts)
{
    static const char *const names[] = {"package.json", "items/00000000000000000000000000000001/item.json",
                                        "items/00000000000000000000000000000001/attachments.ndjson", "relationships.json"};
    struct ctx ctx;
    struct pack *pack;
    struct hash content;
    str text = STR("");
    uint32_t entry;
    ctx_open(&ctx);
    pack_open(&(struct pack_options){.threads = 1}, &pack);
    pack_set_file(pack, fd);
    for (size_t i = 0; i <= COUNT_OF(names); i++) {
        bool last = i == COUNT_OF(names);
        if (!last && !str_split(&texts, '\0', &text))
            text = STR("{}");
        struct reader *r = last ? manifest_print(pack, &content) : reader_mem(text);
        struct pack_source source = {.name = str_c(last ? MANIFEST_NAME : names[i]), .reader = r, .size = -1};
        if (pack_add(&ctx, pack, &source, &entry) != RC_OK)
            abort();
        reader_close(r);
    }
    if (pack_end(&ctx, pack) != RC_OK)
        abort();
    pack_close(pack);
    ctx_close(&ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("package", MFD_CLOEXEC);
    if (fd < 0)
        abort();
    if (size > 0 && data[0] == 'T')
        fuzz_frame(fd, str_of(data + 1, size - 1));
    else if (write(fd, data, size) != (ssize_t)size)
        abort();
    fuzz_open(fd);
    return 0;
}
