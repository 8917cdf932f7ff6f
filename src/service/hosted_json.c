/* Merging members into JSON objects: see hosted_json.h. */
#include "service/hosted_json.h"

enum { TEXT_MAX = 256 << 20 };

static size_t find(const struct hosted_member *list, size_t count, struct json name)
{
    size_t i = 0;
    while (i < count && !json_string_eq(name, str_c(list[i].name)))
        i++;
    return i;
}

static void put_member(struct json_out *o, const struct hosted_member *m)
{
    if (str_none(m->raw))
        return;
    json_name_str(o, str_c(m->name)); /* names may come from clients */
    json_put_raw(o, m->raw);
}

void hosted_json_members(struct json_out *o, struct json object, const struct hosted_member *list, size_t count)
{
    struct json name, value;
    for (struct json_iter it = json_each(object); json_next(&it, &name, &value);) {
        size_t i = find(list, count, name);
        if (i < count && (list[i].replace || json_is(value, JSON_NULL)))
            continue;
        json_name_str(o, json_string(name, o->ctx->arena));
        json_put_raw(o, json_raw(value));
    }
    for (size_t i = 0; i < count; i++) {
        struct json there = json_get_c(object, list[i].name);
        if (list[i].replace || json_absent(there) || json_is(there, JSON_NULL))
            put_member(o, &list[i]);
    }
}

str hosted_json_object(struct ctx *ctx, struct json object, const struct hosted_member *list, size_t count)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o;
    json_out_buf(&o, ctx, &b);
    json_begin_object(&o);
    hosted_json_members(&o, object, list, count);
    json_end_object(&o);
    return arena_str(ctx->arena, buf_str(&b));
}

str hosted_json_string(struct ctx *ctx, str s)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    json_escape(&b, s);
    return arena_str(ctx->arena, buf_str(&b));
}
