/* analyze and generate: what a file holds, and its features as a collection (api.md 2.4, 2.5). */
#include "service/intake.h"
#include "model/errors.h"
#include "web/sharing/sharing.h"

enum { SECONDS_MAX = 120 }; /* of processor time, for a call that waits */

static void close_blob(struct blob_new **b) { blob_new_close(*b); }

/* The stem of a file's name. */
static str stem(str name)
{
    for (size_t i = name.n; i > 1; i--)
        if (name.p[i - 1] == '.')
            return str_sub(name, 0, i - 1);
    return name;
}

/* One of itemId, file and text; bytes of a text become a blob of their own. */
static int source_of(struct ctx *ctx, struct call *call, struct intake_wish *w, struct blob_new **made)
{
    const struct upload *file = call_file(call, "file");
    struct item_view view;
    str text = call_param(call, "text");
    bool has_item = call_id(call, "itemId", &w->item);
    if (has_item + (file != NULL) + !str_none(text) != 1)
        return err_set(ctx, &ERR_PARAMETER, "One of 'itemId', 'file' and 'text' is needed.");
    if (has_item) {
        TRY(item_get(ctx, call->site, &call->caller, &w->item, &view));
        w->name = view.item.field[ITEM_TITLE];
    } else if (file) {
        w->blob = file->blob;
        w->name = stem(file->filename);
    } else {
        TRY(blob_put(ctx, call->site->blobs, text, made));
        w->blob = *made;
        w->name = STR("layer");
    }
    return RC_OK;
}

typedef int intake_answer(struct ctx *ctx, struct intake *f, const struct intake_wish *w, struct json_out *o);

static int read_and_answer(struct ctx *ctx, struct call *call, const struct intake_wish *w, intake_answer *answer)
{
    CLEANUP(intake_close) struct intake f = {.copy = STR_NONE};
    TRY(jobs_wait_begin(ctx, call->web->jobs)); /* so many at a time */
    int rc = intake_open(ctx, call->site, &call->caller, w, &f);
    rc = rc != RC_OK ? rc : answer(ctx, &f, w, &call->out);
    jobs_wait_end(call->web->jobs);
    return rc;
}

static int target_of(struct ctx *ctx, struct json parameters, str file_type, int32_t *out)
{
    enum convert_format format;
    int64_t wkid;
    *out = convert_format_parse(file_type, &format) ? convert_format_target(format) : 0;
    struct json v = json_get_c(json_get_c(parameters, "targetSR"), "wkid");
    if (json_absent(v))
        return RC_OK;
    if (!json_int(v, &wkid) || wkid < 0 || wkid > INT32_MAX)
        return err_set(ctx, &ERR_PARAMETER, "'targetSR' has to be a spatial reference with a wkid.");
    *out = (int32_t)wkid;
    return RC_OK;
}

static int run(struct ctx *ctx, struct call *call, const char *parameters, intake_answer *answer)
{
    CLEANUP(close_blob) struct blob_new *made = NULL;
    struct intake_wish w = {.file_type = str_trim(call_param(call, "fileType")), .cpu_seconds_max = SECONDS_MAX};
    if (!access_content_add(&call->caller, call->caller.username))
        return err_kind(ctx, &ERR_FORBIDDEN);
    TRY(call_json(ctx, call, parameters, &w.parameters));
    if (!json_absent(w.parameters) && !json_is(w.parameters, JSON_OBJECT))
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be a JSON object.", parameters);
    TRY(source_of(ctx, call, &w, &made));
    TRY(target_of(ctx, w.parameters, w.file_type, &w.target_wkid));
    str name = str_trim(json_string_or(json_get_c(w.parameters, "name"), ctx->arena, STR("")));
    w.name = name.n ? name : w.name;
    return read_and_answer(ctx, call, &w, answer);
}

int intake_analyze_file(struct ctx *ctx, struct call *call) { return run(ctx, call, "analyzeParameters", intake_analyze); }

int intake_generate_features(struct ctx *ctx, struct call *call) { return run(ctx, call, "publishParameters", intake_generate); }
