/* Files of others as the helper reads them: asks it, and checks what it answers. */
#include "convert/convert.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "convert/child.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEFINITION_MAX = 64 << 20, CPU_SECONDS = 3600 };
static const int64_t MEMORY_MAX = 1LL << 30;

/* Drivers look at the extension; the file itself is named by a hash. */
static const char *const FORMAT_EXTENSIONS[] = {
    [CONVERT_GEOPACKAGE] = "gpkg",
    [CONVERT_GEOJSON] = "geojson",
    [CONVERT_SHAPEFILE_ZIP] = "zip",
    [CONVERT_CSV] = "csv",
    [CONVERT_PACKAGE_LAYERS] = "gpkg",
    [CONVERT_EXCEL] = "xlsx",
    [CONVERT_KML] = "kml",
    [CONVERT_GPX] = "gpx",
    [CONVERT_FILE_GEODATABASE] = "zip",
    [CONVERT_FEATURE_COLLECTION] = "json",
};

static const struct {
    const char *file_type;
    enum convert_format format;
} FILE_TYPES[] = {
    {"geoPackage", CONVERT_GEOPACKAGE},
    {"geojson", CONVERT_GEOJSON},
    {"shapefile", CONVERT_SHAPEFILE_ZIP},
    {"csv", CONVERT_CSV},
    {"featureCollection", CONVERT_FEATURE_COLLECTION},
    {"excel", CONVERT_EXCEL},
    {"kml", CONVERT_KML},
    {"gpx", CONVERT_GPX},
    {"filegdb", CONVERT_FILE_GEODATABASE},
    {"fileGeodatabase", CONVERT_FILE_GEODATABASE},
};
enum { WEB_MERCATOR = 102100 };

bool convert_format_parse(str file_type, enum convert_format *out)
{
    for (size_t i = 0; i < COUNT_OF(FILE_TYPES); i++) {
        if (str_ieq(file_type, str_c(FILE_TYPES[i].file_type))) {
            *out = FILE_TYPES[i].format;
            return true;
        }
    }
    return false;
}

/* What the API gives tables. */
int32_t convert_format_target(enum convert_format format)
{
    return format == CONVERT_CSV || format == CONVERT_EXCEL ? WEB_MERCATOR : 0;
}

bool convert_format_has_ids(enum convert_format format)
{
    return format == CONVERT_GEOPACKAGE || format == CONVERT_PACKAGE_LAYERS || format == CONVERT_FILE_GEODATABASE;
}

struct convert {
    char *path, *name, *parameters;
    char *found; /* NULL before the definition */
    enum convert_format format;
    int32_t target_wkid;
    char *dir;             /* of the link; removed at the end */
    const char *extension; /* of the link: what drivers go by */
    struct child child;
};

struct convert_source {
    struct row_source base;
    struct convert *convert;
    const struct layer *layer;
    struct value *values;
    str batch; /* rows of the last frame that are still to come */
    int64_t count;
    bool ended;
};

/* The child, when it is not running: started, and the file open in it. */
static int start(struct ctx *ctx, struct convert *c)
{
    if (c->child.pid)
        return RC_OK;
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    str link = arena_printf(ctx->arena, "%s/input.%s", c->dir, c->extension);
    struct protocol_open in = {.format = (uint8_t)c->format,
                               .target_wkid = c->target_wkid,
                               .memory_max = c->child.memory_max,
                               .cpu_seconds_max = c->child.cpu_seconds_max,
                               .path = link,
                               .name = str_c(c->name),
                               .parameters = str_c(c->parameters)};
    protocol_put_open(&request, &in);
    TRY(child_start(ctx, &c->child));
    return child_ask(ctx, &c->child, &request, PROTOCOL_OPENED);
}

/* ---- opening and closing ---- */
static int make_link(struct ctx *ctx, struct convert *c)
{
    str dir;
    TRY(dir_temp(ctx, NULL, &dir));
    c->dir = mem_cstr(dir.p);
    CLEANUP(file_close) int fd = -1;
    TRY(file_open_read(ctx, c->path, &fd));
    char first[2] = {0};
    bool zipped = read(fd, first, sizeof first) == (ssize_t)sizeof first && first[0] == 'P' && first[1] == 'K';
    c->extension = zipped && c->format == CONVERT_KML ? "kmz" : FORMAT_EXTENSIONS[c->format];
    char *whole = realpath(c->path, NULL);
    str link = arena_printf(ctx->arena, "%s/input.%s", c->dir, c->extension);
    int failed = whole ? symlink(whole, link.p) : -1;
    int error = errno;
    free(whole);
    return failed ? err_errno(ctx, error, "linking to %s", c->path) : RC_OK;
}

int convert_open(struct ctx *ctx, const struct convert_options *options, struct convert **out)
{
    *out = NULL;
    struct convert *c = mem_new(struct convert);
    *c = (struct convert){.path = mem_cstr(options->path),
                          .name = mem_cstr(options->name ? options->name : "layer"),
                          .parameters = mem_cstr(options->parameters ? options->parameters : ""),
                          .format = options->format,
                          .target_wkid = options->target_wkid,
                          .child = {.program = mem_cstr(options->program),
                                    .doing = "read",
                                    .memory_max = options->memory_max ? options->memory_max : MEMORY_MAX,
                                    .cpu_seconds_max = options->cpu_seconds_max ? options->cpu_seconds_max : CPU_SECONDS,
                                    .ask_fd = -1,
                                    .answer_fd = -1,
                                    .frame = BUF_INIT(PROTOCOL_MAX)}};
    int rc = make_link(ctx, c);
    rc = rc != RC_OK ? rc : start(ctx, c);
    if (rc != RC_OK) {
        convert_close(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void convert_close(struct convert *c)
{
    if (!c)
        return;
    child_stop(&c->child);
    if (c->dir) {
        struct ctx ctx;
        ctx_open(&ctx);
        dir_remove_tree(&ctx, c->dir);
        ctx_close(&ctx);
    }
    buf_free(&c->child.frame);
    mem_free(c->dir);
    mem_free(c->child.program);
    mem_free(c->path);
    mem_free(c->name);
    mem_free(c->parameters);
    mem_free(c->found);
    mem_free(c);
}

int convert_definition(struct ctx *ctx, struct convert *c, str *json_out, str *messages_out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    struct service checked;
    struct json answer;
    TRY(start(ctx, c));
    protocol_begin(&request, PROTOCOL_DEFINITION);
    protocol_end(&request);
    TRY(child_ask(ctx, &c->child, &request, PROTOCOL_TEXT));
    if (c->child.frame.n > DEFINITION_MAX)
        return err_set(ctx, &ERR_LIMIT, "the file's definition is larger than %d bytes", DEFINITION_MAX);
    str text = arena_str(ctx->arena, buf_str(&c->child.frame));
    TRY(json_parse(ctx, text, &answer));
    *json_out = json_raw(json_get_c(answer, "definition"));
    *messages_out = json_raw(json_get_c(answer, "messages"));
    mem_free(c->found);
    c->found = mem_cstr(arena_cstr(ctx->arena, json_raw(json_get_c(answer, "parameters"))));
    TRY(service_parse(ctx, *json_out, &checked));
    if (checked.layer_count == 0)
        return err_set(ctx, &ERR_INVALID, "the file holds no layer");
    return RC_OK;
}

str convert_found(const struct convert *c) { return c->found ? str_c(c->found) : STR("{}"); }

/* ---- rows ---- */
static const struct {
    enum value_kind kind; /* what the field holds */
    int64_t least, most;  /* of integers */
} HOLDS[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_GLOBALID] = {VALUE_TEXT},
    [FIELD_GUID] = {VALUE_TEXT},
    [FIELD_STRING] = {VALUE_TEXT},
    [FIELD_INTEGER] = {VALUE_INT, INT32_MIN, INT32_MAX},
    [FIELD_SMALL_INTEGER] = {VALUE_INT, INT16_MIN, INT16_MAX},
    [FIELD_BIG_INTEGER] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DOUBLE] = {VALUE_DOUBLE},
    [FIELD_SINGLE] = {VALUE_DOUBLE},
    [FIELD_DATE] = {VALUE_INT, INT64_MIN, INT64_MAX},
    [FIELD_DATE_ONLY] = {VALUE_TEXT},
    [FIELD_TIME_ONLY] = {VALUE_TEXT},
    [FIELD_TIMESTAMP_OFFSET] = {VALUE_TEXT},
    [FIELD_BLOB] = {VALUE_BLOB},
    [FIELD_XML] = {VALUE_TEXT},
};

static bool is_ascii(str s)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < s.n; i++)
        seen |= (unsigned char)(s.p[i] - 1); /* NUL becomes 255 */
    return seen < 0x80;
}

/* NULL when the value fits, else what is wrong with it. */
static const char *misfit(const struct field *f, const struct value *v)
{
    char guid[GUID_SIZE + 1];
    if (v->kind == VALUE_NULL)
        return f->nullable || f->type == FIELD_OID ? NULL : "no value, though the field needs one";
    if (v->kind != HOLDS[f->type].kind)
        return "a value of another type";
    if (v->kind == VALUE_INT && (v->i < HOLDS[f->type].least || v->i > HOLDS[f->type].most))
        return "a number outside of the field's range";
    if (v->kind != VALUE_TEXT)
        return NULL;
    bool ascii = is_ascii(v->s);
    if (!ascii && !utf8_valid(v->s))
        return "a text that is not UTF-8";
    if (f->type == FIELD_STRING && f->length > 0 && v->s.n > (size_t)f->length &&
        (ascii ? v->s.n : utf8_length(v->s)) > (size_t)f->length)
        return "a text that is too long";
    if ((f->type == FIELD_GLOBALID || f->type == FIELD_GUID) && !guid_parse(v->s, guid))
        return "a text that is no GUID";
    return NULL;
}

static int next_row(struct ctx *ctx, struct row_source *base, struct row *out)
{
    struct convert_source *s = (struct convert_source *)base;
    const struct layer *l = s->layer;
    while (s->batch.n == 0) {
        uint8_t kind = PROTOCOL_END;
        if (!s->ended)
            TRY(child_receive(ctx, &s->convert->child, &kind));
        s->ended = kind == PROTOCOL_END;
        if (s->ended)
            return RC_END;
        if (kind != PROTOCOL_BATCH)
            return err_set(ctx, &ERR_INVALID, "mapferry-convert answered with a frame of kind %d", kind);
        s->batch = buf_str(&s->convert->child.frame);
    }
    if (!protocol_get_row(&s->batch, l->field_count, s->values, out))
        return err_set(ctx, &ERR_INVALID, "mapferry-convert sent a row that cannot be read");
    s->count++;
    for (size_t i = 0; i < l->field_count; i++) {
        const char *why = misfit(&l->fields[i], &s->values[i]);
        if (why)
            return err_set(ctx, &ERR_INVALID, "layer %.*s, row %lld, field %.*s: %s", STR_FMT(l->name), (long long)s->count,
                           STR_FMT(l->fields[i].name), why);
    }
    return RC_OK;
}

/* A child that has more to say is ended; the next question starts a new one. */
static void close_rows(struct row_source *base)
{
    struct convert_source *s = (struct convert_source *)base;
    if (!s->ended)
        child_stop(&s->convert->child);
    mem_free(s->values);
    mem_free(s);
}

int convert_rows(struct ctx *ctx, struct convert *c, const struct layer *l, struct row_source **out)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(PROTOCOL_MAX);
    *out = NULL;
    TRY(start(ctx, c));
    struct protocol_rows in = {.layer_id = l->id, .field_count = l->field_count, .fields = l->fields};
    protocol_put_rows(&request, &in);
    TRY(buf_check(&request, ctx, "the question to mapferry-convert"));
    TRY(child_send(ctx, &c->child, buf_str(&request)));
    struct convert_source *s = mem_new(struct convert_source);
    *s = (struct convert_source){.base = {.next = next_row, .close = close_rows}, .convert = c, .layer = l};
    s->values = mem_alloc(l->field_count * sizeof *s->values);
    *out = &s->base;
    return RC_OK;
}
