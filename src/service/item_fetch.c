/* Fetching content from addresses that clients name. See item_fetch.h; which addresses are allowed is net/http_client's
 * public_only.
 */
#include "service/item_fetch.h"
#include "base/clock.h"
#include "codec/multipart.h"
#include "codec/url.h"
#include "net/http_client.h"
#include "service/item_private.h"

enum { THUMBNAIL_MAX = 10 << 20, FILE_NAME_MAX = 255 };

/* ---- into a blob ---- */

struct blob_writer {
    struct writer base;
    struct blob_new *blob;
};

static int blob_writer_write(struct ctx *ctx, struct writer *w, const void *p, size_t n)
{
    return blob_write(ctx, ((struct blob_writer *)w)->blob, p, n);
}

struct fetch {
    const char *what; /* the parameter */
    str url;
    uint64_t max;
    struct blob_new **blob_out;
    str file_name, content_type;
};

/* The name that the other side gives, else the last piece of the path. */
static str name_of(struct ctx *ctx, str url, const struct http_answer *answer)
{
    struct url_parts parts;
    str name = multipart_attachment_name(ctx->arena, http_headers_get(&answer->headers, STR("Content-Disposition")));
    if (str_empty(name) && url_split(url, &parts)) {
        size_t begin = parts.path.n;
        while (begin > 0 && parts.path.p[begin - 1] != '/')
            begin--;
        name = url_decode(ctx->arena, str_sub(parts.path, begin, parts.path.n), false);
    }
    struct ctx child;
    ctx_child(&child, ctx);
    bool usable = name.n <= FILE_NAME_MAX && item_name_check(&child, "file", name) == RC_OK;
    ctx_close(&child);
    return usable ? name : STR("data");
}

static int fetch_bytes(struct ctx *ctx, struct site *s, struct fetch *f)
{
    struct blob_writer to = {.base.write = blob_writer_write};
    struct http_answer answer;
    TRY(blob_begin(ctx, s->blobs, f->max, NULL, &to.blob));
    *f->blob_out = to.blob;
    const struct http_call call = {.url = f->url, .method = HTTP_GET, .to = &to.base};
    TRY(http_client_call(ctx, s->fetcher, &call, &answer));
    TRY(http_client_expect(ctx, &call, &answer));
    TRY(blob_finish(ctx, to.blob));
    f->file_name = name_of(ctx, f->url, &answer);
    f->content_type = http_headers_get(&answer.headers, STR("Content-Type"));
    return RC_OK;
}

/* The cause, in the words of what was asked for. Time that ran out is the other side's doing; a request that was stopped is not.
 */
static int fetch_failed(struct ctx *ctx, const struct ctx *child, const struct fetch *f, int64_t seconds, int rc)
{
    if (ctx_check(ctx) != RC_OK)
        return RC_CANCELED;
    if (rc == RC_CANCELED)
        return err_set(ctx, &ERR_FETCH, "'%s': it took longer than %lld seconds.", f->what, (long long)seconds);
    return err_set(ctx, &ERR_FETCH, "'%s': %s", f->what, err_text(child));
}

static int fetch_run(struct ctx *ctx, struct site *s, struct fetch *f)
{
    struct ctx child;
    struct url_parts parts;
    f->url = str_trim(f->url);
    if (!url_split(f->url, &parts) || !str_none(parts.userinfo))
        return err_set(ctx, &ERR_PARAMETER, "'%s' has to be an http or https URL without a user name.", f->what);
    int64_t seconds = s->settings.fetch_seconds;
    ctx_child(&child, ctx);
    int64_t deadline = ctx->clock->monotonic_ms(ctx->clock) + seconds * 1000;
    if (!child.deadline_ms || deadline < child.deadline_ms)
        child.deadline_ms = deadline;
    int rc = fetch_bytes(&child, s, f);
    if (rc == RC_OK) {
        f->file_name = arena_str(ctx->arena, f->file_name);
        f->content_type = arena_str(ctx->arena, f->content_type);
    } else {
        rc = fetch_failed(ctx, &child, f, seconds, rc);
    }
    ctx_close(&child);
    return rc;
}

/* ---- for an item ---- */

void item_fetched_close(struct item_fetched *f)
{
    blob_new_close(f->data);
    blob_new_close(f->thumbnail);
}

bool item_fetch_needed(const struct item_input *in) { return !str_empty(in->data_url) || !str_empty(in->thumbnail_url); }

int item_fetch(struct ctx *ctx, struct site *s, struct item_input *in, struct item_fetched *out)
{
    struct fetch data = {.what = "dataUrl", .url = in->data_url, .max = (uint64_t)s->settings.upload_max, .blob_out = &out->data};
    struct fetch thumbnail = {
        .what = "thumbnailUrl", .url = in->thumbnail_url, .max = THUMBNAIL_MAX, .blob_out = &out->thumbnail};
    if (!str_empty(in->data_url)) {
        if (in->file || (in->has_text && !str_empty(in->text)))
            return err_set(ctx, &ERR_PARAMETER, "'dataUrl' cannot be given together with 'file' or 'text'.");
        TRY(fetch_run(ctx, s, &data));
        in->file = out->data;
        in->file_name = str_empty(in->file_name) ? data.file_name : in->file_name;
        in->file_content_type = data.content_type;
    }
    struct item_picture_input *small = &in->picture[ITEM_PICTURE_SMALL];
    if (!str_empty(in->thumbnail_url) && !small->blob) {
        TRY(fetch_run(ctx, s, &thumbnail));
        *small = (struct item_picture_input){.blob = out->thumbnail, .name = thumbnail.file_name};
    }
    return RC_OK;
}

/* ---- may they? ---- */

struct check_call {
    const struct caller *caller;
    str owner;
    const id *folder, *item;
};

static int add_check(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct check_call *call = arg;
    struct user owner;
    struct folder unused;
    TRY(content_owner_get(ctx, tx, call->caller, call->owner, &owner));
    TRY(service_require(ctx, call->caller, access_content_add(call->caller, owner.username)));
    return id_none(*call->folder) ? RC_OK : content_folder_get(ctx, tx, owner.username, call->folder, &unused);
}

int item_add_check(struct ctx *ctx, struct site *s, const struct caller *c, str owner, const id *folder)
{
    return sql_read(ctx, s->sql, add_check, &(struct check_call){.caller = c, .owner = owner, .folder = folder});
}

static int update_check(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct check_call *call = arg;
    struct item it;
    struct access_item facts;
    TRY(item_facts(ctx, tx, call->caller, call->item, &it, &facts));
    return service_require(ctx, call->caller, access_item_update(call->caller, &facts));
}

int item_update_check(struct ctx *ctx, struct site *s, const struct caller *c, const id *item)
{
    return sql_read(ctx, s->sql, update_check, &(struct check_call){.caller = c, .item = item});
}
