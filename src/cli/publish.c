/* `mapferry publish PORTAL FILE`: adds the file as an item and publishes it as a hosted feature service. */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "codec/url.h"
#include <stdio.h>
#include <time.h>

static const struct {
    const char *ending, *type, *file_type;
} publish_types[] = {
    {".gpkg", "GeoPackage", "geoPackage"}, {".geojson", "GeoJson", "geojson"}, {".zip", "Shapefile", "shapefile"}};

enum { STATUS_PAUSE_MS = 200 };

static int wait_published(struct ctx *ctx, struct remote *r, str user, str item, str job)
{
    str path = arena_printf(ctx->arena, "/content/users/%.*s/items/%.*s/status", STR_FMT(user), STR_FMT(item));
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("jobId"), job));
    TRY(form_add(ctx, &form, STR("jobType"), STR("publish")));
    for (;;) {
        struct json answer;
        TRY(ctx_check(ctx));
        TRY(remote_call(ctx, r, true, path, &form, &answer));
        str status = json_string_or(json_get_c(answer, "status"), ctx->arena, STR(""));
        if (str_ieq(status, STR("completed")))
            return RC_OK;
        if (str_ieq(status, STR("failed")) || str_ieq(status, STR("cancelled")))
            return err_set(ctx, &ERR_REMOTE, "Publishing failed: %.*s",
                           STR_FMT(json_string_or(json_get_c(answer, "statusMessage"), ctx->arena, STR(""))));
        struct timespec t = {.tv_nsec = STATUS_PAUSE_MS * 1000000L};
        nanosleep(&t, NULL);
    }
}

static int publish(struct ctx *ctx, struct remote *r, const struct options *o, struct json *service_out)
{
    str file = o->words[1], base = file, user;
    for (size_t at; (at = str_find_char(base, '/', 0)) != SIZE_MAX;)
        base = str_sub(base, at + 1, base.n);
    size_t kind = 0;
    while (kind < COUNT_OF(publish_types) && !str_ends(base, str_c(publish_types[kind].ending)))
        kind++;
    if (kind == COUNT_OF(publish_types))
        return err_set(ctx, &ERR_USAGE, "'%.*s': a .gpkg, .geojson or zipped Shapefile can be published.", STR_FMT(file));
    str stem = str_sub(base, 0, base.n - strlen(publish_types[kind].ending));
    struct json self, added, published;
    TRY(remote_self(ctx, r, &user, &self));
    str content = arena_printf(ctx->arena, "/content/users/%.*s", STR_FMT(url_encoded(ctx->arena, user)));
    struct form form = remote_form();
    TRY(form_add(ctx, &form, STR("title"), stem));
    TRY(form_add(ctx, &form, STR("type"), str_c(publish_types[kind].type)));
    if (options_flag(o, "overwrite"))
        TRY(form_add(ctx, &form, STR("overwrite"), STR("true")));
    TRY(remote_upload(ctx, r, arena_printf(ctx->arena, "%.*s/addItem", STR_FMT(content)), &form, arena_cstr(ctx->arena, file),
                      base, &added));
    str item = json_string_or(json_get_c(added, "id"), ctx->arena, STR(""));
    form = remote_form();
    TRY(form_add(ctx, &form, STR("itemId"), item));
    TRY(form_add(ctx, &form, STR("fileType"), str_c(publish_types[kind].file_type)));
    CLEANUP(buf_free) struct buf b = BUF_INIT(64 << 10);
    struct json_out parameters;
    json_out_buf(&parameters, ctx, &b);
    json_begin_object(&parameters);
    json_member_str(&parameters, "name", str_none(options_get(o, "name")) ? stem : options_get(o, "name"));
    json_end_object(&parameters);
    TRY(form_add(ctx, &form, STR("publishParameters"), buf_str(&b)));
    if (options_flag(o, "overwrite"))
        TRY(form_add(ctx, &form, STR("overwrite"), STR("true")));
    TRY(remote_call(ctx, r, true, arena_printf(ctx->arena, "%.*s/publish", STR_FMT(content)), &form, &published));
    *service_out = json_at(json_get_c(published, "services"), 0);
    struct json error = json_get_c(*service_out, "error");
    if (!json_absent(error))
        return err_set(ctx, &ERR_REMOTE, "%.*s",
                       STR_FMT(json_string_or(json_get_c(error, "message"), ctx->arena, STR("Publishing failed."))));
    return wait_published(ctx, r, url_encoded(ctx->arena, user),
                          json_string_or(json_get_c(*service_out, "serviceItemId"), ctx->arena, STR("")),
                          json_string_or(json_get_c(*service_out, "jobId"), ctx->arena, STR("")));
}

int cli_publish(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    struct output out;
    output_open(ctx, &out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    TRY(remote_open(ctx, o->words[0], &r));
    struct json service;
    TRY(publish(ctx, &r, o, &service));
    if (!o->json)
        printf("%.*s\n", STR_FMT(json_string_or(json_get_c(service, "serviceurl"), ctx->arena, STR(""))));
    output_result(ctx, &out, json_raw(service));
    return RC_OK;
}
