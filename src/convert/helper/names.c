/* Names for fields and layers: what can stand in a where clause, in a table and in an answer, and is unique without regard to
 * case. */
#include "base/utf8.h"
#include "convert/helper/source.h"

enum { FIELD_NAME_MAX = 60, LAYER_NAME_MAX = 120 }; /* characters */

/* Signs and spaces beyond ASCII; all other characters there count as letters, whatever script they are of. */
static const struct {
    int32_t first, last;
} SIGNS[] = {
    {0x0080, 0x00A9}, {0x00AB, 0x00B4}, {0x00B6, 0x00B9}, {0x00BB, 0x00BF},   {0x00D7, 0x00D7},
    {0x00F7, 0x00F7}, {0x2000, 0x206F}, {0x2190, 0x2BFF}, {0x3000, 0x3004},   {0x3008, 0x3020},
    {0xD800, 0xF8FF}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFF0F},   {0xFF1A, 0xFF20},
    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},
};

/* Words of where clauses: a field of that name could not be asked for. */
static const char *const RESERVED[] = {
    "and",       "or",     "not",  "in", "like",   "between", "is",    "null",  "true",  "false", "date",     "time",
    "timestamp", "escape", "cast", "as", "select", "from",    "where", "order", "group", "by",    "interval", "shape",
};

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static bool is_letter(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
        if (c >= SIGNS[i].first && c <= SIGNS[i].last)
            return false;
    return true;
}

static bool is_reserved(str name)
{
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++)
        if (str_ieq(name, str_c(RESERVED[i])))
            return true;
    return false;
}

/* name, name_1, name_2 … */
static str make_unique(struct ctx *ctx, str name, bool (*taken)(const void *arg, str name), const void *arg)
{
    str candidate = name;
    for (unsigned i = 1; taken(arg, candidate); i++)
        candidate = arena_printf(ctx->arena, "%.*s_%u", STR_FMT(name), i);
    return candidate;
}

str source_field_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(SIZE_MAX / 4);
    char bytes[4];
    int32_t c;
    size_t at = 0;
    for (unsigned n = 0; n < FIELD_NAME_MAX && at < wanted.n; n++) {
        c = utf8_next(wanted, &at);
        bool keep = c >= 0 && (is_letter(c) || is_digit(c) || c == '_');
        if (b.n == 0 && (is_digit(c) || c == '_'))
            buf_add_char(&b, 'F');
        buf_add_bytes(&b, bytes, utf8_encode(keep ? (uint32_t)c : '_', bytes));
    }
    str name = arena_str(ctx->arena, buf_str(&b));
    if (name.n == 0 || name.p[0] == '_' || is_reserved(name))
        name = arena_printf(ctx->arena, "F%s%.*s", name.n && name.p[0] == '_' ? "" : "_", STR_FMT(name));
    return make_unique(ctx, name, taken, arg);
}

str source_layer_name(struct ctx *ctx, str wanted, bool (*taken)(const void *arg, str name), const void *arg)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(SIZE_MAX / 4);
    char bytes[4];
    size_t at = 0;
    wanted = str_trim(wanted);
    for (unsigned n = 0; n < LAYER_NAME_MAX && at < wanted.n; n++) {
        int32_t c = utf8_next(wanted, &at);
        buf_add_bytes(&b, bytes, utf8_encode(c < 0x20 ? '_' : (uint32_t)c, bytes));
    }
    str name = b.n ? arena_str(ctx->arena, buf_str(&b)) : STR("layer");
    return make_unique(ctx, name, taken, arg);
}
