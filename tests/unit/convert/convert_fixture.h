/* A folder of its own for files to convert, and what mapferry-convert says about a file as one text that tests compare. */
#ifndef MAPFERRY_TESTS_CONVERT_FIXTURE_H
#define MAPFERRY_TESTS_CONVERT_FIXTURE_H

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "convert/convert.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

/* The shadow memory of sanitizers is larger than any limit: limits on memory are off in such builds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#    else
enum { SANITIZED = 0 };
#    endif
#else
enum { SANITIZED = 0 };
#endif

struct fixture {
    struct ctx ctx;
    str dir;
    struct convert_options options; /* program set; tests add limits */
};

static inline int fixture_open(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    ctx_open(&f->ctx);
    assert_int_equal(dir_temp(&f->ctx, NULL, &f->dir), RC_OK);
    f->options.program = CONVERT_PROGRAM;
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;
    err_clear(&f->ctx);
    f->ctx.cancel = NULL;
    assert_int_equal(dir_remove_tree(&f->ctx, f->dir.p), RC_OK);
    ctx_close(&f->ctx);
    mem_free(f);
    return 0;
}

static inline const char *fixture_file(struct fixture *f, const char *name, str content)
{
    str path = arena_printf(f->ctx.arena, "%s/%s", f->dir.p, name);
    assert_int_equal(file_write_all(&f->ctx, path.p, content, 0600), RC_OK);
    return path.p;
}

static inline const char *sample(struct fixture *f, const char *name)
{
    return arena_printf(f->ctx.arena, "%s/%s", SAMPLES, name).p;
}

static inline struct convert *fixture_convert(struct fixture *f, enum convert_format format, const char *path)
{
    struct convert *c;
    struct convert_options o = f->options;
    o.format = format;
    o.path = path;
    if (convert_open(&f->ctx, &o, &c) != RC_OK)
        fail_msg("%s", err_text(&f->ctx));
    return c;
}

static inline struct service fixture_definition(struct fixture *f, struct convert *c, str *messages_out)
{
    struct service def;
    str text;
    if (convert_definition(&f->ctx, c, &text, messages_out) != RC_OK)
        fail_msg("%s", err_text(&f->ctx));
    assert_int_equal(service_parse(&f->ctx, text, &def), RC_OK);
    return def;
}

static inline void print_value(struct buf *b, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        buf_add_char(b, '-');
        break;
    case VALUE_INT:
        buf_add_int(b, v->i);
        break;
    case VALUE_DOUBLE:
        buf_printf(b, "%.17g", v->d);
        break;
    case VALUE_TEXT:
        buf_printf(b, "'%.*s'", STR_FMT(v->s));
        break;
    case VALUE_BLOB:
        buf_printf(b, "%zu bytes", v->s.n);
        break;
    }
}

static inline void print_layer_head(struct buf *b, const struct layer *l)
{
    buf_printf(b, "%d %.*s %s%s%s %d %d:", l->id, STR_FMT(l->name), l->is_table ? "table" : geometry_type_name(l->geometry) + 12,
               l->has_z ? " z" : "", l->has_m ? " m" : "", l->wkid, l->latest_wkid);
    for (size_t i = 0; i < l->field_count; i++) {
        const struct field *f = &l->fields[i];
        buf_printf(b, " %.*s=%s", STR_FMT(f->name), field_type_name(f->type) + 13);
        if (f->length)
            buf_printf(b, "(%d)", f->length);
    }
    buf_add_char(b, '\n');
}

/* One line a layer ("id name Geometry wkid latest: field=Type(length) ..."), and one a row ("oid: values; wkb as type code and
 * size"). */
static inline str fixture_dump(struct fixture *f, enum convert_format format, const char *path)
{
    struct ctx *ctx = &f->ctx;
    struct convert *c = fixture_convert(f, format, path);
    str messages;
    struct service def = fixture_definition(f, c, &messages);
    struct buf b = BUF_INIT(64 << 20);
    for (size_t i = 0; i < def.layer_count; i++) {
        struct row_source *rows;
        struct row row;
        int rc;
        print_layer_head(&b, &def.layers[i]);
        assert_int_equal(convert_rows(ctx, c, &def.layers[i], &rows), RC_OK);
        while ((rc = rows->next(ctx, rows, &row)) == RC_OK) {
            buf_printf(&b, "%lld:", (long long)row.oid);
            for (size_t k = 0; k < def.layers[i].field_count; k++) {
                if (k == def.layers[i].oid_field)
                    continue;
                buf_add_char(&b, ' ');
                print_value(&b, &row.values[k]);
            }
            if (!str_none(row.wkb)) {
                uint32_t code;
                memcpy(&code, row.wkb.p + 1, sizeof code);
                buf_printf(&b, "; %u/%zu", code, row.wkb.n);
            }
            buf_add_char(&b, '\n');
        }
        if (rc != RC_END)
            buf_printf(&b, "! %s\n", err_text(ctx));
        err_clear(ctx);
        rows->close(rows);
    }
    str text = arena_str(ctx->arena, buf_str(&b));
    buf_free(&b);
    convert_close(c);
    return text;
}

static inline bool has(str text, const char *what) { return str_find(text, str_c(what), 0) != SIZE_MAX; }

#define assert_has(text, what)                                                                                                   \
    do {                                                                                                                         \
        if (!has(text, what))                                                                                                    \
            fail_msg("\"%s\" is not in:\n%.*s", what, STR_FMT(text));                                                            \
    } while (0)

/* The file is refused, at opening or later, with a sentence that holds `why`. */
static inline void assert_refused(struct fixture *f, enum convert_format format, const char *path, const char *why)
{
    struct ctx *ctx = &f->ctx;
    struct convert *c = NULL;
    struct convert_options o = f->options;
    str text, messages;
    o.format = format;
    o.path = path;
    int rc = convert_open(ctx, &o, &c);
    rc = rc != RC_OK ? rc : convert_definition(ctx, c, &text, &messages);
    convert_close(c);
    assert_int_equal(rc, RC_FAIL);
    assert_true(err_is(ctx, &ERR_INVALID));
    assert_has(str_c(err_text(ctx)), why);
    assert_false(has(str_c(err_text(ctx)), "/tmp/"));
    err_clear(ctx);
}

/* ---- zip archives, members stored or deflated ---- */
struct zip_file {
    const char *name;
    str content;
    bool deflate;
};
str fixture_zip(struct fixture *f, const struct zip_file *files, size_t count);

#endif
