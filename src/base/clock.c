/* Time: the system clock, a fixed one for tests, and the proleptic Gregorian calendar in both directions.
 * Days are counted from 1 March of year 0 in eras of 400 years, so that leap days fall on the end of a year. */
#include "base/clock.h"
#include <time.h>

static const int64_t DAY_MS = 86400000;
static const int64_t DAYS_TO_1970 = 719468; /* from 0000-03-01 to 1970-01-01 */
static const int64_t ERA_DAYS = 146097;     /* 400 years */

static int64_t clock_read_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t clock_system_now(const struct clock *c)
{
    (void)c;
    return clock_read_ms(CLOCK_REALTIME);
}

static int64_t clock_system_monotonic(const struct clock *c)
{
    (void)c;
    return clock_read_ms(CLOCK_MONOTONIC);
}

const struct clock clock_system = {.now_ms = clock_system_now, .monotonic_ms = clock_system_monotonic};

static int64_t clock_fixed_now(const struct clock *c) { return ((const struct clock_fixed *)c)->now; }

struct clock_fixed clock_fixed_at(int64_t now_ms)
{
    return (struct clock_fixed){.base = {.now_ms = clock_fixed_now, .monotonic_ms = clock_fixed_now}, .now = now_ms};
}

static int64_t clock_div_floor(int64_t a, int64_t b) { return a / b - (a % b < 0); }

struct clock_parts clock_parts_of(int64_t ms)
{
    int64_t day = clock_div_floor(ms, DAY_MS);
    int in_day = (int)(ms % DAY_MS < 0 ? ms % DAY_MS + DAY_MS : ms % DAY_MS);
    day += DAYS_TO_1970;
    int64_t era = clock_div_floor(day, ERA_DAYS);
    int64_t doe = day - era * ERA_DAYS;                                  /* day of era, 0..146096 */
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365; /* year of era, 0..399 */
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);               /* day of the year that starts in March */
    int month = (int)(5 * doy + 2) / 153;                                /* March is 0 */
    return (struct clock_parts){.year = (int)(era * 400 + yoe + (month >= 10)),
                                .month = month < 10 ? month + 3 : month - 9,
                                .day = (int)doy - (153 * month + 2) / 5 + 1,
                                .hour = in_day / 3600000,
                                .minute = in_day / 60000 % 60,
                                .second = in_day / 1000 % 60,
                                .millisecond = in_day % 1000};
}

int64_t clock_ms_of(const struct clock_parts *p)
{
    int64_t months = (int64_t)p->year * 12 + p->month - 3; /* from March of year 0 */
    int64_t year = clock_div_floor(months, 12);
    int64_t era = clock_div_floor(year, 400);
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (months - year * 12) + 2) / 5 + p->day - 1;
    int64_t day = era * ERA_DAYS + 365 * yoe + yoe / 4 - yoe / 100 + doy - DAYS_TO_1970;
    int64_t in_day = (int64_t)p->hour * 3600000 + (int64_t)p->minute * 60000 + (int64_t)p->second * 1000 + p->millisecond;
    int64_t ms;
    if (__builtin_mul_overflow(day, DAY_MS, &ms) || __builtin_add_overflow(ms, in_day, &ms))
        return day < 0 ? INT64_MIN : INT64_MAX; /* 292 million years from now */
    return ms;
}

/* `width` decimal digits of v and the character that follows them. */
static char *clock_put(char *out, int width, int v, char after)
{
    for (int i = width - 1; i >= 0; i--, v /= 10)
        out[i] = (char)('0' + v % 10);
    out[width] = after;
    return out + width + 1;
}

bool clock_iso_print(int64_t ms, char out[CLOCK_ISO_SIZE])
{
    struct clock_parts p = clock_parts_of(ms);
    out[0] = 0;
    if (p.year < 0 || p.year > 9999)
        return false;
    out = clock_put(out, 4, p.year, '-');
    out = clock_put(out, 2, p.month, '-');
    out = clock_put(out, 2, p.day, 'T');
    out = clock_put(out, 2, p.hour, ':');
    out = clock_put(out, 2, p.minute, ':');
    out = clock_put(out, 2, p.second, '.');
    out = clock_put(out, 3, p.millisecond, 'Z');
    *out = 0;
    return true;
}

/* Cuts exactly `width` digits off *s; the number has to be within [min, max]. */
static bool clock_take_int(str *s, size_t width, int min, int max, int *out)
{
    int v = 0;
    if (s->n < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_sub(*s, width, s->n);
    *out = v;
    return v >= min && v <= max;
}

static bool clock_take_char(str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool clock_take_date(str *s, struct clock_parts *p)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!clock_take_int(s, 4, 0, 9999, &p->year) || !clock_take_char(s, '-') || !clock_take_int(s, 2, 1, 12, &p->month) ||
        !clock_take_char(s, '-'))
        return false;
    bool leap = p->year % 4 == 0 && (p->year % 100 != 0 || p->year % 400 == 0);
    return clock_take_int(s, 2, 1, days[p->month - 1] + (leap && p->month == 2), &p->day);
}

/* ".5", ".123456": at least one digit, what is finer than a millisecond is cut. */
static bool clock_take_fraction(str *s, int *millisecond)
{
    int digit, scale = 100;
    if (!clock_take_int(s, 1, 0, 9, &digit))
        return false;
    do {
        *millisecond += digit * scale;
        scale /= 10;
    } while (clock_take_int(s, 1, 0, 9, &digit));
    return true;
}

static bool clock_take_time(str *s, struct clock_parts *p)
{
    if (!clock_take_int(s, 2, 0, 23, &p->hour) || !clock_take_char(s, ':') || !clock_take_int(s, 2, 0, 59, &p->minute))
        return false;
    if (clock_take_char(s, ':')) {
        if (!clock_take_int(s, 2, 0, 59, &p->second))
            return false;
        if (clock_take_char(s, '.') && !clock_take_fraction(s, &p->millisecond))
            return false;
    }
    return true;
}

/* Nothing, "Z" or "+hh:mm": the distance from UTC in minutes. */
static bool clock_take_zone(str *s, int *offset)
{
    int hour, minute, sign = clock_take_char(s, '+') ? 1 : clock_take_char(s, '-') ? -1 : 0;
    *offset = 0;
    if (sign == 0)
        return s->n == 0 || clock_take_char(s, 'Z');
    if (!clock_take_int(s, 2, 0, 23, &hour) || !clock_take_char(s, ':') || !clock_take_int(s, 2, 0, 59, &minute))
        return false;
    *offset = sign * (hour * 60 + minute);
    return true;
}

bool clock_iso_parse(str text, int64_t *ms_out)
{
    struct clock_parts p = {0};
    int offset = 0;
    if (!clock_take_date(&text, &p))
        return false;
    if (clock_take_char(&text, 'T') || clock_take_char(&text, ' ')) {
        if (!clock_take_time(&text, &p) || !clock_take_zone(&text, &offset))
            return false;
    }
    if (text.n)
        return false;
    *ms_out = clock_ms_of(&p) - (int64_t)offset * 60000;
    return true;
}
