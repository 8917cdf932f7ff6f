/* codec/multipart: every message whole, cut at every byte and one byte at a time must tell the same story; broken ones must be
 * refused with the same kind of error however they are cut. */
#include "codec/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=XX"
/* A message with boundary XX from its parts, and the pieces that parts are made of. */
#define B "--XX\r\n"
#define END "\r\n--XX--\r\n"
#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_(name, filename) "Content-Disposition: form-data; name=\"" name "\"; filename=\"" filename "\"\r\n"

enum { STORY_MAX = 1 << 16, FIELD_MAX = 64, HEADER_MAX = 256, PARTS_MAX = 4 };

static struct ctx ctx;

static int open_ctx(void **state)
{
    (void)state;
    ctx_open(&ctx);
    return 0;
}

static int close_ctx(void **state)
{
    (void)state;
    ctx_close(&ctx);
    return 0;
}

static int on_begin(struct ctx *c, void *arg, const struct multipart_file *file)
{
    (void)c;
    buf_printf(arg, "<%.*s|%.*s|%.*s|", STR_FMT(file->name), STR_FMT(file->filename), STR_FMT(file->content_type));
    return RC_OK;
}

static int on_data(struct ctx *c, void *arg, str piece)
{
    (void)c;
    assert_true(piece.n > 0);
    buf_add(arg, piece);
    return RC_OK;
}

static int on_end(struct ctx *c, void *arg)
{
    (void)c;
    buf_add_char(arg, '>');
    return RC_OK;
}

static const struct multipart_events events = {.begin = on_begin, .data = on_data, .end = on_end};

/* Feeds text cut at `cut` (0: whole; beyond its end: one byte at a time) and tells the story of files, then of fields. */
static int tell(str type, str text, size_t cut, struct buf *story)
{
    struct form fields = FORM_INIT(10, FIELD_MAX, 1000);
    struct multipart_options options = {
        .fields = &fields, .events = &events, .arg = story, .header_bytes = HEADER_MAX, .parts = PARTS_MAX};
    struct multipart *m = NULL;
    TRY(multipart_open(&ctx, type, &options, &m));
    int rc = RC_OK;
    size_t step = cut > text.n ? 1 : (cut > 0 ? cut : text.n);
    for (size_t at = 0; at < text.n && rc == RC_OK; at += step, step = cut > text.n ? 1 : text.n)
        rc = multipart_push(&ctx, m, str_sub(text, at, at + step < text.n ? at + step : text.n));
    if (rc == RC_OK)
        rc = multipart_finish(&ctx, m);
    multipart_close(m);
    for (size_t i = 0; i < fields.count; i++)
        buf_printf(story, "[%.*s=%.*s]", STR_FMT(fields.fields[i].name), STR_FMT(fields.fields[i].value));
    return rc;
}

static const struct {
    str text;
    const char *story;
} good[] = {
    {STR(B FIELD("f") "json" END), "[f=json]"},
    {STR("\r\n\r\n" B FIELD("f") "json" END), "[f=json]"},
    {STR(B FIELD("f") "json\r\n--XX--"), "[f=json]"},
    {STR(B FIELD("f") "json\r\n--XX-- \t\r\n\r\n "), "[f=json]"},
    {STR(B FIELD("f") "" END), "[f=]"},
    {STR(B FIELD("f") "json\r\n--XX \t\r\n" FIELD("g") "1" END), "[f=json][g=1]"},
    {STR("--XX--\r\n"), ""},
    {STR("--XX--"), ""},
    {STR(B FILE_("file", "a.csv") "Content-Type: text/csv\r\n\r\na,b\r\n1,2\r\n" END), "<file|a.csv|text/csv|a,b\r\n1,2\r\n>"},
    {STR(B FILE_("file", "") "Content-Type: application/octet-stream\r\n\r\n" END), "<file||application/octet-stream|>"},
    /* Content that looks like a delimiter for a while. */
    {STR(B FILE_("x", "y") "\r\n\r\n\r\r\n-\r\n--\r\n--X\r\n--Y--XX\n--XX\r--XX\r\n\r\n--X" END),
     "<x|y||\r\n\r\r\n-\r\n--\r\n--X\r\n--Y--XX\n--XX\r--XX\r\n\r\n--X>"},
    {STR(B FILE_("x", "y") "\r\n\r\r\r\n\r\n\r" END), "<x|y||\r\r\r\n\r\n\r>"},
    /* Names and file names. */
    {STR(B FILE_("file", "\xE6\x9D\xB1\xE4\xBA\xAC \xC3\xBC.csv") "\r\nx" END),
     "<file|\xE6\x9D\xB1\xE4\xBA\xAC \xC3\xBC.csv||x>"},
    {STR(B FILE_("file", "a\\\"b\\\\c.csv") "\r\nx" END), "<file|a\"b\\c.csv||x>"},
    {STR(B FILE_("file", "a%22b%2c%0D.csv") "\r\nx" END), "<file|a\"b%2c%0D.csv||x>"},
    {STR(B FILE_("file", "C:\\dir\\x;y=z.csv") "\r\nx" END), "<file|C:\\dir\\x;y=z.csv||x>"},
    {STR(B FILE_("file", "old.csv\"; filename*=\"UTF-8''%e2%82%ac%20rates.csv") "\r\nx" END), "<file|\xE2\x82\xAC rates.csv||x>"},
    {STR(B "Content-Disposition: form-data; filename*=utf-8'en'n%22.txt; name=file\r\n\r\nx" END), "<file|n\".txt||x>"},
    {STR(B FILE_("file", "plain\"; filename*=\"ISO-8859-1''%A3") "\r\nx" END), "<file|plain||x>"},
    {STR(B "content-type:text/plain; charset=utf-8\r\ncontent-disposition:FORM-DATA;NAME=t;x=\"\"\r\nX-Other: 1\r\n"
           "Content-Transfer-Encoding: Binary\r\n\r\nv" END),
     "[t=v]"},
    {STR(B "Content-Disposition: form-data ; name = \"s p\" ;\r\n\r\nv" END), "[s p=v]"},
    {STR(B FIELD("a") "1\r\n" B FILE_("f1", "n1") "\r\nd1\r\n" B FIELD("b") "2\r\n" B FILE_("f2", "n2") "\r\n" END),
     "<f1|n1||d1><f2|n2||>[a=1][b=2]"},
    {STR(B FIELD("t") "0123456789012345678901234567890123456789012345678901234567890\r\n" END),
     "[t=0123456789012345678901234567890123456789012345678901234567890\r\n]"},
};

static void good_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        for (size_t cut = 0; cut <= good[i].text.n + 1; cut++) {
            CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
            buf_add(&story, STR(""));
            if (tell(STR(TYPE), good[i].text, cut, &story) != RC_OK)
                fail_msg("message %zu cut at %zu: %s", i, cut, err_text(&ctx));
            if (!str_eq(buf_str(&story), str_c(good[i].story)))
                fail_msg("message %zu cut at %zu tells %.*s", i, cut, STR_FMT(buf_str(&story)));
        }
    }
}

#define S10 "0123456789"
static const struct {
    str text;
    const struct err_kind *kind;
    const char *says;
} bad[] = {
    {STR(""), &ERR_INVALID, "cut off"},
    {STR("--XX"), &ERR_INVALID, "cut off"},
    {STR("--XX-"), &ERR_INVALID, "cut off"},
    {STR(B), &ERR_INVALID, "cut off"},
    {STR(B "Content-Disposition: form-data; name=\"f\"\r\n"), &ERR_INVALID, "cut off"},
    {STR(B FIELD("f")), &ERR_INVALID, "cut off"},
    {STR(B FIELD("f") "json"), &ERR_INVALID, "cut off"},
    {STR(B FIELD("f") "json\r\n--XX"), &ERR_INVALID, "cut off"},
    {STR(B FIELD("f") "json\r\n--XX\r\n"), &ERR_INVALID, "cut off"},
    {STR(B FILE_("f", "n") "\r\njson\r\n--X"), &ERR_INVALID, "cut off"},
    {STR(B FIELD("f") "--XX--"), &ERR_INVALID, "cut off"}, /* the delimiter needs its own line end */
    {STR("garbage"), &ERR_INVALID, "begin with its boundary"},
    {STR("--YY\r\n"), &ERR_INVALID, "begin with its boundary"},
    {STR("\r\r\n" B FIELD("f") "json" END), &ERR_INVALID, "begin with its boundary"},
    {STR("\r\n-" B FIELD("f") "json" END), &ERR_INVALID, "begin with its boundary"},
    {STR("preamble\r\n" B FIELD("f") "json" END), &ERR_INVALID, "begin with its boundary"},
    {STR("--XXY\r\n" FIELD("f") "json" END), &ERR_INVALID, "boundary line"},
    {STR("--XX\n" FIELD("f") "json" END), &ERR_INVALID, "boundary line"},
    {STR(B FIELD("f") "json\r\n--XXz\r\nmore" END), &ERR_INVALID, "boundary line"},
    {STR(B FIELD("f") "json\r\n--XX--tail\r\n"), &ERR_INVALID, "boundary line"},
    {STR(B FIELD("f") "json\r\n--XX" S10 S10 S10 S10 S10 S10 S10), &ERR_INVALID, "boundary line"},
    {STR("--XX                                                                 \r\n" FIELD("f") "json" END), &ERR_INVALID,
     "boundary line"},
    {STR(B FIELD("f") "json" END "tail"), &ERR_INVALID, "follow the last boundary"},
    {STR(B FIELD("f") "json" END B FIELD("f") "json" END), &ERR_INVALID, "follow the last boundary"},
    {STR(B "\r\nvalue" END), &ERR_INVALID, "no Content-Disposition"},
    {STR(B "Content-Type: text/plain\r\n\r\nvalue" END), &ERR_INVALID, "no Content-Disposition"},
    {STR(B "Content-Disposition: attachment; name=\"f\"\r\n\r\nvalue" END), &ERR_INVALID, "not form-data"},
    {STR(B "Content-Disposition: form-data\r\n\r\nvalue" END), &ERR_INVALID, "no name"},
    {STR(B "Content-Disposition: form-data; filename=\"f\"\r\n\r\nvalue" END), &ERR_INVALID, "no name"},
    {STR(B "Content-Disposition: form-data; name=\"f\r\n\r\nvalue" END), &ERR_INVALID, "malformed"},
    {STR(B "Content-Disposition: form-data; name\r\n\r\nvalue" END), &ERR_INVALID, "malformed"},
    {STR(B "Content-Disposition: form-data; =x\r\n\r\nvalue" END), &ERR_INVALID, "malformed"},
    {STR(B "Content-Disposition: form-data; name=\"f\"x\r\n\r\nvalue" END), &ERR_INVALID, "malformed"},
    {STR(B "Content-Disposition: form-data; name=\"f\"\r\nContent-Disposition: form-data; name=\"g\"\r\n\r\nv" END), &ERR_INVALID,
     "two Content-Disposition"},
    {STR(B "Content-Disposition: form-data;\r\n name=\"f\"\r\n\r\nvalue" END), &ERR_INVALID, "header line"},
    {STR(B "no colon here\r\n\r\nvalue" END), &ERR_INVALID, "header line"},
    {STR(B ": x\r\n\r\nvalue" END), &ERR_INVALID, "header line"},
    {STR(B "Content-Disposition: form-data; name=\"f\"\n\nvalue" END), &ERR_INVALID, "CR LF"},
    {STR(B FILE_("f", "\xFF.csv") "\r\nx" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FIELD("\xC3") "x" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FIELD("f") "\xFF" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FIELD("f") "a\0b" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FILE_("f", "a\0b") "\r\nx" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FILE_("f", "x\"; filename*=\"UTF-8''%00") "\r\nx" END), &ERR_INVALID, "not UTF-8"},
    {STR(B FILE_("f", "x\"; filename*=\"UTF-8''a%0Ab") "\r\nx" END), &ERR_INVALID, "control characters"},
    {STR(B FILE_("f", "a\tb") "\r\nx" END), &ERR_INVALID, "control characters"},
    {STR(B FILE_("f", "n") "Content-Type: a\x01\r\n\r\nx" END), &ERR_INVALID, "Content-Type"},
    {STR(B FILE_("f", "n") "Content-Transfer-Encoding: base64\r\n\r\neA==" END), &ERR_UNSUPPORTED, "base64"},
    {STR(B FIELD("t") S10 S10 S10 S10 S10 S10 "12345" END), &ERR_LIMIT, "a field"},
    {STR(B FIELD("a") "\r\n" B FIELD("a") "\r\n" B FIELD("a") "\r\n" B FIELD("a") "\r\n" B FIELD("a") END), &ERR_LIMIT,
     "4 parts"},
    {STR(B "X: " S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10),
     &ERR_LIMIT, "headers of a part"},
};

static void bad_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (size_t cut = 0; cut <= bad[i].text.n + 1; cut++) {
            CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
            if (tell(STR(TYPE), bad[i].text, cut, &story) != RC_FAIL)
                fail_msg("message %zu cut at %zu was taken", i, cut);
            if (!err_is(&ctx, bad[i].kind) || !strstr(err_text(&ctx), bad[i].says))
                fail_msg("message %zu cut at %zu: %s: %s", i, cut, ctx.err.kind->name, err_text(&ctx));
            err_clear(&ctx);
        }
    }
}

/* Every message that breaks off anywhere is refused, whatever it says up to there. */
static void truncated_messages(void **state)
{
    (void)state;
    str text = STR(B FIELD("a") "1\r\n" B FILE_("f1", "n1") "\r\nd1\r\n" B FIELD("b") "2" END);
    for (size_t n = 0; n < text.n - 2; n++) {
        CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
        assert_int_equal(tell(STR(TYPE), str_sub(text, 0, n), 0, &story), RC_FAIL);
        assert_string_equal(err_text(&ctx), "the multipart body is cut off");
        err_clear(&ctx);
    }
}

static void content_types(void **state)
{
    (void)state;
    static const struct {
        str type;
        bool good;
    } types[] = {
        {STR("multipart/form-data; boundary=XX"), true},
        {STR("Multipart/Form-Data ;charset=utf-8;  BOUNDARY=\"XX\""), true},
        {STR("multipart/form-data;boundary=XX;"), true},
        {STR("multipart/form-data"), false},
        {STR("multipart/form-data; boundary="), false},
        {STR("multipart/form-data; boundary=\"\""), false},
        {STR("multipart/form-data; boundary=\"XX "), false},
        {STR("multipart/form-data; boundary=\"XX \""), false},
        {STR("multipart/form-data; boundary=\"X\tX\""), false},
        {STR("multipart/form-data; boundary=\xC3\xA9"), false},
        {STR("multipart/form-data; boundary=" S10 S10 S10 S10 S10 S10 S10 "1"), false},
        {STR("multipart/form-data boundary=XX"), false},
        {STR("multipart/mixed; boundary=XX"), false},
        {STR("application/x-www-form-urlencoded"), false},
        {STR(""), false},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
        bool taken = tell(types[i].type, STR(B FIELD("f") "json" END), 0, &story) == RC_OK;
        if (taken != types[i].good)
            fail_msg("%.*s: %s", STR_FMT(types[i].type), err_text(&ctx));
        if (!taken)
            assert_true(err_is(&ctx, &ERR_INVALID));
        err_clear(&ctx);
    }
    assert_true(multipart_is(STR("MULTIPART/form-data; boundary=x")));
    assert_false(multipart_is(STR("multipart/form-data2; boundary=x")));
}

static void boundaries_of_all_lengths(void **state)
{
    (void)state;
    for (int n = 1; n <= 70; n++) {
        char boundary[71];
        memset(boundary, '-', sizeof boundary); /* the worst: it begins like the dashes before it */
        str b = str_of(boundary, (size_t)n);
        str type = arena_printf(ctx.arena, "multipart/form-data; boundary=\"%.*s\"", STR_FMT(b));
        str text =
            arena_printf(ctx.arena, "--%.*s\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n\r\n-\r\n\r\n--%.*s--",
                         STR_FMT(b), STR_FMT(b));
        for (size_t cut = 0; cut <= text.n + 1; cut += 7) {
            CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
            assert_int_equal(tell(type, text, cut, &story), RC_OK);
            assert_string_equal(story.p, "<a|b||\r\n-\r\n>");
        }
    }
}

static int refuse_begin(struct ctx *c, void *arg, const struct multipart_file *file)
{
    (void)arg, (void)file;
    return err_set(c, &ERR_NO_SPACE, "refused at begin");
}

static int refuse_data(struct ctx *c, void *arg, str piece)
{
    (void)arg, (void)piece;
    return err_set(c, &ERR_NO_SPACE, "refused at data");
}

static int refuse_end(struct ctx *c, void *arg)
{
    (void)arg;
    return err_set(c, &ERR_NO_SPACE, "refused at end");
}

static void errors_of_the_receiver_end_it(void **state)
{
    (void)state;
    static const struct multipart_events refusing[] = {
        {refuse_begin, on_data, on_end}, {on_begin, refuse_data, on_end}, {on_begin, on_data, refuse_end}};
    static const char *const says[] = {"refused at begin", "refused at data", "refused at end"};
    for (size_t i = 0; i < COUNT_OF(refusing); i++) {
        CLEANUP(buf_free) struct buf story = BUF_INIT(STORY_MAX);
        struct form fields = FORM_INIT(10, 10, 10);
        struct multipart_options options = {
            .fields = &fields, .events = &refusing[i], .arg = &story, .header_bytes = HEADER_MAX, .parts = 1};
        struct multipart *m;
        assert_int_equal(multipart_open(&ctx, STR(TYPE), &options, &m), RC_OK);
        assert_int_equal(multipart_push(&ctx, m, STR(B FILE_("a", "b") "\r\nxyz" END)), RC_FAIL);
        assert_string_equal(err_text(&ctx), says[i]);
        err_clear(&ctx);
        multipart_close(m);
    }
    multipart_close(NULL);
}

struct sum {
    size_t bytes, pieces;
    unsigned char last;
};

static int sum_data(struct ctx *c, void *arg, str piece)
{
    (void)c;
    struct sum *sum = arg;
    sum->bytes += piece.n;
    sum->pieces++;
    sum->last = (unsigned char)piece.p[piece.n - 1];
    return RC_OK;
}

static int sum_begin(struct ctx *c, void *arg, const struct multipart_file *file)
{
    (void)c, (void)arg, (void)file;
    return RC_OK;
}

static int sum_end(struct ctx *c, void *arg)
{
    (void)c, (void)arg;
    return RC_OK;
}

static void a_large_file_is_not_held(void **state)
{
    (void)state;
    static const struct multipart_events summing = {sum_begin, sum_data, sum_end};
    static char block[1 << 16];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i % 7 == 0 ? '\r' : (i % 7 == 1 ? '\n' : '-'));
    struct sum sum = {0};
    struct form fields = FORM_INIT(1, 10, 10);
    struct multipart_options options = {
        .fields = &fields, .events = &summing, .arg = &sum, .header_bytes = HEADER_MAX, .parts = 1};
    struct multipart *m;
    assert_int_equal(multipart_open(&ctx, STR(TYPE), &options, &m), RC_OK);
    assert_int_equal(multipart_push(&ctx, m, STR(B FILE_("a", "b") "\r\n")), RC_OK);
    size_t held = arena_size(ctx.arena);
    for (int i = 0; i < 256; i++)
        assert_int_equal(multipart_push(&ctx, m, str_of(block, sizeof block)), RC_OK);
    assert_int_equal(arena_size(ctx.arena), held);
    assert_int_equal(multipart_push(&ctx, m, STR("!" END)), RC_OK);
    assert_int_equal(multipart_finish(&ctx, m), RC_OK);
    multipart_close(m);
    assert_int_equal(sum.bytes, 256 * sizeof block + 1);
    assert_int_equal(sum.last, '!');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_messages, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(bad_messages, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(truncated_messages, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(content_types, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(boundaries_of_all_lengths, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(errors_of_the_receiver_end_it, open_ctx, close_ctx),
        cmocka_unit_test_setup_teardown(a_large_file_is_not_held, open_ctx, close_ctx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
