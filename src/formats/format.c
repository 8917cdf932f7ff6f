/* The tables of formats and of what they cannot carry, and what writers share. */
#include "formats/format.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "model/errors.h"
#include "model/geometry/wkb.h"

static const struct file_format FORMATS[] = {
#define FORMAT(id_, name_, others_, type, type_many, extension_, extension_many_, traits_, open_)                                \
    {.id = id_,                                                                                                                  \
     .name = name_,                                                                                                              \
     .others = others_,                                                                                                          \
     .item_type = type,                                                                                                          \
     .item_type_many = type_many,                                                                                                \
     .extension = extension_,                                                                                                    \
     .extension_many = extension_many_,                                                                                          \
     .traits = traits_,                                                                                                          \
     .open = open_},
#define NO_FORMAT(name, others, why)
#include "formats/formats.def"
#undef FORMAT
#undef NO_FORMAT
};

static const struct {
    const char *name, *others, *why;
} REFUSED[] = {
#define FORMAT(id, name, others, type, type_many, extension, extension_many, traits, open)
#define NO_FORMAT(name, others, why) {name, others, why},
#include "formats/formats.def"
#undef FORMAT
#undef NO_FORMAT
};

static const char *const LOSSES[FORMAT_COUNT][FORMAT_SUBJECTS] = {
#define SUBJECT(id, title)
#define CARRY(format, subject, rule, message) [format][subject] = message,
#include "formats/carry.def"
#undef SUBJECT
#undef CARRY
};

static bool is_called(str name, const char *first, const char *others)
{
    str rest = str_c(others), piece;
    bool found = str_ieq(name, str_c(first));
    while (!found && str_split(&rest, ',', &piece))
        found = str_ieq(name, piece);
    return found;
}

int format_find(struct ctx *ctx, str name, const struct file_format **out)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(4096);
    for (size_t i = 0; i < COUNT_OF(FORMATS); i++) {
        *out = &FORMATS[i];
        if (is_called(name, FORMATS[i].name, FORMATS[i].others))
            return RC_OK;
        buf_printf(&list, "%s%s", i ? ", " : "", FORMATS[i].name);
    }
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++)
        if (is_called(name, REFUSED[i].name, REFUSED[i].others))
            return err_set(ctx, &ERR_PARAMETER, "'exportFormat' %s is not written: %s.", REFUSED[i].name, REFUSED[i].why);
    return err_set(ctx, &ERR_PARAMETER, "'exportFormat' '%.*s' is none of: %.*s.", STR_FMT(str_sub(name, 0, 100)),
                   STR_FMT(buf_str(&list)));
}

const char *format_loss(enum format_id format, enum format_subject subject) { return LOSSES[format][subject]; }

/* ---- names ---- */

/* At most so many bytes, between two characters. */
static str cut(str s, size_t most)
{
    size_t end = s.n < most ? s.n : most;
    while (end < s.n && end > 0 && ((unsigned char)s.p[end] & 0xc0) == 0x80)
        end--;
    return str_sub(s, 0, end);
}

static bool is_taken(struct ctx *ctx, const struct format_names *taken, str name)
{
    str folded = utf8_fold(ctx->arena, name);
    for (size_t i = 0; i < taken->count; i++)
        if (str_ieq(utf8_fold(ctx->arena, taken->list[i]), folded))
            return true;
    return false;
}

str format_name_unique(struct ctx *ctx, struct format_names *taken, str wanted, size_t most)
{
    char *plain = arena_cstr(ctx->arena, wanted);
    for (size_t i = 0; i < wanted.n; i++)
        if ((unsigned char)plain[i] < ' ' || plain[i] == 0x7f || strchr("/\\:*?\"<>|", plain[i]))
            plain[i] = '_';
    str base = str_trim(str_of(plain, wanted.n)), name;
    while (str_starts(base, STR("."))) /* neither hidden nor a folder */
        base = str_sub(base, 1, base.n);
    if (str_empty(base))
        base = STR("layer");
    name = cut(base, most);
    for (unsigned n = 1; is_taken(ctx, taken, name); n++) {
        str tail = arena_printf(ctx->arena, "_%u", n);
        name = arena_printf(ctx->arena, "%.*s%.*s", STR_FMT(cut(base, most - tail.n)), STR_FMT(tail));
    }
    taken->list = arena_grow(ctx->arena, taken->list, &taken->capacity, taken->count + 1, sizeof *taken->list);
    taken->list[taken->count++] = name;
    return name;
}

int format_flush(struct ctx *ctx, struct buf *b, size_t enough, struct writer *to)
{
    if (b->n < enough)
        return RC_OK;
    TRY(buf_check(b, ctx, "a row"));
    int rc = writer_write(ctx, to, buf_str(b));
    buf_clear(b);
    return rc;
}

str *format_json_names(struct ctx *ctx, const struct layer *l)
{
    str *names = arena_array(ctx->arena, str, l->field_count);
    CLEANUP(buf_free) struct buf b = BUF_INIT(FORMAT_BUFFER_MAX);
    for (size_t i = 0; i < l->field_count; i++) {
        buf_clear(&b);
        json_escape(&b, l->fields[i].name);
        names[i] = arena_str(ctx->arena, buf_str(&b));
    }
    return names;
}

int format_point_of(struct ctx *ctx, str wkb, struct format_point *out)
{
    struct wkb_reader r;
    struct wkb_sequence s;
    *out = (struct format_point){.xyz = {NAN, NAN, NAN}};
    if (str_none(wkb))
        return RC_OK;
    TRY(wkb_reader_open(ctx, wkb, &r));
    int rc = wkb_reader_next(ctx, &r, &s);
    if (rc != RC_OK)
        return rc == RC_END ? RC_OK : rc;
    for (size_t k = 0; k < 2U + r.form.has_z; k++)
        out->xyz[k] = wkb_coord(&s, k);
    out->has_m = r.form.has_m && !isnan(wkb_coord(&s, wkb_dims(&r.form) - 1));
    return RC_OK;
}
