/* Member names that every file system takes, made so that the same item gives the same names whatever else is in the package. */
#include "portal/package/names.h"
#include "base/buf.h"
#include "base/utf8.h"
#include <stdlib.h>

enum { NAME_MAX_BYTES = 240, NAME_CUT_BYTES = 200, NAME_HASH_DIGITS = 32 };

str names_item(struct arena *a, const id *item, str rest) { return arena_printf(a, "items/%s/%.*s", item->text, STR_FMT(rest)); }

bool names_is_item(str name, id *out)
{
    return name.n == 6 + ID_SIZE + 10 && str_starts(name, STR("items/")) && str_ends(name, STR("/item.json")) &&
           id_parse(str_sub(name, 6, 6 + ID_SIZE), out) && str_eq(id_str(out), str_sub(name, 6, 6 + ID_SIZE));
}

bool names_part_valid(enum part_kind kind, str name)
{
    if (str_empty(name))
        return kind == PART_DATA;
    if (!utf8_valid(name) || name.n > NAME_MAX_BYTES * 4)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    if (name.p[0] == '/' || str_find_char(name, '\\', 0) != SIZE_MAX)
        return false;
    str rest = name, piece;
    while (str_split(&rest, '/', &piece))
        if (str_empty(piece) || str_eq(piece, STR("..")) || str_eq(piece, STR(".")))
            return false;
    return true;
}

/* ---- encoding ---- */

static bool names_is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/* Is the byte at i one to encode? */
static bool names_unsafe(str s, size_t i, bool slashes, bool upper)
{
    unsigned char c = (unsigned char)s.p[i];
    bool starts = i == 0 || (slashes && s.p[i - 1] == '/');
    bool ends = i + 1 == s.n || (slashes && s.p[i + 1] == '/');
    if (c == '/')
        return !slashes || starts || ends;
    if ((c == '.' || c == ' ') && (starts || ends))
        return true;
    return c < 0x20 || c == 0x7f || strchr("\\:*?\"<>|%", c) != NULL || (upper && names_is_upper((char)c));
}

/* slashes: '/' separates folders and stays. upper: capital letters are encoded, too. */
static str names_encode(struct ctx *ctx, str name, bool slashes, bool upper)
{
    static const char digits[] = "0123456789ABCDEF";
    bool valid = utf8_valid(name);
    char *out = arena_alloc(ctx->arena, 3 * name.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (!names_unsafe(name, i, slashes, upper) && (valid || c < 0x80)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    if (n <= NAME_MAX_BYTES)
        return str_of(out, n);
    size_t cut = NAME_CUT_BYTES; /* never inside of a character or an escape: go back to a plain one */
    while (cut > 0 &&
           ((out[cut] & 0xc0) == 0x80 || out[cut - 1] == '%' || (cut > 1 && out[cut - 2] == '%') || out[cut - 1] == '/'))
        cut--;
    str hex = hash_hex_str(ctx->arena, hash_of(name));
    return arena_printf(ctx->arena, "%.*s%%~%.*s", (int)cut, out, NAME_HASH_DIGITS, hex.p);
}

/* Data without a name gets one from its content type. */
static str names_of_data(struct ctx *ctx, const struct item_part *part, bool upper)
{
    if (!str_empty(part->name))
        return names_encode(ctx, part->name, false, upper);
    if (str_istarts(part->content_type, STR("application/json")))
        return STR("data.json");
    return str_istarts(part->content_type, STR("text/")) ? STR("data.txt") : STR("data");
}

static str names_of_part(struct ctx *ctx, const struct item_part *part, bool upper)
{
    static const char *const folders[] = {[PART_DATA] = "data", [PART_INFO] = "info", [PART_RESOURCE] = "resources"};
    str file = part->kind == PART_DATA ? names_of_data(ctx, part, upper) : names_encode(ctx, part->name, true, upper);
    return arena_printf(ctx->arena, "%s/%.*s", folders[part->kind], STR_FMT(file));
}

static char names_fold(char c) { return names_is_upper(c) ? (char)(c + ('a' - 'A')) : c; }

static int names_compare_folded(str x, str y)
{
    for (size_t i = 0; i < x.n && i < y.n; i++)
        if (names_fold(x.p[i]) != names_fold(y.p[i]))
            return (unsigned char)names_fold(x.p[i]) < (unsigned char)names_fold(y.p[i]) ? -1 : 1;
    return (x.n > y.n) - (x.n < y.n);
}

/* Names that differ in case only stand together, equal ones side by side. */
static int names_compare(const void *a, const void *b, void *arg)
{
    const str *files = arg, x = files[*(const size_t *)a], y = files[*(const size_t *)b];
    int order = names_compare_folded(x, y);
    return order ? order : str_cmp(x, y);
}

int names_of_parts(struct ctx *ctx, const struct item_part *parts, size_t count, str **files_out)
{
    str *files = arena_array(ctx->arena, str, count);
    size_t *order = arena_array(ctx->arena, size_t, count);
    bool *clash = arena_array(ctx->arena, bool, count);
    for (size_t i = 0; i < count; i++) {
        files[i] = names_of_part(ctx, &parts[i], false);
        order[i] = i;
    }
    qsort_r(order, count, sizeof *order, names_compare, files);
    for (size_t i = 1; i < count; i++) {
        str before = files[order[i - 1]], name = files[order[i]];
        if (names_compare_folded(before, name) != 0)
            continue;
        if (str_eq(before, name))
            return err_set(ctx, &ERR_INVALID, "The item has \"%.*s\" twice.", STR_FMT(name));
        clash[order[i - 1]] = clash[order[i]] = true;
    }
    for (size_t i = 0; i < count; i++)
        if (clash[i])
            files[i] = names_of_part(ctx, &parts[i], true);
    *files_out = files;
    return RC_OK;
}
