/* A file that is written: created in a folder that alone may be written to, then layer after layer with its rows, then closed.
 * Batches of rows are not answered, so that both ends work at the same time; what went wrong with one is told in their stead. */
#include "convert/helper/target.h"
#include "convert/convert_write.h"
#include "convert/helper/frames.h"
#include "convert/helper/sandbox.h"
#include "convert/helper/source.h"
#include <cpl_error.h>

static const char *const DRIVERS[] = {[CONVERT_TO_GEODATABASE] = "OpenFileGDB", [CONVERT_TO_KML] = "KML"};

struct target {
    const char *driver;
    GDALDatasetH set;
    struct service def; /* of the open layer */
    struct target_layer layer;
    str path;
    struct buf names;
};

int target_fail(struct ctx *ctx, const char *doing)
{
    const char *said = CPLGetLastErrorMsg();
    return err_set(ctx, &ERR_INVALID, "%s", said && *said ? said : doing);
}

static int create(struct ctx *ctx, struct target *t, str payload, struct buf *b)
{
    struct protocol_create in;
    if (!protocol_get_create(payload, &in) || in.format >= COUNT_OF(DRIVERS))
        return err_set(ctx, &ERR_INVALID, "a question that cannot be read");
    t->path = arena_str(ctx->arena, in.path);
    t->driver = DRIVERS[in.format];
    source_prepare();
    TRY(sandbox_enter_writing(ctx, t->path.p, in.memory_max, in.cpu_seconds_max));
    GDALDriverH driver = GDALGetDriverByName(t->driver);
    if (!driver)
        return err_set(ctx, &ERR_UNSUPPORTED, "this system's GDAL has no driver %s", t->driver);
    str file = arena_printf(ctx->arena, "%.*s/%.*s", STR_FMT(t->path), STR_FMT(in.name));
    t->set = GDALCreate(driver, file.p, 0, 0, 0, GDT_Unknown, NULL);
    if (!t->set)
        return target_fail(ctx, "the file cannot be created");
    protocol_begin(b, PROTOCOL_OPENED);
    return RC_OK;
}

static int begin_layer(struct ctx *ctx, struct target *t, str payload, struct buf *b)
{
    str text = arena_str(ctx->arena, payload);
    TRY(service_parse(ctx, text, &t->def));
    if (t->def.layer_count != 1)
        return err_set(ctx, &ERR_INVALID, "one layer at a time");
    buf_clear(&t->names);
    TRY(target_layer_open(ctx, t->set, t->driver, &t->def.layers[0], &t->layer, &t->names));
    protocol_begin(b, PROTOCOL_TEXT);
    buf_add(b, buf_str(&t->names));
    return RC_OK;
}

static int end_layer(struct ctx *ctx, struct target *t, str payload, struct buf *b)
{
    (void)payload;
    CPLErrorReset();
    if (OGR_L_SyncToDisk(t->layer.ogr) != OGRERR_NONE)
        return target_fail(ctx, "the layer cannot be written");
    target_layer_close(&t->layer);
    protocol_begin(b, PROTOCOL_OPENED);
    return RC_OK;
}

/* Closing writes what is left, and says so only through the library's error. */
static int finish(struct ctx *ctx, struct target *t, str payload, struct buf *b)
{
    (void)payload;
    CPLErrorReset();
    GDALClose(t->set);
    t->set = NULL;
    if (CPLGetLastErrorType() >= CE_Failure)
        return target_fail(ctx, "the file cannot be closed");
    protocol_begin(b, PROTOCOL_OPENED);
    return RC_OK;
}

static const struct {
    enum protocol_kind kind;
    int (*answer)(struct ctx *ctx, struct target *t, str payload, struct buf *b);
} REQUESTS[] = {{PROTOCOL_LAYER, begin_layer}, {PROTOCOL_END, end_layer}, {PROTOCOL_FINISH, finish}};

static int answer(struct ctx *ctx, struct target *t, uint8_t kind, str payload, struct buf *b)
{
    bool rows = t->layer.ogr != NULL;
    if (t->set && (kind == PROTOCOL_END || kind == PROTOCOL_BATCH) != rows)
        return err_set(ctx, &ERR_INVALID, "a question at the wrong time");
    for (size_t i = 0; t->set && i < COUNT_OF(REQUESTS); i++)
        if (REQUESTS[i].kind == kind)
            return REQUESTS[i].answer(ctx, t, payload, b);
    return err_set(ctx, &ERR_INVALID, "a question of unknown kind");
}

void target_serve(struct ctx *ctx, str payload, struct buf *b)
{
    struct target t = {.names = BUF_INIT(1 << 20)};
    struct buf frame = BUF_INIT(PROTOCOL_MAX);
    uint8_t kind;
    bool going = create(ctx, &t, payload, b) == RC_OK && frame_send(b);
    while (going && frame_receive(&frame, &kind)) {
        if (kind == PROTOCOL_BATCH && t.layer.ogr)
            going = target_layer_rows(ctx, &t.layer, buf_str(&frame)) == RC_OK;
        else
            going = answer(ctx, &t, kind, buf_str(&frame), b) == RC_OK && frame_send(b);
    }
    if (ctx->err.kind)
        frame_send_error(ctx, b, arena_printf(ctx->arena, "%.*s/", STR_FMT(t.path)));
}
