/* The frames between the two ends: what is put comes out again, and what was damaged is refused. */
#include "convert/protocol.h"
#include "convert_fixture.h"

enum { FIELDS = 6 };

static void put_sample_row(struct buf *b)
{
    struct value values[FIELDS] = {{.kind = VALUE_NULL},
                                   {.kind = VALUE_INT, .i = INT64_MIN},
                                   {.kind = VALUE_DOUBLE, .d = -0.0},
                                   {.kind = VALUE_TEXT, .s = STR("")},
                                   {.kind = VALUE_TEXT, .s = STR("имя")},
                                   {.kind = VALUE_BLOB, .s = STR("\0\1")}};
    protocol_put_row(b, &(struct row){.oid = -7, .values = values, .wkb = STR("\1\2\3")}, FIELDS);
    protocol_put_row(b, &(struct row){.oid = 8, .values = values, .wkb = STR_NONE}, 1);
}

static void rows_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1 << 20);
    struct value values[FIELDS];
    struct row row;
    put_sample_row(&b);
    str rest = buf_str(&b);
    assert_true(protocol_get_row(&rest, FIELDS, values, &row));
    assert_int_equal(row.oid, -7);
    assert_true(str_eq(row.wkb, STR("\1\2\3")));
    assert_int_equal(values[0].kind, VALUE_NULL);
    assert_int_equal(values[1].i, INT64_MIN);
    assert_true(values[2].d == 0 && signbit(values[2].d));
    assert_true(values[3].kind == VALUE_TEXT && !str_none(values[3].s) && values[3].s.n == 0);
    assert_true(str_eq(values[4].s, STR("имя")));
    assert_true(values[5].kind == VALUE_BLOB && str_eq(values[5].s, STR("\0\1")));
    assert_true(protocol_get_row(&rest, 1, values, &row));
    assert_int_equal(row.oid, 8);
    assert_true(str_none(row.wkb));
    assert_int_equal(rest.n, 0);
    buf_free(&b);
}

static void cut_rows_are_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1 << 20);
    struct value values[FIELDS];
    struct row row;
    put_sample_row(&b);
    size_t first = b.n - 13; /* the second row: id, no geometry, a null */
    for (size_t n = 0; n < first; n++) {
        char *copy = mem_alloc(n); /* of exactly that size, so that reading beyond is seen */
        memcpy(copy, b.p, n);
        str rest = str_of(copy, n);
        assert_false(protocol_get_row(&rest, FIELDS, values, &row));
        mem_free(copy);
    }
    str rest = str_of(b.p, first);
    assert_true(protocol_get_row(&rest, FIELDS, values, &row));
    rest = STR("\1\0\0\0\0\0\0\0\xff\xff\xff\xff\x09"); /* a kind of value that there is not */
    assert_false(protocol_get_row(&rest, 1, values, &row));
    rest = STR("\1\0\0\0\0\0\0\0\xff\xff\xff\xff\x03\xff\xff\xff\xff"); /* a text that is no text */
    assert_false(protocol_get_row(&rest, 1, values, &row));
    rest = STR("\1\0\0\0\0\0\0\0\xfe\xff\xff\xff\x00"); /* a geometry of four gigabytes */
    assert_false(protocol_get_row(&rest, 1, values, &row));
    buf_free(&b);
}

static void questions_come_out_as_they_went_in(void **state)
{
    struct fixture *f = *state;
    struct buf b = BUF_INIT(1 << 20);
    struct field fields[] = {{.name = STR("OBJECTID"), .type = FIELD_OID}, {.name = STR("имя"), .type = FIELD_STRING}};
    const struct protocol_open open = {.format = 3,
                                       .target_wkid = 102100,
                                       .memory_max = 1LL << 40,
                                       .cpu_seconds_max = 7,
                                       .path = STR("/a"),
                                       .name = STR(""),
                                       .parameters = STR("{}")};
    const struct protocol_rows rows = {.layer_id = 12, .field_count = 2, .fields = fields};
    struct protocol_open open_out;
    struct protocol_rows rows_out;
    uint32_t length;
    uint8_t kind;
    protocol_put_open(&b, &open);
    protocol_head(b.p, &length, &kind);
    assert_int_equal(kind, PROTOCOL_OPEN);
    assert_int_equal(length, b.n - PROTOCOL_HEAD);
    assert_true(protocol_get_open(str_sub(buf_str(&b), PROTOCOL_HEAD, b.n), &open_out));
    assert_int_equal(open_out.format, 3);
    assert_int_equal(open_out.target_wkid, 102100);
    assert_int_equal(open_out.memory_max, 1LL << 40);
    assert_int_equal(open_out.cpu_seconds_max, 7);
    assert_true(str_eq(open_out.path, STR("/a")) && str_eq(open_out.name, STR("")));
    assert_true(str_eq(open_out.parameters, STR("{}")));
    for (size_t n = 0; n < length; n++)
        assert_false(protocol_get_open(str_of(b.p + PROTOCOL_HEAD, n), &open_out));
    protocol_put_rows(&b, &rows);
    protocol_head(b.p, &length, &kind);
    assert_int_equal(kind, PROTOCOL_ROWS);
    assert_true(protocol_get_rows(&f->ctx, str_of(b.p + PROTOCOL_HEAD, length), &rows_out));
    assert_int_equal(rows_out.layer_id, 12);
    assert_int_equal(rows_out.field_count, 2);
    assert_int_equal(rows_out.fields[1].type, FIELD_STRING);
    assert_true(str_eq(rows_out.fields[1].name, STR("имя")));
    for (size_t n = 0; n < length; n++)
        assert_false(protocol_get_rows(&f->ctx, str_of(b.p + PROTOCOL_HEAD, n), &rows_out));
    b.p[PROTOCOL_HEAD + 8] = 100; /* a type that there is not */
    assert_false(protocol_get_rows(&f->ctx, str_of(b.p + PROTOCOL_HEAD, length), &rows_out));
    buf_free(&b);
}

/* ---- a child that was taken over says what it likes ---- */
static const char *script(struct fixture *f, const char *body)
{
    str text = arena_printf(f->ctx.arena, "#!/bin/sh\n%s\nread wait\n", body),
        path = arena_printf(f->ctx.arena, "%s/child", f->dir.p);
    assert_int_equal(file_write_all(&f->ctx, path.p, text, 0700), RC_OK);
    return path.p;
}

#define OPENED "printf '\\000\\000\\000\\000o'\n"

static void assert_opening_fails(struct fixture *f, const char *body, const struct err_kind *kind, const char *why)
{
    struct convert *c;
    f->options.program = script(f, body);
    f->options.path = f->options.program;
    assert_int_equal(convert_open(&f->ctx, &f->options, &c), RC_FAIL);
    assert_true(err_is(&f->ctx, kind));
    assert_has(str_c(err_text(&f->ctx)), why);
    err_clear(&f->ctx);
}

static void children_that_do_not_open(void **state)
{
    struct fixture *f = *state;
    assert_opening_fails(f, "printf '\\377\\377\\377\\377o'", &ERR_INVALID, "a frame of 4294967295 bytes");
    assert_opening_fails(f, "printf '\\000\\000\\000\\000?'", &ERR_INVALID, "a frame of kind 63");
    assert_opening_fails(f, "printf '\\003\\000\\000\\000xbad'", &ERR_INVALID, "the file could not be read: bad");
    assert_opening_fails(f, "printf '\\003\\000'; exit 3", &ERR_IO, "ended with status 3");
    assert_opening_fails(f, "kill -9 $$", &ERR_INVALID, "ended by signal 9");
    assert_opening_fails(f, "kill -11 $$", &ERR_INVALID, "ended by signal 11");
    assert_opening_fails(f, "kill -6 $$", &ERR_INVALID, "needed more than 1024 MiB of memory");
    assert_opening_fails(f, "exec >&-; read wait", &ERR_INVALID, "ended by signal 9"); /* it lives, but says nothing more */
}

static void assert_definition_fails(struct fixture *f, const char *text, const char *why)
{
    struct convert *c;
    str json, messages;
    const char *body =
        arena_printf(f->ctx.arena, OPENED "printf '\\%03o\\000\\000\\000t%%s' '%s'", (unsigned)strlen(text), text).p;
    f->options.program = f->options.path = script(f, body);
    assert_int_equal(convert_open(&f->ctx, &f->options, &c), RC_OK);
    assert_int_equal(convert_definition(&f->ctx, c, &json, &messages), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_INVALID));
    assert_has(str_c(err_text(&f->ctx)), why);
    err_clear(&f->ctx);
    convert_close(c);
}

static void definitions_that_are_none(void **state)
{
    struct fixture *f = *state;
    assert_definition_fails(f, "", "line 1");
    assert_definition_fails(f, "{}", "line 1");
    assert_definition_fails(f, "{\"definition\":7,\"messages\":[]}", "not an object");
    assert_definition_fails(f, "{\"definition\":{},\"messages\":[]}", "holds no layer");
    assert_definition_fails(f, "{\"definition\":{\"layers\":[{\"id\":-1}]}}", "no layer id");
}

static void assert_row_fails(struct fixture *f, const char *frame, const char *why)
{
    struct field fields[] = {{.name = STR("id"), .type = FIELD_OID},
                             {.name = STR("t"), .type = FIELD_STRING, .length = 2, .nullable = false}};
    const struct layer l = {.name = STR("l"), .is_table = true, .field_count = 2, .fields = fields, .globalid_field = SIZE_MAX};
    struct convert *c;
    struct row_source *rows;
    struct row row;
    f->options.program = f->options.path = script(f, arena_printf(f->ctx.arena, OPENED "printf '%s'", frame).p);
    assert_int_equal(convert_open(&f->ctx, &f->options, &c), RC_OK);
    assert_int_equal(convert_rows(&f->ctx, c, &l, &rows), RC_OK);
    assert_int_equal(rows->next(&f->ctx, rows, &row), RC_FAIL);
    assert_true(err_is(&f->ctx, &ERR_INVALID));
    assert_has(str_c(err_text(&f->ctx)), why);
    err_clear(&f->ctx);
    rows->close(rows);
    convert_close(c);
}

#define HEAD(n) "\\" n "\\000\\000\\000b"
#define ROW "\\001\\000\\000\\000\\000\\000\\000\\000\\377\\377\\377\\377\\000" /* id 1, no geometry, null */

static void rows_that_are_none(void **state)
{
    struct fixture *f = *state;
    assert_row_fails(f, HEAD("005") "12345", "a row that cannot be read");
    assert_row_fails(f, HEAD("016") ROW "\\011", "a row that cannot be read");
    assert_row_fails(f, HEAD("016") ROW "\\000", "layer l, row 1, field t: no value, though the field needs one");
    assert_row_fails(f, HEAD("026") ROW "\\001\\001\\000\\000\\000\\000\\000\\000\\000", "field t: a value of another type");
    assert_row_fails(f, HEAD("025") ROW "\\003\\003\\000\\000\\000abc", "field t: a text that is too long");
    assert_row_fails(f, HEAD("024") ROW "\\003\\002\\000\\000\\000\\303\\050", "field t: a text that is not UTF-8");
    assert_row_fails(f, HEAD("023") ROW "\\003\\001\\000\\000\\000\\000", "field t: a text that is not UTF-8");
    assert_row_fails(f, "\\000\\000\\000\\000o", "a frame of kind 111");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(rows_come_out_as_they_went_in), TEST(cut_rows_are_refused),      TEST(questions_come_out_as_they_went_in),
        TEST(children_that_do_not_open),     TEST(definitions_that_are_none), TEST(rows_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
