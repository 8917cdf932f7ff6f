/* `mapferry publish PORTAL FILE`: adds the file as an item and publishes it as a hosted feature service. */
#include "cli/command.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/remote_file.h"
#include <stdio.h>
#include <time.h>

static const struct {
    const char *ending, *type, *file_type;
} publish_types[] = {
    {".gpkg", "GeoPackage", "geoPackage"},
    {".geojson", "GeoJson", "geojson"},
    {".csv", "CSV", "csv"},
    {".xlsx", "Microsoft Excel", "excel"},
    {".kml", "KML", "kml"},
    {".kmz", "KML", "kml"},
    {".gdb.zip", "File Geodatabase", "fileGeodatabase"},
    {".zip", "Shapefile", "shapefile"},
};

enum { STATUS_PAUSE_MS = 200 };

static int wait_published(struct ctx *ctx, struct remote *r, str content, str item, str job)
{
    str path = arena_printf(ctx->arena, "%.*s/items/%.*s/status", STR_FMT(content), STR_FMT(item));
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("jobId"), job));
    TRY(form_add(ctx, &form, STR("jobType"), STR("publish")));
    for (;;) {
        struct json answer;
        TRY(ctx_check(ctx));
        TRY(remote_call(ctx, r, true, path, &form, &answer));
        str status = remote_text(ctx, answer, "status");
        if (str_ieq(status, STR("completed")))
            return RC_OK;
        if (str_ieq(status, STR("failed")) || str_ieq(status, STR("cancelled")))
            return err_set(ctx, &ERR_REMOTE, "Publishing failed: %.*s", STR_FMT(remote_text(ctx, answer, "statusMessage")));
        struct timespec t = {.tv_nsec = STATUS_PAUSE_MS * 1000000L};
        nanosleep(&t, NULL);
    }
}

/* The file as an item of its type, replaced when it is there and --overwrite asks for it. */
static int add_file(struct ctx *ctx, struct remote *r, struct output *out, const struct options *o, size_t kind, str stem,
                    str *item_out)
{
    struct form form = remote_form();
    struct remote_put put = {.item = STR(""), .form = &form, .file = arena_cstr(ctx->arena, o->words[1])};
    put.name = remote_file_name(o->words[1]);
    TRY(remote_content(ctx, r, &put.content));
    TRY(form_add(ctx, &form, STR("title"), stem));
    TRY(form_add(ctx, &form, STR("type"), str_c(publish_types[kind].type)));
    if (options_flag(o, "overwrite"))
        TRY(form_add(ctx, &form, STR("overwrite"), STR("true")));
    output_event(ctx, out, "upload", "uploading %.*s", STR_FMT(o->words[1]));
    return remote_put(ctx, r, out, &put, item_out);
}

static int publish(struct ctx *ctx, struct remote *r, struct output *out, const struct options *o, struct json *service_out)
{
    str base = remote_file_name(o->words[1]), content, item;
    size_t kind = 0;
    while (kind < COUNT_OF(publish_types) && !str_ends(base, str_c(publish_types[kind].ending)))
        kind++;
    if (kind == COUNT_OF(publish_types))
        return err_set(
            ctx, &ERR_USAGE,
            "'%.*s': .gpkg, .geojson, .csv, .xlsx, .kml, .kmz, .gdb.zip and zipped Shapefiles (.zip) can be published.",
            STR_FMT(o->words[1]));
    str stem = str_sub(base, 0, base.n - strlen(publish_types[kind].ending));
    struct json published;
    TRY(input_check(ctx, o->words[1]));
    TRY(remote_open(ctx, o->words[0], r));
    TRY(remote_content(ctx, r, &content));
    TRY(add_file(ctx, r, out, o, kind, stem, &item));
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("itemId"), item));
    TRY(form_add(ctx, &form, STR("fileType"), str_c(publish_types[kind].file_type)));
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out parameters;
    json_out_buf(&parameters, ctx, &b);
    json_begin_object(&parameters);
    json_member_str(&parameters, "name", str_none(options_get(o, "name")) ? stem : options_get(o, "name"));
    json_end_object(&parameters);
    TRY(json_out_end(&parameters, "the parameters"));
    TRY(form_add(ctx, &form, STR("publishParameters"), buf_str(&b)));
    if (options_flag(o, "overwrite"))
        TRY(form_add(ctx, &form, STR("overwrite"), STR("true")));
    output_event(ctx, out, "publish", "publishing it as a service");
    TRY(remote_call(ctx, r, true, arena_printf(ctx->arena, "%.*s/publish", STR_FMT(content)), &form, &published));
    *service_out = json_at(json_get_c(published, "services"), 0);
    struct json error = json_get_c(*service_out, "error");
    if (!json_absent(error))
        return err_set(ctx, &ERR_REMOTE, "%.*s",
                       STR_FMT(json_string_or(json_get_c(error, "message"), ctx->arena, STR("Publishing failed."))));
    return wait_published(ctx, r, content, remote_text(ctx, *service_out, "serviceItemId"),
                          remote_text(ctx, *service_out, "jobId"));
}

int cli_publish(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    struct json service;
    TRY(publish(ctx, &r, &out, o, &service));
    if (!o->json)
        printf("%.*s\n", STR_FMT(output_plain(ctx, remote_text(ctx, service, "serviceurl"))));
    output_result(ctx, &out, json_raw(service));
    return RC_OK;
}
