/* See profile.h. */
#include "cli/profile.h"
#include "base/file.h"
#include "cli/command.h"
#include "codec/json/json.h"
#include <stdlib.h>

enum { PROFILE_MAX = 64 << 10 };

static int folder(struct ctx *ctx, str *out)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        *out = arena_printf(ctx->arena, "%s/mapferry", config);
    else if (home && home[0] == '/')
        *out = arena_printf(ctx->arena, "%s/.config/mapferry", home);
    else
        return err_set(ctx, &ERR_INVALID, "HOME is not set: where are the profiles?");
    return RC_OK;
}

static bool name_valid(str name)
{
    if (str_empty(name) || name.n > 64)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return true;
}

static int file_of(struct ctx *ctx, str name, str *out)
{
    str dir;
    TRY(folder(ctx, &dir));
    *out = arena_printf(ctx->arena, "%.*s/%.*s.json", STR_FMT(dir), STR_FMT(name));
    return RC_OK;
}

int profile_store(struct ctx *ctx, const struct profile *p)
{
    if (!name_valid(p->name))
        return err_set(ctx, &ERR_USAGE, "A profile's name has letters, digits, '-' and '_' only.");
    str dir, path;
    TRY(folder(ctx, &dir));
    TRY(dir_create(ctx, dir.p));
    TRY(file_of(ctx, p->name, &path));
    CLEANUP(buf_free) struct buf b = BUF_INIT(PROFILE_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    o.pretty = true;
    json_begin_object(&o);
    json_member_str(&o, "url", p->url);
    json_member_str(&o, "user", p->user);
    json_member_str(&o, "passwordFile", p->password_file);
    json_member_str(&o, "tokenFile", p->token_file);
    json_member_str(&o, "cert", p->cert);
    json_member_str(&o, "key", p->key);
    json_member_str(&o, "ca", p->ca);
    json_member_str(&o, "proxy", p->proxy);
    json_member_bool(&o, "insecure", p->insecure);
    json_end_object(&o);
    TRY(json_out_end(&o, "a profile"));
    return file_write_all(ctx, path.p, buf_str(&b), 0600);
}

int profile_load(struct ctx *ctx, str name, struct profile *out)
{
    if (!name_valid(name))
        return RC_NOT_FOUND;
    str path, text;
    struct json v;
    TRY(file_of(ctx, name, &path));
    if (!file_exists(path.p))
        return RC_NOT_FOUND;
    TRY(file_read_all(ctx, path.p, PROFILE_MAX, &text));
    int rc = json_parse(ctx, text, &v);
    if (rc != RC_OK)
        err_add(ctx, "profile file '%s'", path.p);
    TRY(rc);
    struct arena *a = ctx->arena;
    *out = (struct profile){.name = arena_str(a, name),
                            .url = json_string(json_get_c(v, "url"), a),
                            .user = json_string(json_get_c(v, "user"), a),
                            .password_file = json_string(json_get_c(v, "passwordFile"), a),
                            .token_file = json_string(json_get_c(v, "tokenFile"), a),
                            .cert = json_string_or(json_get_c(v, "cert"), a, STR("")),
                            .key = json_string_or(json_get_c(v, "key"), a, STR("")),
                            .ca = json_string(json_get_c(v, "ca"), a),
                            .proxy = json_string(json_get_c(v, "proxy"), a),
                            .insecure = json_bool(json_get_c(v, "insecure"), false)};
    return RC_OK;
}

int profile_remove(struct ctx *ctx, str name)
{
    str path;
    TRY(file_of(ctx, name, &path));
    if (!name_valid(name) || !file_exists(path.p))
        return RC_NOT_FOUND;
    return file_remove(ctx, path.p);
}

struct list {
    struct profile *profiles;
    size_t count, capacity;
};

static int list_visit(struct ctx *ctx, const char *file, void *arg)
{
    struct list *l = arg;
    str name = str_c(file);
    if (!str_ends(name, STR(".json")))
        return RC_OK;
    l->profiles = arena_grow(ctx->arena, l->profiles, &l->capacity, l->count + 1, sizeof *l->profiles);
    int rc = profile_load(ctx, str_sub(name, 0, name.n - 5), &l->profiles[l->count]);
    if (rc == RC_OK)
        l->count++;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int profile_list(struct ctx *ctx, struct profile **out, size_t *count_out)
{
    str dir;
    struct list l = {0};
    TRY(folder(ctx, &dir));
    if (file_exists(dir.p))
        TRY(dir_each(ctx, dir.p, list_visit, &l));
    *out = l.profiles;
    *count_out = l.count;
    return RC_OK;
}
