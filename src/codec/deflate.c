/* Deflate by ISA-L's igzip, which compresses about as fast as a disk writes. */
#include "codec/deflate.h"
#include "base/mem.h"
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

/* A stored block without content: what a flush is, and a legal thing to have any number of. */
enum { EMPTY_BLOCK_SIZE = 5 };
static const uint8_t deflate_empty_block[EMPTY_BLOCK_SIZE] = {0x00, 0x00, 0x00, 0xff, 0xff};
static const uint8_t deflate_final_block[EMPTY_BLOCK_SIZE] = {0x01, 0x00, 0x00, 0xff, 0xff};

struct deflate {
    struct isal_zstream stream;
    uint8_t level_memory[ISAL_DEF_LVL1_LARGE];
};

struct deflate *deflate_open(void) { return mem_new(struct deflate); }

void deflate_close(struct deflate *d) { mem_free(d); }

/* Incompressible input becomes stored blocks of up to 65535 bytes with 5 bytes before each; the rest is for the flush and the
 * end. */
size_t deflate_bound(size_t n) { return n + n / 256 + 64; }

size_t deflate_chunk(struct deflate *d, const void *in, size_t n, bool last, void *out)
{
    uint8_t *at = out;
    if (n > 0) {
        struct isal_zstream *z = &d->stream;
        isal_deflate_stateless_init(z);
        z->level = 1;
        z->level_buf = d->level_memory;
        z->level_buf_size = sizeof d->level_memory;
        z->flush = FULL_FLUSH;
        z->next_in = (uint8_t *)(uintptr_t)in; /* the library only reads there */
        z->avail_in = (uint32_t)n;
        z->next_out = at;
        z->avail_out = (uint32_t)deflate_bound(n);
        isal_deflate_stateless(z); /* cannot fail: parameters are fixed and there is room for stored blocks */
        at += z->total_out;
    }
    for (; (size_t)(at - (uint8_t *)out) < n / DEFLATE_RATIO_MAX; at += EMPTY_BLOCK_SIZE)
        memcpy(at, deflate_empty_block, EMPTY_BLOCK_SIZE);
    if (last) {
        memcpy(at, deflate_final_block, EMPTY_BLOCK_SIZE);
        at += EMPTY_BLOCK_SIZE;
    }
    return (size_t)(at - (uint8_t *)out);
}

uint32_t deflate_crc32(uint32_t crc, const void *p, size_t n) { return n > 0 ? crc32_gzip_refl(crc, p, n) : crc; }

struct inflate {
    struct inflate_state state;
};

struct inflate *inflate_open(void)
{
    struct inflate *z = mem_resize(NULL, sizeof *z); /* tables and window, which need no zeros, are most of its 80 KiB */
    isal_inflate_init(&z->state);
    return z;
}

void inflate_close(struct inflate *z) { mem_free(z); }

int inflate_step(struct ctx *ctx, struct inflate *z, struct inflate_step *s)
{
    struct inflate_state *st = &z->state;
    uint32_t in_size = s->in_size > INT32_MAX ? INT32_MAX : (uint32_t)s->in_size;
    uint32_t out_size = s->out_size > INT32_MAX ? INT32_MAX : (uint32_t)s->out_size;
    st->next_in = (uint8_t *)(uintptr_t)s->in;
    st->avail_in = in_size;
    st->next_out = s->out;
    st->avail_out = out_size;
    int rc = isal_inflate(st);
    uint32_t taken = in_size - st->avail_in, given = out_size - st->avail_out;
    if (taken) /* nothing may be taken from nowhere, and given into it: no pointer to move then */
        s->in += taken;
    if (given)
        s->out += given;
    s->in_size -= taken;
    s->out_size -= given;
    s->end = st->block_state == ISAL_BLOCK_FINISH;
    if (rc < 0)
        return err_set(ctx, &ERR_CORRUPT, "The compressed data is malformed.");
    if (s->end) { /* whole bytes that were read ahead into the bit buffer were not used, be they of this input or an earlier one
                   */
        s->in_size += (size_t)st->read_in_length / 8;
        st->read_in_length = 0;
    }
    return RC_OK;
}
