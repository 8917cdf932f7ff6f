/* Any bytes through the JSON reader; what is JSON also through pointers, writer, reformatter and editor, which have to agree
 * with each other. A disagreement aborts. */
#include "codec/json/json.h"
#include "base/utf8.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 64 << 20, POINTERS_MAX = 32 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_scalar(struct ctx *ctx, struct json v)
{
    int64_t i;
    double d;
    if (json_int(v, &i))
        require(json_double(v, &d) && d == (double)i);
    if (json_is(v, JSON_STRING)) {
        str s = json_string(v, ctx->arena);
        require(json_string_eq(v, s) && s.n <= json_raw(v).n - 2);
    }
}

/* The pointer of v leads to v, or to a later member of the same name. */
static void check_pointer(struct ctx *ctx, struct json v)
{
    str pointer = json_pointer(v, ctx->arena);
    struct json back = json_at_pointer((struct json){.tape = v.tape, .node = 0}, pointer);
    if (!json_absent(back) && back.node == v.node)
        return;
    require(json_absent(back) || back.node > v.node);
}

/* Writes v again by the writer; `edit` gets a change at every value whose place says so. */
static void walk(struct ctx *ctx, struct json v, struct json_out *o, struct json_edit *edit, unsigned *pointers)
{
    check_scalar(ctx, v);
    if ((*pointers)++ < POINTERS_MAX)
        check_pointer(ctx, v);
    bool object = json_is(v, JSON_OBJECT);
    if (!object && !json_is(v, JSON_ARRAY)) {
        if (json_is(v, JSON_STRING))
            json_put_str(o, json_string(v, ctx->arena));
        else
            json_put_raw(o, json_raw(v));
        return;
    }
    struct json name, value;
    struct json_iter it = json_each(v);
    size_t count = 0;
    (object ? json_begin_object : json_begin_array)(o);
    while (json_next(&it, &name, &value)) {
        if (object)
            json_name_str(o, json_string(name, ctx->arena));
        size_t place = json_offset(value) * 7 + count++;
        bool container = json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT);
        if (object && place % 3 == 0)
            json_edit_remove_member(edit, v, name);
        else if (!container && place % 3 == 1)
            json_edit_string(edit, value, json_raw(value));
        walk(ctx, value, o, edit, pointers);
    }
    require(count == json_count(v));
    (object ? json_end_object : json_end_array)(o);
}

static void check_json(struct ctx *ctx, struct json root)
{
    CLEANUP(buf_free)
    struct buf written = BUF_INIT(OUT_MAX), compact = BUF_INIT(OUT_MAX), pretty = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
    struct json_out o;
    struct json_edit edit;
    struct json other = JSON_ABSENT;
    unsigned pointers = 0;
    json_out_buf(&o, ctx, &written);
    json_edit_begin(&edit, ctx, json_text(root));
    walk(ctx, root, &o, &edit, &pointers);
    require(json_out_end(&o, "written") == RC_OK && json_parse(ctx, buf_str(&written), &other) == RC_OK);
    require(json_count(other) == json_count(root) && json_type(other) == json_type(root));
    require(json_reformat(ctx, json_text(root), false, &compact) == RC_OK);
    require(json_reformat(ctx, json_text(root), true, &pretty) == RC_OK);
    require(json_reformat(ctx, buf_str(&pretty), false, &again) == RC_OK);
    require(str_eq(buf_str(&compact), buf_str(&again)));
    str edited;
    require(json_edit_apply(&edit, &edited) == RC_OK && json_parse(ctx, edited, &other) == RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx;
    struct json root;
    str text = str_of(data, size);
    ctx_open(&ctx);
    if (json_parse(&ctx, text, &root) == RC_OK) {
        check_json(&ctx, root);
    } else {
        require(err_is(&ctx, &ERR_INVALID) && !json_try_parse(ctx.arena, text, &root));
        err_clear(&ctx);
    }
    CLEANUP(buf_free) struct buf escaped = BUF_INIT(OUT_MAX);
    json_escape(&escaped, text);
    require(json_parse(&ctx, buf_str(&escaped), &root) == RC_OK);
    require(!utf8_valid(text) || json_string_eq(root, text));
    ctx_close(&ctx);
    return 0;
}
