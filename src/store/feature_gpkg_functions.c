/* SQL functions of our connections: letters beyond ASCII for UPPER and LOWER, and the tests of a geometry against a box. */
#include "base/mem.h"
#include "base/utf8.h"
#include "model/geometry/wkb_meets.h"
#include "store/feature_gpkg.h"
#include <locale.h>
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

int gpkg_functions_add(struct ctx *ctx, struct gpkg_conn *c)
{
    static const struct {
        const char *name;
        int arguments;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
    } FUNCTIONS[] = {{"text_upper", 1, sql_upper},
                     {"text_lower", 1, sql_lower},
                     {"box_meets", 5, sql_box_meets},
                     {"geometry_meets", 5, sql_geometry_meets}};
    pthread_once(&unicode_once, open_locale);
    if (!unicode_locale)
        return err_set(ctx, &ERR_UNSUPPORTED, "this system has no locale C.UTF-8");
    for (size_t i = 0; i < COUNT_OF(FUNCTIONS); i++) {
        int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
        if (sqlite3_create_function(c->db, FUNCTIONS[i].name, FUNCTIONS[i].arguments, flags, c, FUNCTIONS[i].run, NULL, NULL) !=
            SQLITE_OK)
            return gpkg_fail(ctx, c->db, "features");
    }
    return RC_OK;
}
