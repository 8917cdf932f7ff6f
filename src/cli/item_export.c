/* `mapferry item export`: a hosted service's features as a file on this machine. The portal makes the file as an item, which is
 * fetched and, unless it was given a title, deleted again. */
#include "base/file.h"
#include "base/num.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/job.h"
#include "cli/output.h"
#include "cli/remote_file.h"
#include "cli/remote_find.h"
#include <stdio.h>

enum { PARAMETERS_MAX = 1 << 20 };

/* ---- exportParameters ---- */

static void put_fields(struct json_out *o, str csv)
{
    str rest = csv, piece;
    json_name(o, "outFields");
    json_begin_array(o);
    while (str_split(&rest, ',', &piece))
        json_put_str(o, str_trim(piece));
    json_end_array(o);
}

/* "ID" or "ID:WHERE" */
static int put_layer(struct ctx *ctx, struct json_out *o, const struct options *options, str word)
{
    size_t colon = str_find_char(word, ':', 0);
    int64_t layer;
    if (!num_parse_int(str_trim(str_sub(word, 0, colon)), &layer) || layer < 0)
        return err_set(ctx, &ERR_USAGE, "--layer '%.*s': a layer's id, and a where-clause behind a colon.", STR_FMT(word));
    json_begin_object(o);
    json_member_int(o, "id", layer);
    if (colon != SIZE_MAX)
        json_member_str(o, "where", str_sub(word, colon + 1, word.n));
    if (options_flag(options, "no-geometry"))
        json_member_bool(o, "includeGeometry", false);
    if (!str_none(options_get(options, "fields")))
        put_fields(o, options_get(options, "fields"));
    if (!str_none(options_get(options, "x-field")))
        json_member_str(o, "xColumnName", options_get(options, "x-field"));
    if (!str_none(options_get(options, "y-field")))
        json_member_str(o, "yColumnName", options_get(options, "y-field"));
    json_end_object(o);
    return RC_OK;
}

/* What says how layers are written stands with a layer. */
static int check_layers(struct ctx *ctx, const struct options *o)
{
    static const char *const of_layers[] = {"fields", "x-field", "y-field"};
    bool any = options_flag(o, "no-geometry");
    for (size_t i = 0; i < COUNT_OF(of_layers); i++)
        any = any || !str_none(options_get(o, of_layers[i]));
    if (any && options_list(o, "layer")->count == 0)
        return err_set(ctx, &ERR_USAGE,
                       "--fields, --no-geometry, --x-field and --y-field are about layers: name them with --layer.");
    any = any || options_list(o, "layer")->count || !str_none(options_get(o, "sr"));
    if (any && !str_none(options_get(o, "parameters")))
        return err_set(
            ctx, &ERR_USAGE,
            "--parameters says it all: it goes without --layer, --fields, --no-geometry, --x-field, --y-field and --sr.");
    return RC_OK;
}

static int print_parameters(struct ctx *ctx, const struct options *options, str *out)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(PARAMETERS_MAX);
    const struct options_value *layers = options_list(options, "layer");
    str sr = options_get(options, "sr");
    struct json_out o;
    int64_t wkid;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    if (layers->count) {
        json_name(&o, "layers");
        json_begin_array(&o);
        for (size_t i = 0; i < layers->count; i++)
            TRY(put_layer(ctx, &o, options, layers->values[i]));
        json_end_array(&o);
    }
    if (!str_none(sr) && (!num_parse_int(sr, &wkid) || wkid <= 0))
        return err_set(ctx, &ERR_USAGE, "--sr '%.*s' is no wkid.", STR_FMT(sr));
    if (!str_none(sr)) {
        json_name(&o, "targetSR");
        json_begin_object(&o);
        json_member_int(&o, "wkid", wkid);
        json_end_object(&o);
    }
    json_end_object(&o);
    TRY(json_out_end(&o, "the parameters"));
    *out = arena_str(ctx->arena, buf_str(&b));
    return RC_OK;
}

static int parameters_of(struct ctx *ctx, const struct options *o, str *out)
{
    str file = options_get(o, "parameters");
    struct json parsed;
    TRY(check_layers(ctx, o));
    if (str_none(file))
        return print_parameters(ctx, o, out);
    TRY(input_read(ctx, file, PARAMETERS_MAX, out));
    return json_parse(ctx, *out, &parsed);
}

/* ---- the export ---- */

struct exported {
    str item, content; /* the result, and whose content it is in */
};

static int start(struct ctx *ctx, struct remote *r, const struct options *o, str parameters, struct exported *out,
                 struct json *started)
{
    struct form form = remote_form();
    str title = options_get(o, "title");
    TRY(form_add(ctx, &form, STR("itemId"), o->words[1]));
    TRY(form_add(ctx, &form, STR("exportFormat"), options_get(o, "format")));
    TRY(form_add(ctx, &form, STR("exportParameters"), parameters));
    if (!str_none(title))
        TRY(form_add(ctx, &form, STR("title"), title));
    TRY(remote_content(ctx, r, &out->content));
    TRY(remote_call(ctx, r, true, arena_printf(ctx->arena, "%.*s/export", STR_FMT(out->content)), &form, started));
    out->item = remote_text(ctx, *started, "exportItemId");
    return RC_OK;
}

static int wait_for(struct ctx *ctx, struct remote *r, struct output *out, const struct exported *e, struct json started)
{
    struct form form = remote_form();
    struct json ended;
    TRY(form_add(ctx, &form, STR("jobId"), remote_text(ctx, started, "jobId")));
    TRY(form_add(ctx, &form, STR("jobType"), STR("export")));
    return remote_status_wait(
        ctx, r, out, arena_printf(ctx->arena, "%.*s/items/%.*s/status", STR_FMT(e->content), STR_FMT(e->item)), &form, &ended);
}

static int delete_result(struct ctx *ctx, struct remote *r, const struct exported *e)
{
    struct json answer;
    return remote_call(ctx, r, true, arena_printf(ctx->arena, "%.*s/items/%.*s/delete", STR_FMT(e->content), STR_FMT(e->item)),
                       NULL, &answer);
}

static int fetch(struct ctx *ctx, struct remote *r, struct output *out, const struct options *o, const struct exported *e)
{
    uint64_t bytes;
    str file = options_get(o, "o"), path = arena_printf(ctx->arena, "/content/items/%.*s/data", STR_FMT(e->item));
    int rc = remote_download(ctx, r, out, path, arena_cstr(ctx->arena, file), &bytes);
    output_end(out);
    if (rc == RC_OK)
        output_event(ctx, out, "data", "%.*s: %.*s", STR_FMT(file), STR_FMT(output_bytes(ctx, (int64_t)bytes)));
    if (!str_none(options_get(o, "title")))
        return rc;
    if (rc == RC_OK)
        return delete_result(ctx, r, e);
    struct ctx own = remote_aftermath(ctx);
    (void)delete_result(&own, r, e); /* the download's error is what is told */
    ctx_close(&own);
    return rc;
}

int cli_item_export(struct ctx *ctx, const struct options *o, int *exit_out)
{
    (void)exit_out;
    str file = options_get(o, "o"), parameters;
    if (str_none(file) || str_none(options_get(o, "format")))
        return err_set(ctx, &ERR_USAGE, "--format FORMAT says what to write, -o FILE where to; -o - is standard output.");
    if (o->json && str_eq(file, STR("-")))
        return err_set(ctx, &ERR_USAGE, "Standard output is either the data or JSON lines.");
    TRY(parameters_of(ctx, o, &parameters));
    struct output out;
    output_open(&out, o->json);
    CLEANUP(remote_close) struct remote r = {0};
    struct exported e;
    struct json started;
    TRY(remote_open(ctx, o->words[0], &r));
    TRY(start(ctx, &r, o, parameters, &e, &started));
    TRY(wait_for(ctx, &r, &out, &e, started));
    TRY(fetch(ctx, &r, &out, o, &e));
    output_result(ctx, &out, json_raw(started));
    return RC_OK;
}
