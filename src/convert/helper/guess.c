/* Texts as values: see guess.h. */
#include "convert/helper/guess.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"
#include <math.h>
#include <stdio.h>

enum { YEAR_DIGITS = 4, PARTS = 3, NUMBER_MAX = 64, ALL_FORMS = (1 << GUESS_TEXT) - 1 };

static bool take_digits(str *s, size_t least, size_t most, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < s->n && n < most && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (s->p[n++] - '0');
    *s = str_sub(*s, n, s->n);
    *out = v;
    return n >= least && !(s->n && s->p[0] >= '0' && s->p[0] <= '9');
}

static bool take_char(str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

/* ---- dates ---- */

/* h:mm, with seconds, their fraction, AM or PM. */
static bool take_time(str *s, struct clock_parts *p)
{
    int digits = 0;
    if (!take_digits(s, 1, 2, &p->hour) || !take_char(s, ':') || !take_digits(s, 2, 2, &p->minute))
        return false;
    if (take_char(s, ':') && !take_digits(s, 2, 2, &p->second))
        return false;
    if (take_char(s, '.'))
        for (int scale = 100; s->n && s->p[0] >= '0' && s->p[0] <= '9'; scale /= 10, digits++) {
            p->millisecond += scale * (s->p[0] - '0');
            *s = str_sub(*s, 1, s->n);
        }
    *s = str_trim(*s);
    bool am = str_istarts(*s, STR("AM")), pm = str_istarts(*s, STR("PM"));
    if (am || pm) {
        *s = str_sub(*s, 2, s->n);
        if (p->hour < 1 || p->hour > 12)
            return false;
        p->hour = p->hour % 12 + (pm ? 12 : 0);
    }
    return p->hour < 24 && p->minute < 60 && p->second < 60;
}

static const struct {
    enum guess_form form;
    const char *separators;
    int year, month, day; /* which of the three numbers it is */
} DATES[] = {
    {GUESS_DATE_YEAR, "/.", 0, 1, 2},
    {GUESS_DATE_MONTH, "/-", 2, 0, 1},
    {GUESS_DATE_DAY, "/.-", 2, 1, 0},
};

static bool is_day(const struct clock_parts *p)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (p->month < 1 || p->month > 12 || p->day < 1)
        return false;
    bool leap = p->year % 4 == 0 && (p->year % 100 != 0 || p->year % 400 == 0);
    return p->day <= DAYS[p->month - 1] + (leap && p->month == 2);
}

static bool parse_parts(str text, size_t date, struct clock_parts *p, bool *has_time)
{
    int part[PARTS];
    char separator = 0;
    for (int i = 0; i < PARTS; i++) {
        size_t digits = i == DATES[date].year ? YEAR_DIGITS : 2;
        if (i && (text.n == 0 || (separator && text.p[0] != separator) || !strchr(DATES[date].separators, text.p[0])))
            return false;
        if (i) {
            separator = text.p[0];
            text = str_sub(text, 1, text.n);
        }
        if (!take_digits(&text, digits == YEAR_DIGITS ? YEAR_DIGITS : 1, digits, &part[i]))
            return false;
    }
    *p = (struct clock_parts){.year = part[DATES[date].year], .month = part[DATES[date].month], .day = part[DATES[date].day]};
    *has_time = text.n > 0;
    if (!is_day(p))
        return false;
    return text.n == 0 || ((take_char(&text, ' ') || take_char(&text, 'T')) && take_time(&text, p) && text.n == 0);
}

/* ms, and whether a time of day was there. */
static bool parse_date(str text, enum guess_form form, int64_t *ms, bool *has_time)
{
    struct clock_parts p;
    if (text.n < 8 || text.p[0] < '0' || text.p[0] > '9')
        return false;
    if (form == GUESS_DATE_ISO) {
        *has_time = text.n > 10;
        return clock_iso_parse(text, ms);
    }
    for (size_t i = 0; i < COUNT_OF(DATES); i++) {
        if (DATES[i].form == form) {
            if (!parse_parts(text, i, &p, has_time))
                return false;
            *ms = clock_ms_of(&p);
            return true;
        }
    }
    return false;
}

static bool parse_time(str text, struct clock_parts *p)
{
    *p = (struct clock_parts){.hour = 0};
    return take_time(&text, p) && text.n == 0;
}

/* ---- numbers ---- */

/* Leading zeros and a plus sign are of codes and telephone numbers. */
static bool is_code(str text)
{
    size_t at = text.n && text.p[0] == '-';
    return text.n > at + 1 && text.p[at] == '0' && text.p[at + 1] >= '0' && text.p[at + 1] <= '9';
}

static bool parse_number(str text, double *out)
{
    char copy[NUMBER_MAX];
    if (num_parse_double(text, out))
        return true;
    if (text.n + 1 >= sizeof copy || text.n == 0) /* ".5" and "-.5", which JSON has not */
        return false;
    size_t sign = text.p[0] == '-';
    if (text.n < sign + 2 || text.p[sign] != '.')
        return false;
    memcpy(copy, text.p, sign);
    copy[sign] = '0';
    memcpy(copy + sign + 1, text.p + sign, text.n - sign);
    return num_parse_double(str_of(copy, text.n + 1), out);
}

static bool parse_comma(str text, double *out)
{
    char copy[NUMBER_MAX];
    size_t comma = str_find_char(text, ',', 0);
    if (comma == SIZE_MAX)
        return parse_number(text, out);
    if (text.n > sizeof copy || str_find_char(text, '.', 0) != SIZE_MAX)
        return false;
    memcpy(copy, text.p, text.n);
    copy[comma] = '.';
    return parse_number(str_of(copy, text.n), out);
}

/* ---- guessing ---- */

void guess_start(struct guess *g, bool comma) { *g = (struct guess){.refused = comma ? 0 : 1U << GUESS_NUMBER_COMMA}; }

static bool form_fits(struct guess *g, enum guess_form form, str text)
{
    int64_t i;
    double d;
    bool has_time = false;
    struct clock_parts p;
    switch (form) {
    case GUESS_INTEGER:
        if (is_code(text) || !num_parse_int(text, &i))
            return false;
        g->wide |= i > INT32_MAX || i < INT32_MIN;
        return true;
    case GUESS_NUMBER:
        return !is_code(text) && parse_number(text, &d);
    case GUESS_NUMBER_COMMA:
        return !is_code(text) && parse_comma(text, &d);
    case GUESS_TIME:
        return parse_time(text, &p);
    default:
        if (!parse_date(text, form, &i, &has_time))
            return false;
        g->has_time |= has_time;
        return true;
    }
}

void guess_note(struct guess *g, str text)
{
    if (text.n > g->longest) {
        size_t n = utf8_length(text);
        g->longest = n > g->longest ? n : g->longest;
    }
    g->seen = true;
    if (g->refused == ALL_FORMS)
        return;
    text = str_trim(text);
    for (enum guess_form f = 0; f < GUESS_TEXT; f++)
        if (!(g->refused & 1U << f) && !form_fits(g, f, text))
            g->refused |= 1U << f;
}

enum guess_form guess_form(const struct guess *g)
{
    enum guess_form f = 0;
    while (f < GUESS_TEXT && g->refused & 1U << f)
        f++;
    return g->seen ? f : GUESS_TEXT;
}

enum field_type guess_type(const struct guess *g)
{
    switch (guess_form(g)) {
    case GUESS_INTEGER:
        return g->wide ? FIELD_BIG_INTEGER : FIELD_INTEGER;
    case GUESS_NUMBER:
    case GUESS_NUMBER_COMMA:
        return FIELD_DOUBLE;
    case GUESS_TIME:
        return FIELD_TIME_ONLY;
    case GUESS_TEXT:
        return FIELD_STRING;
    default:
        return g->has_time ? FIELD_DATE : FIELD_DATE_ONLY;
    }
}

/* ---- values ---- */

static bool any_date(str text, enum guess_form form, int64_t *ms)
{
    bool has_time;
    if (form >= GUESS_DATE_ISO && form <= GUESS_DATE_DAY)
        return parse_date(text, form, ms, &has_time);
    for (enum guess_form f = GUESS_DATE_ISO; f <= GUESS_DATE_DAY; f++)
        if (parse_date(text, f, ms, &has_time))
            return true;
    return false;
}

static bool integer_value(str text, enum guess_form form, struct value *out)
{
    double d;
    out->kind = VALUE_INT;
    if (num_parse_int(text, &out->i))
        return true;
    if (str_ieq(text, STR("true")) || str_ieq(text, STR("false"))) {
        out->i = str_ieq(text, STR("true"));
        return true;
    }
    if (!(form == GUESS_NUMBER_COMMA ? parse_comma(text, &d) : parse_number(text, &d)) || d != floor(d) || fabs(d) > 9e15)
        return false;
    out->i = (int64_t)d;
    return true;
}

static bool date_text(int64_t ms, char *space, struct value *out)
{
    char iso[CLOCK_ISO_SIZE];
    if (!clock_iso_print(ms, iso))
        return false;
    memcpy(space, iso, 10);
    *out = (struct value){.kind = VALUE_TEXT, .s = str_of(space, 10)};
    return true;
}

static bool time_text(str text, char *space, struct value *out)
{
    struct clock_parts p;
    if (!parse_time(text, &p))
        return false;
    int n = snprintf(space, GUESS_TEXT_SIZE, "%02d:%02d:%02d", p.hour, p.minute, p.second);
    *out = (struct value){.kind = VALUE_TEXT, .s = str_of(space, (size_t)n)};
    return true;
}

bool guess_value(str text, enum field_type type, enum guess_form form, char space[GUESS_TEXT_SIZE], struct value *out)
{
    int64_t ms;
    str trimmed = str_trim(text);
    switch (type) {
    case FIELD_OID:
    case FIELD_INTEGER:
    case FIELD_SMALL_INTEGER:
    case FIELD_BIG_INTEGER:
        return integer_value(trimmed, form, out);
    case FIELD_DOUBLE:
    case FIELD_SINGLE:
        out->kind = VALUE_DOUBLE;
        return form == GUESS_NUMBER_COMMA ? parse_comma(trimmed, &out->d) : parse_number(trimmed, &out->d);
    case FIELD_DATE:
        out->kind = VALUE_INT;
        return any_date(trimmed, form, &out->i);
    case FIELD_DATE_ONLY:
        return any_date(trimmed, form, &ms) && date_text(ms, space, out);
    case FIELD_TIME_ONLY:
        return time_text(trimmed, space, out);
    case FIELD_TIMESTAMP_OFFSET:
        *out = (struct value){.kind = VALUE_TEXT, .s = trimmed};
        return clock_iso_parse(trimmed, &ms);
    case FIELD_GUID:
    case FIELD_GLOBALID:
        *out = (struct value){.kind = VALUE_TEXT, .s = str_of(space, GUID_SIZE)};
        return guid_parse(trimmed, space);
    case FIELD_BLOB:
    case FIELD_TYPE_COUNT:
        return false;
    default:
        *out = (struct value){.kind = VALUE_TEXT, .s = text};
        return true;
    }
}
