/* Type rules of where-clauses: what may be compared with what, and how literals become values of the field beside them. */
#include "base/clock.h"
#include "base/num.h"
#include "model/query/where_parts.h"
#include <math.h>
#include <stdlib.h>

static const enum where_type TYPE_OF_FIELD[FIELD_TYPE_COUNT] = {
    [FIELD_OID] = WHERE_TYPE_NUMBER,
    [FIELD_GLOBALID] = WHERE_TYPE_GUID,
    [FIELD_GUID] = WHERE_TYPE_GUID,
    [FIELD_STRING] = WHERE_TYPE_TEXT,
    [FIELD_INTEGER] = WHERE_TYPE_NUMBER,
    [FIELD_SMALL_INTEGER] = WHERE_TYPE_NUMBER,
    [FIELD_BIG_INTEGER] = WHERE_TYPE_NUMBER,
    [FIELD_DOUBLE] = WHERE_TYPE_NUMBER,
    [FIELD_SINGLE] = WHERE_TYPE_NUMBER,
    [FIELD_DATE] = WHERE_TYPE_DATE,
    [FIELD_DATE_ONLY] = WHERE_TYPE_DATE_ONLY,
    [FIELD_TIME_ONLY] = WHERE_TYPE_TIME,
    [FIELD_TIMESTAMP_OFFSET] = WHERE_TYPE_TEXT,
    [FIELD_BLOB] = WHERE_TYPE_BLOB,
    [FIELD_XML] = WHERE_TYPE_TEXT,
};

enum where_type where_type_of_field(enum field_type t) { return TYPE_OF_FIELD[t]; }

static bool text_to_number(struct where_parser *p, struct where *w)
{
    (void)p;
    str s = str_trim(w->literal.s);
    int64_t i;
    double d;
    if (num_parse_int(s, &i))
        w->literal = (struct value){.kind = VALUE_INT, .i = i};
    else if (num_parse_double(s, &d))
        w->literal = (struct value){.kind = VALUE_DOUBLE, .d = d};
    else
        return false;
    return true;
}

static bool text_to_date(struct where_parser *p, struct where *w)
{
    (void)p;
    int64_t ms;
    if (!clock_iso_parse(str_trim(w->literal.s), &ms))
        return false;
    w->literal = (struct value){.kind = VALUE_INT, .i = ms};
    w->is_date = true;
    return true;
}

static bool number_to_date(struct where_parser *p, struct where *w)
{
    (void)p;
    w->is_date = w->literal.kind == VALUE_INT;
    return w->is_date;
}

static bool date_to_day(struct where_parser *p, struct where *w)
{
    char text[CLOCK_ISO_SIZE];
    if (!clock_iso_print(w->literal.i, text))
        return false;
    w->literal = (struct value){.kind = VALUE_TEXT, .s = arena_str(p->ctx->arena, str_of(text, 10))};
    w->is_date = false;
    return true;
}

static bool text_to_day(struct where_parser *p, struct where *w) { return text_to_date(p, w) && date_to_day(p, w); }

static bool text_to_guid(struct where_parser *p, struct where *w)
{
    char guid[GUID_SIZE + 1];
    if (guid_parse(w->literal.s, guid)) /* any other text is compared as it stands, and equals none */
        w->literal.s = arena_str(p->ctx->arena, str_of(guid, GUID_SIZE));
    return true;
}

static bool text_as_it_is(struct where_parser *p, struct where *w)
{
    (void)p;
    (void)w;
    return true;
}

/* How a literal of type `from` becomes one of type `to`. */
static const struct {
    enum where_type from, to;
    bool (*convert)(struct where_parser *p, struct where *w);
} CONVERSIONS[] = {
    {WHERE_TYPE_TEXT, WHERE_TYPE_NUMBER, text_to_number}, {WHERE_TYPE_TEXT, WHERE_TYPE_DATE, text_to_date},
    {WHERE_TYPE_NUMBER, WHERE_TYPE_DATE, number_to_date}, {WHERE_TYPE_DATE, WHERE_TYPE_DATE_ONLY, date_to_day},
    {WHERE_TYPE_TEXT, WHERE_TYPE_DATE_ONLY, text_to_day}, {WHERE_TYPE_TEXT, WHERE_TYPE_GUID, text_to_guid},
    {WHERE_TYPE_TEXT, WHERE_TYPE_TIME, text_as_it_is},
};

static bool convert(struct where_parser *p, struct where_term *t, enum where_type to)
{
    if (t->node->kind != WHERE_LITERAL)
        return false;
    for (size_t i = 0; i < COUNT_OF(CONVERSIONS); i++) {
        if (CONVERSIONS[i].from == t->type && CONVERSIONS[i].to == to && CONVERSIONS[i].convert(p, t->node)) {
            t->type = to;
            return true;
        }
    }
    return false;
}

int where_unify(struct where_parser *p, struct where_term *a, struct where_term *b)
{
    if (a->type == WHERE_TYPE_CONDITION || b->type == WHERE_TYPE_CONDITION)
        return where_error(p, "a condition where a value is expected");
    if (a->type == WHERE_TYPE_BLOB || b->type == WHERE_TYPE_BLOB)
        return where_error(p, "this field cannot be compared");
    if (a->type == WHERE_TYPE_NULL || b->type == WHERE_TYPE_NULL || a->type == b->type)
        return RC_OK;
    return convert(p, b, a->type) || convert(p, a, b->type) ? RC_OK : where_error(p, "values of types that cannot be compared");
}

/* ---- intervals ---- */
static const struct {
    const char *name;
    int64_t ms;
    int64_t months; /* by the calendar, when ms is 0 */
} UNITS[] = {
    [UNIT_SECOND] = {"SECOND", 1000, 0}, [UNIT_MINUTE] = {"MINUTE", 60000, 0}, [UNIT_HOUR] = {"HOUR", 3600000, 0},
    [UNIT_DAY] = {"DAY", 86400000, 0},   [UNIT_MONTH] = {"MONTH", 0, 1},       [UNIT_WEEK] = {"WEEK", 604800000, 0},
    [UNIT_YEAR] = {"YEAR", 0, 12},
};

bool where_unit_parse(str name, enum where_unit *out)
{
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (str_ieq(name, str_c(UNITS[i].name))) {
            *out = (enum where_unit)i;
            return true;
        }
    }
    return false;
}

static const int64_t MS_MOST = 1000000000000000000; /* keeps sums within 64 bits */
static const int64_t MONTHS_MOST = 120000;          /* and years within int */

static bool interval_add(struct where_interval *by, str count, enum where_unit unit)
{
    double n;
    if (!num_parse_double(str_trim(count), &n))
        return false;
    double ms = n * (double)UNITS[unit].ms, months = n * (double)UNITS[unit].months;
    if (months != floor(months) || fabs(ms) > (double)MS_MOST / 8 || fabs(months) > (double)MONTHS_MOST / 8)
        return false;
    by->ms += llround(ms);
    by->months += llround(months);
    return true;
}

/* '1 12:30:00' DAY TO SECOND, '12:30' HOUR TO MINUTE, '1-6' YEAR TO MONTH: a number for each unit from the first to the last. */
static bool interval_range(str count, enum where_unit first, enum where_unit last, struct where_interval *out)
{
    static const enum where_unit BELOW[] = {
        [UNIT_YEAR] = UNIT_MONTH, [UNIT_DAY] = UNIT_HOUR, [UNIT_HOUR] = UNIT_MINUTE, [UNIT_MINUTE] = UNIT_SECOND};
    static const char MARKS[] = {[UNIT_YEAR] = '-', [UNIT_DAY] = ' ', [UNIT_HOUR] = ':', [UNIT_MINUTE] = ':'};
    str rest = str_trim(count), piece;
    bool negative = str_starts(rest, STR("-"));
    rest = str_sub(rest, negative, rest.n);
    for (enum where_unit unit = first;; unit = BELOW[unit]) {
        if (unit == last) {
            bool fits = !str_starts(rest, STR("-")) && interval_add(out, rest, unit);
            out->ms = negative ? -out->ms : out->ms;
            out->months = negative ? -out->months : out->months;
            return fits;
        }
        if (unit >= COUNT_OF(MARKS) || !MARKS[unit] || !str_split(&rest, MARKS[unit], &piece) || !interval_add(out, piece, unit))
            return false;
    }
}

bool where_interval_parse(str count, str unit, str last, struct where_interval *out)
{
    enum where_unit from, to;
    *out = (struct where_interval){0};
    if (!where_unit_parse(unit, &from))
        return false;
    if (str_empty(last))
        return interval_add(out, count, from);
    return where_unit_parse(last, &to) && interval_range(count, from, to, out);
}

static int days_of_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap);
}

static int64_t months_added(int64_t ms, int months)
{
    struct clock_parts parts = clock_parts_of(ms);
    int total = parts.year * 12 + parts.month - 1 + months;
    parts.year = total / 12 - (total % 12 < 0);
    parts.month = total - parts.year * 12 + 1;
    int days = days_of_month(parts.year, parts.month);
    parts.day = parts.day < days ? parts.day : days;
    return clock_ms_of(&parts);
}

bool where_date_shift(int64_t *ms, int64_t add, int64_t months)
{
    if (llabs(add) > MS_MOST || __builtin_add_overflow(*ms, add, ms))
        return false;
    if (months == 0)
        return true;
    if (llabs(months) > MONTHS_MOST || llabs(*ms) > 1000000000000000LL)
        return false;
    *ms = months_added(*ms, (int)months);
    return true;
}

/* ---- aggregates ---- */
bool where_statistic_type(enum where_statistic s, enum where_type argument, enum where_type *out)
{
    static const struct {
        bool numbers_only, keeps_type;
    } RULES[STATISTIC_KINDS] = {
        [STATISTIC_SUM] = {true, false},
        [STATISTIC_AVG] = {true, false},
        [STATISTIC_MIN] = {false, true},
        [STATISTIC_MAX] = {false, true},
        [STATISTIC_STDDEV] = {true, false},
        [STATISTIC_VAR] = {true, false},
        [STATISTIC_PERCENTILE_CONT] = {true, false},
        [STATISTIC_PERCENTILE_DISC] = {true, false},
    };
    *out = RULES[s].keeps_type ? argument : WHERE_TYPE_NUMBER;
    if (RULES[s].keeps_type && argument == WHERE_TYPE_BLOB)
        return false;
    return argument != WHERE_TYPE_CONDITION && (!RULES[s].numbers_only || argument == WHERE_TYPE_NUMBER);
}

/* ---- literals ---- */
static bool order_of(const struct value *a, const struct value *b, int *out)
{
    if (a->kind == VALUE_TEXT && b->kind == VALUE_TEXT) {
        size_t n = a->s.n < b->s.n ? a->s.n : b->s.n;
        int c = n ? memcmp(a->s.p, b->s.p, n) : 0;
        *out = c ? c : (a->s.n > b->s.n) - (a->s.n < b->s.n);
        return true;
    }
    if (a->kind != VALUE_INT || b->kind != VALUE_INT)
        return false;
    *out = (a->i > b->i) - (a->i < b->i);
    return true;
}

bool where_fold(const struct where *a, const struct where *b, enum where_operator op, bool *out)
{
    int order;
    if (a->kind != WHERE_LITERAL || b->kind != WHERE_LITERAL || !order_of(&a->literal, &b->literal, &order))
        return false;
    const bool truth[] = {
        [OP_EQ] = order == 0,
        [OP_NE] = order != 0,
        [OP_LT] = order<0, [OP_LE] = order <= 0, [OP_GT] = order> 0,
        [OP_GE] = order >= 0,
    };
    *out = truth[op];
    return true;
}
