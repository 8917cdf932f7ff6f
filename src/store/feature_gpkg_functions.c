/* SQL functions of our connections: what where-clauses may call and SQLite lacks or understands otherwise, and the tests of a
 * geometry against a box. No value gives no value. */
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "model/geometry/wkb_meets.h"
#include "store/feature_gpkg.h"
#include <locale.h>
#include <stdlib.h>
#include <wctype.h>

/* Case mapping of the C library for all of Unicode, whatever the process's locale is. Made once, kept until the end. */
static locale_t unicode_locale;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void open_locale(void) { unicode_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

static void map_text(sqlite3_context *sc, sqlite3_value *arg, wint_t (*map)(wint_t, locale_t))
{
    str s = str_of(sqlite3_value_text(arg), (size_t)sqlite3_value_bytes(arg));
    if (str_none(s)) {
        sqlite3_result_null(sc);
        return;
    }
    struct buf out = BUF_INIT(GPKG_ROW_MAX);
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        int32_t cp = utf8_next(s, &at);
        char bytes[4];
        if (cp < 0)
            buf_add_char(&out, s.p[from]);
        else
            buf_add_bytes(&out, bytes, utf8_encode((uint32_t)map((wint_t)cp, unicode_locale), bytes));
    }
    if (out.overflow)
        sqlite3_result_error_toobig(sc);
    else
        sqlite3_result_text64(sc, out.p ? out.p : "", out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_free(&out);
}

static void sql_upper(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    map_text(sc, args[0], towupper_l);
}

static void sql_lower(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    map_text(sc, args[0], towlower_l);
}

static str text_of(sqlite3_value *v)
{
    const void *p = sqlite3_value_text(v);
    return str_of(p, (size_t)sqlite3_value_bytes(v));
}

static void give_text(sqlite3_context *sc, str s) { sqlite3_result_text64(sc, s.p, s.n, SQLITE_TRANSIENT, SQLITE_UTF8); }

/* text_part(text, from, count): characters by their places from 1; places outside of the text hold none (SQL-92, 6.7). */
static void sql_part(sqlite3_context *sc, int n, sqlite3_value **args)
{
    str s = text_of(args[0]);
    if (str_none(s) || sqlite3_value_type(args[1]) == SQLITE_NULL || (n > 2 && sqlite3_value_type(args[2]) == SQLITE_NULL))
        return;
    double from = sqlite3_value_double(args[1]), end = n > 2 ? from + sqlite3_value_double(args[2]) : INFINITY;
    size_t at = 0, start = s.n, stop = s.n;
    for (double place = 1; at < s.n; place++) {
        if (place >= from && start == s.n)
            start = at;
        if (place >= end) {
            stop = at;
            break;
        }
        (void)utf8_next(s, &at);
    }
    give_text(sc, start < stop ? str_sub(s, start, stop) : STR(""));
}

/* A value as text: numbers as answers spell them, texts as they are. */
static void add_text(struct buf *b, sqlite3_value *v)
{
    char number[NUM_DOUBLE_SIZE];
    int type = sqlite3_value_type(v);
    if (type == SQLITE_FLOAT)
        buf_add_bytes(b, number, num_print_double(sqlite3_value_double(v), number));
    else if (type != SQLITE_NULL)
        buf_add(b, text_of(v));
}

static void give_buf(sqlite3_context *sc, struct buf *b)
{
    if (b->overflow)
        sqlite3_result_error_toobig(sc);
    else
        give_text(sc, buf_str(b));
    buf_free(b);
}

static void sql_concat(sqlite3_context *sc, int n, sqlite3_value **args)
{
    struct buf b = BUF_INIT(GPKG_ROW_MAX);
    for (int i = 0; i < n; i++)
        add_text(&b, args[i]);
    give_buf(sc, &b);
}

/* cast_text(value, most characters or 0) */
static void sql_cast_text(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    struct buf b = BUF_INIT(GPKG_ROW_MAX);
    add_text(&b, args[0]);
    int64_t most = sqlite3_value_int64(args[1]);
    size_t at = 0;
    for (int64_t i = 0; i < most && at < b.n; i++)
        (void)utf8_next(buf_str(&b), &at);
    if (most > 0 && !b.overflow)
        b.n = at;
    give_buf(sc, &b);
}

/* ---- numbers ---- */

/* A text that is no number casts to no value, not to 0. */
static bool number_of(sqlite3_value *v, double *out)
{
    int type = sqlite3_value_type(v);
    *out = sqlite3_value_double(v);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT || (type == SQLITE_TEXT && num_parse_double(str_trim(text_of(v)), out));
}

static void sql_cast_real(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    double d;
    if (number_of(args[0], &d))
        sqlite3_result_double(sc, d);
}

/* Rounds halves to the even one, as PostgreSQL does with doubles. */
static void sql_cast_integer(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    static const double LIMIT = 9223372036854775808.0;
    int64_t i = sqlite3_value_int64(args[0]);
    double d = 0;
    bool exact = sqlite3_value_type(args[0]) == SQLITE_INTEGER ||
                 (sqlite3_value_type(args[0]) == SQLITE_TEXT && num_parse_int(str_trim(text_of(args[0])), &i));
    if (!exact && (!number_of(args[0], &d) || !(d >= -LIMIT && d < LIMIT)))
        return;
    sqlite3_result_int64(sc, exact ? i : (int64_t)nearbyint(d));
}

/* f(value, digits) on a decimal place; digits may be negative. */
static void to_digits(sqlite3_context *sc, int n, sqlite3_value **args, double (*f)(double))
{
    static const int DIGITS_MAX = 20;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL || (n > 1 && sqlite3_value_type(args[1]) == SQLITE_NULL))
        return;
    double d = sqlite3_value_double(args[0]);
    int digits = n > 1 ? sqlite3_value_int(args[1]) : 0;
    double scale = pow(10, abs(digits) < DIGITS_MAX ? abs(digits) : DIGITS_MAX);
    double scaled = digits < 0 ? d / scale : d * scale, whole = f(scaled);
    if (isfinite(scaled) && fabs(scaled) < 9007199254740992.0) /* beyond, there is nothing to round */
        d = digits < 0 ? whole * scale : whole / scale;
    sqlite3_result_double(sc, d);
}

static void sql_round(sqlite3_context *sc, int n, sqlite3_value **args) { to_digits(sc, n, args, round); }
static void sql_truncate(sqlite3_context *sc, int n, sqlite3_value **args) { to_digits(sc, n, args, trunc); }

/* ---- dates, which are texts in ISO form; a day has ten characters, a time of day eight ---- */
enum { DAY_SIZE = 10, TIME_SIZE = 8 };

static bool date_of(sqlite3_value *v, int64_t *ms)
{
    str s = text_of(v);
    return !str_none(s) && clock_iso_parse(str_trim(s), ms);
}

static void give_date(sqlite3_context *sc, int64_t ms, size_t size)
{
    char text[CLOCK_ISO_SIZE];
    if (clock_iso_print(ms, text))
        give_text(sc, str_of(text, size));
}

/* date_shift(date, ms, months) */
static void sql_date_shift(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    int64_t ms;
    size_t size = sqlite3_value_bytes(args[0]) == DAY_SIZE ? DAY_SIZE : CLOCK_ISO_SIZE - 1;
    double add = sqlite3_value_double(args[1]);
    if (sqlite3_value_type(args[1]) != SQLITE_NULL && fabs(add) < 1e18 && date_of(args[0], &ms) &&
        where_date_shift(&ms, llround(add), sqlite3_value_int64(args[2])))
        give_date(sc, ms, size);
}

static void sql_date_days(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    int64_t a, b;
    if (date_of(args[0], &a) && date_of(args[1], &b))
        sqlite3_result_double(sc, (double)(a - b) / 86400000.0);
}

static void sql_cast_day(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    int64_t ms;
    if (date_of(args[0], &ms))
        give_date(sc, ms - ((ms % 86400000) + 86400000) % 86400000, CLOCK_ISO_SIZE - 1);
}

static void sql_cast_date(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    int64_t ms;
    if (date_of(args[0], &ms))
        give_date(sc, ms, CLOCK_ISO_SIZE - 1);
}

/* date_part(date, unit) */
static void sql_date_part(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    str s = text_of(args[0]);
    char whole[] = "1970-01-01Thh:mm:ss";
    if (s.n == TIME_SIZE) {
        memcpy(whole + DAY_SIZE + 1, s.p, TIME_SIZE);
        s = str_c(whole);
    }
    int64_t ms;
    if (str_none(s) || !clock_iso_parse(str_trim(s), &ms))
        return;
    struct clock_parts p = clock_parts_of(ms);
    const int parts[] = {[UNIT_SECOND] = p.second, [UNIT_MINUTE] = p.minute, [UNIT_HOUR] = p.hour,
                         [UNIT_DAY] = p.day,       [UNIT_MONTH] = p.month,   [UNIT_YEAR] = p.year};
    int64_t unit = sqlite3_value_int64(args[1]);
    if (unit >= 0 && unit < (int64_t)COUNT_OF(parts))
        sqlite3_result_int(sc, parts[unit]);
}

/* ---- geometry ---- */

static str blob_of(sqlite3_value *v) { return str_of(sqlite3_value_blob(v), (size_t)sqlite3_value_bytes(v)); }

static struct envelope asked_box(sqlite3_value **args)
{
    return (struct envelope){sqlite3_value_double(args[0]), sqlite3_value_double(args[1]), sqlite3_value_double(args[2]),
                             sqlite3_value_double(args[3])};
}

/* box_meets(geometry, xmin, ymin, xmax, ymax): 1 or 0; 0 for no geometry. */
static void sql_box_meets(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct envelope box = gpkg_blob_box(blob_of(args[0])), asked = asked_box(args + 1);
    sqlite3_result_int(sc, !envelope_empty(&box) && envelope_meets(&box, &asked));
}

/* geometry_meets(geometry, xmin, ymin, xmax, ymax): the same of the geometry itself. Only where the bounding box crosses an edge
 * of the box the geometry is looked at; a damaged one then meets nothing. */
static void sql_geometry_meets(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct gpkg_conn *c = sqlite3_user_data(sc);
    str blob = blob_of(args[0]);
    struct envelope box = gpkg_blob_box(blob), asked = asked_box(args + 1);
    bool meets = !envelope_empty(&box) && envelope_meets(&box, &asked);
    if (meets && !envelope_contains(&asked, &box) && wkb_meets(c->ctx, gpkg_blob_wkb(blob), &asked, &meets) != RC_OK) {
        err_clear(c->ctx);
        meets = false;
    }
    sqlite3_result_int(sc, meets);
}

/* geometry_relates(geometry, shape): 1 or 0; 0 for no geometry. One test may take long, so each looks at the time. */
static void sql_geometry_relates(sqlite3_context *sc, int n, sqlite3_value **args)
{
    (void)n;
    struct gpkg_conn *c = sqlite3_user_data(sc);
    struct relate *shape = sqlite3_value_pointer(args[1], GPKG_SHAPE);
    str blob = blob_of(args[0]);
    struct envelope box = gpkg_blob_box(blob), asked = shape ? relate_box(shape) : ENVELOPE_EMPTY;
    bool apart = !envelope_meets(&box, &asked), found = false;
    if (ctx_check(c->ctx) != RC_OK)
        sqlite3_interrupt(c->db);
    else if (shape && !envelope_empty(&box) && (!apart || relate_fits_apart(shape)))
        found = relate_test(c->ctx, shape, gpkg_blob_wkb(blob));
    sqlite3_result_int(sc, found);
}

int gpkg_functions_add(struct ctx *ctx, struct gpkg_conn *c)
{
    static const struct {
        const char *name;
        int arguments;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
    } FUNCTIONS[] = {{"text_upper", 1, sql_upper},
                     {"text_lower", 1, sql_lower},
                     {"text_part", 2, sql_part},
                     {"text_part", 3, sql_part},
                     {"text_concat", -1, sql_concat},
                     {"number_round", 1, sql_round},
                     {"number_round", 2, sql_round},
                     {"number_truncate", 1, sql_truncate},
                     {"number_truncate", 2, sql_truncate},
                     {"date_shift", 3, sql_date_shift},
                     {"date_days", 2, sql_date_days},
                     {"date_part", 2, sql_date_part},
                     {"cast_text", 2, sql_cast_text},
                     {"cast_integer", 1, sql_cast_integer},
                     {"cast_real", 1, sql_cast_real},
                     {"cast_day", 1, sql_cast_day},
                     {"cast_date", 1, sql_cast_date},
                     {"box_meets", 5, sql_box_meets},
                     {"geometry_meets", 5, sql_geometry_meets},
                     {"geometry_relates", 2, sql_geometry_relates}};
    pthread_once(&unicode_once, open_locale);
    if (!unicode_locale)
        return err_set(ctx, &ERR_UNSUPPORTED, "this system has no locale C.UTF-8");
    for (size_t i = 0; i < COUNT_OF(FUNCTIONS); i++) {
        int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
        if (sqlite3_create_function(c->db, FUNCTIONS[i].name, FUNCTIONS[i].arguments, flags, c, FUNCTIONS[i].run, NULL, NULL) !=
            SQLITE_OK)
            return gpkg_fail(ctx, c->db, "features");
    }
    return gpkg_aggregates_add(ctx, c);
}
