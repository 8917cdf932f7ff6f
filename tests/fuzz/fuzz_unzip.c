/* Archives of others: any bytes are opened, all members are read; nothing may crash, hang or give more than the limits. */
#include "codec/unzip.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct unzip_limits limits = {.max_members = 1000, .max_bytes = 4 << 20};

static uint64_t fuzz_member(struct ctx *ctx, const struct unzip *z, const struct zip_member *m)
{
    uint8_t piece[4096];
    uint64_t total = 0;
    size_t got;
    struct reader *r = unzip_member_open(z, m);
    while (reader_read(ctx, r, piece, sizeof piece, &got) == RC_OK && got > 0)
        total += got;
    reader_close(r);
    if (total > m->size || !zip_name_valid(m->name))
        abort();
    err_clear(ctx);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx;
    struct unzip z;
    uint64_t total = 0;
    int fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    ctx_open(&ctx);
    if (unzip_open(&ctx, fd, &limits, &z) == RC_OK) {
        for (size_t i = 0; i < z.count; i++)
            total += fuzz_member(&ctx, &z, &z.members[i]);
        if (total > limits.max_bytes)
            abort();
    } else if (!ctx.err.kind) {
        abort();
    }
    ctx_close(&ctx);
    close(fd);
    return 0;
}
