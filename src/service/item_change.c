/* What a client sends about an item, checked and brought into the form that is stored. Happens before the transaction: blobs are
 * made durable here, and become visible only through the rows that the transaction makes. */
#include "service/item_private.h"
#include "base/utf8.h"

const struct item_picture_row item_pictures[ITEM_PICTURE_COUNT] = {
    [ITEM_PICTURE_SMALL] = {"thumbnail", "thumbnail/", ITEM_THUMBNAIL},
    [ITEM_PICTURE_LARGE] = {"largeThumbnail", "largeThumbnail/", ITEM_LARGE_THUMBNAIL},
};

enum { LIST_ENTRIES_MAX = 1000, LIST_ENTRY_CHARS = 1000, NAME_CHARS = 255, URL_CHARS = 8000 };

/* ---- texts and names ---- */

int item_text_check(struct ctx *ctx, const char *what, str text, size_t max_chars)
{
    if (!utf8_valid(text))
        return err_set(ctx, &ERR_PARAMETER, "'%s' is not UTF-8 text.", what);
    if (text.n > max_chars && utf8_length(text) > max_chars)
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be at most %zu characters long.", what, max_chars);
    return RC_OK;
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

int item_name_check(struct ctx *ctx, const char *what, str name)
{
    TRY(item_text_check(ctx, what, name, NAME_CHARS));
    bool dots = str_eq(name, STR(".")) || str_eq(name, STR(".."));
    if (str_empty(name) || dots || has_control(name) || str_find_char(name, '/', 0) != SIZE_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'%s' is not a file name: %.*s", what, STR_FMT(str_sub(name, 0, 100)));
    return RC_OK;
}

/* ---- fields: each kind has its check, which gives the stored form; "" is unset ---- */

static size_t field_chars(const struct site *s, enum item_field f)
{
    static const struct {
        enum item_field field;
        size_t chars;
    } limits[] = {{ITEM_TITLE, 256}, {ITEM_TYPE, 100}, {ITEM_SNIPPET, 2048}, {ITEM_URL, URL_CHARS}};
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        if (limits[i].field == f)
            return limits[i].chars;
    return (size_t)s->settings.text_max;
}

static int list_check(struct ctx *ctx, const char *name, str *value)
{
    struct json list, entry;
    TRY(item_list_parse(ctx, *value, value));
    TRY(json_parse(ctx, *value, &list));
    size_t count = 0;
    struct json_iter it = json_each(list);
    while (json_next(&it, NULL, &entry)) {
        if (++count > LIST_ENTRIES_MAX)
            return err_set(ctx, &ERR_PARAMETER, "'%s' has more than %d entries.", name, LIST_ENTRIES_MAX);
        TRY(item_text_check(ctx, name, json_string(entry, ctx->arena), LIST_ENTRY_CHARS));
    }
    if (count == 0)
        *value = STR("");
    return RC_OK;
}

static int json_check(struct ctx *ctx, const char *name, str *value)
{
    struct json v;
    *value = str_trim(*value);
    if (str_empty(*value))
        return RC_OK;
    if (!json_try_parse(ctx->arena, *value, &v))
        return err_set(ctx, &ERR_PARAMETER, "'%s' is not JSON.", name);
    if (json_is(v, JSON_NULL))
        *value = STR("");
    return RC_OK;
}

static int extent_check(struct ctx *ctx, str *value)
{
    TRY(item_extent_parse(ctx, *value, value));
    if (str_eq(*value, STR("[]")))
        *value = STR("");
    return RC_OK;
}

static int url_check(struct ctx *ctx, const struct site *s, str *value)
{
    *value = str_trim(*value);
    if (str_empty(*value))
        return RC_OK;
    size_t scheme = str_istarts(*value, STR("https://")) ? 8 : str_istarts(*value, STR("http://")) ? 7 : 0;
    if (scheme == 0 || value->n == scheme || value->p[scheme] == '/' || has_control(*value))
        return err_set(ctx, &ERR_PARAMETER, "'url' has to be an http or https URL.");
    *value = site_url_reduce(ctx, s->server_url, *value);
    return RC_OK;
}

static int field_check(struct ctx *ctx, const struct site *s, enum item_field f, str *value)
{
    const struct item_field_row *row = &item_fields[f];
    TRY(item_text_check(ctx, row->name, *value, field_chars(s, f)));
    switch (row->kind) {
    case ITEM_KIND_LIST:
        return list_check(ctx, row->name, value);
    case ITEM_KIND_JSON:
        return json_check(ctx, row->name, value);
    case ITEM_KIND_EXTENT:
        return extent_check(ctx, value);
    case ITEM_KIND_TEXT:
        break;
    }
    if (f == ITEM_URL)
        return url_check(ctx, s, value);
    if (f == ITEM_TITLE || f == ITEM_TYPE)
        *value = str_trim(*value);
    return f == ITEM_NAME && !str_empty(*value) ? item_name_check(ctx, row->name, *value) : RC_OK;
}

/* An item always has these; an empty value means that nothing was given, whatever clearEmptyFields says. */
static bool is_essential(enum item_field f) { return f == ITEM_NAME || f == ITEM_TITLE || f == ITEM_TYPE; }

/* Such a field is set with its file only. */
static bool names_picture(enum item_field f)
{
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++)
        if (item_pictures[i].field == f)
            return true;
    return false;
}

static int fields_make(struct ctx *ctx, const struct site *s, const struct item_input *in, str out[ITEM_FIELD_COUNT])
{
    for (enum item_field f = 0; f < ITEM_FIELD_COUNT; f++) {
        str value = in->field[f];
        out[f] = STR_NONE;
        if (str_none(value) || names_picture(f))
            continue;
        TRY(field_check(ctx, s, f, &value));
        if (!str_empty(value))
            out[f] = value;
        else if (in->clear_empty && !is_essential(f))
            out[f] = STR("");
    }
    return RC_OK;
}

int item_fields_check(struct ctx *ctx, const struct site *s, const str field[ITEM_FIELD_COUNT])
{
    struct item_input in = {0};
    str unused[ITEM_FIELD_COUNT];
    memcpy(in.field, field, sizeof in.field);
    return fields_make(ctx, s, &in, unused);
}

/* ---- files ---- */

static struct item_part part_of(struct item_change *change, struct blob_new *blob, enum part_kind kind, str name,
                                str content_type, int64_t now)
{
    change->blobs[change->blob_count++] = blob;
    return (struct item_part){.kind = kind,
                              .name = name,
                              .hash = blob_new_hash(blob),
                              .size = (int64_t)blob_new_size(blob),
                              .content_type = str_none(content_type) ? STR("") : content_type,
                              .created = now,
                              .modified = now};
}

static str text_type(struct ctx *ctx, str text)
{
    struct json v;
    struct arena_mark mark = arena_mark(ctx->arena);
    bool is_json = json_try_parse(ctx->arena, text, &v);
    arena_release(ctx->arena, mark);
    return is_json ? STR("application/json") : STR("text/plain");
}

static int text_make(struct ctx *ctx, struct site *s, const struct item_input *in, struct item_change *out)
{
    if (str_empty(in->text)) {
        out->erase_text = in->clear_empty;
        return RC_OK;
    }
    if (in->text.n > (size_t)s->settings.text_max)
        return err_set(ctx, &ERR_LIMIT, "'text' has more than %lld bytes.", (long long)s->settings.text_max);
    TRY(item_text_check(ctx, "text", in->text, in->text.n));
    str type = text_type(ctx, in->text);
    if (!str_starts(type, STR("application/json")) &&
        json_too_deep(in->text)) /* stored, nothing could read it as what it is meant to be */
        return err_set(ctx, &ERR_PARAMETER, "'text' is JSON that is nested deeper than %d levels.", JSON_DEPTH_MAX);
    TRY(blob_put(ctx, s->blobs, in->text, &out->text));
    out->data = part_of(out, out->text, PART_DATA, STR(""), type, ctx_now(ctx));
    out->has_data = true;
    return RC_OK;
}

static int data_make(struct ctx *ctx, struct site *s, const struct item_input *in, struct item_change *out)
{
    if (in->file && in->has_text && !str_empty(in->text))
        return err_set(ctx, &ERR_PARAMETER, "'file' and 'text' cannot both be given.");
    if (!in->file)
        return in->has_text ? text_make(ctx, s, in, out) : RC_OK;
    TRY(item_name_check(ctx, "file", in->file_name));
    out->data = part_of(out, in->file, PART_DATA, in->file_name, in->file_content_type, ctx_now(ctx));
    out->has_data = true;
    return RC_OK;
}

static int info_make(struct ctx *ctx, const struct item_input *in, struct item_change *out)
{
    int64_t now = ctx_now(ctx);
    for (size_t i = 0; i < ITEM_PICTURE_COUNT; i++) {
        const struct item_picture_input *picture = &in->picture[i];
        if (!picture->blob)
            continue;
        str name = str_empty(picture->name) ? STR("thumbnail.png") : picture->name;
        TRY(item_name_check(ctx, item_pictures[i].name, name));
        str path = arena_printf(ctx->arena, "%s%.*s", item_pictures[i].folder, STR_FMT(name));
        out->picture[i] = part_of(out, picture->blob, PART_INFO, path, STR_NONE, now);
    }
    if (in->metadata)
        out->metadata = part_of(out, in->metadata, PART_INFO, STR("metadata/metadata.xml"), STR("text/xml"), now);
    return RC_OK;
}

/* ---- the rest ---- */

static int access_make(struct ctx *ctx, const struct item_input *in, struct item_change *out)
{
    if (str_empty(in->access))
        return RC_OK;
    if (!item_access_parse(in->access, &out->access))
        return err_set(ctx, &ERR_PARAMETER, "'access' has to be private, org or public.");
    out->has_access = out->access != ITEM_SHARED; /* what a private item of a group is printed with: comes back unchanged */
    return RC_OK;
}

static int relation_make(struct ctx *ctx, const struct item_input *in, struct item_change *out)
{
    bool has_origin = !id_none(in->origin), has_destination = !id_none(in->destination);
    if (has_origin && has_destination)
        return err_set(ctx, &ERR_RELATIONSHIP, "'originItemId' and 'destinationItemId' cannot both be given.");
    out->relation = has_origin ? RELATION_ORIGIN : has_destination ? RELATION_DESTINATION : RELATION_NONE;
    return RC_OK;
}

int item_change_make(struct ctx *ctx, struct site *s, const struct item_input *in, struct item_change *out)
{
    *out = (struct item_change){0};
    TRY(fields_make(ctx, s, in, out->field));
    TRY(access_make(ctx, in, out));
    out->comments = in->comments;
    TRY(item_credential_check(ctx, in));
    TRY(relation_make(ctx, in, out));
    TRY(info_make(ctx, in, out));
    TRY(data_make(ctx, s, in, out));
    return out->blob_count ? blob_sync(ctx, s->blobs, out->blobs, out->blob_count) : RC_OK;
}

void item_change_close(struct item_change *change) { blob_new_close(change->text); }
