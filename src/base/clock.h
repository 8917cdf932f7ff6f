/* Time, replaceable so that tests are deterministic. */
#ifndef MAPFERRY_BASE_CLOCK_H
#define MAPFERRY_BASE_CLOCK_H

#include "base/str.h"

struct clock {
    int64_t (*now_ms)(const struct clock *c);       /* since 1970, UTC */
    int64_t (*monotonic_ms)(const struct clock *c); /* from an arbitrary start, never goes back */
};
extern const struct clock clock_system;
/* For tests: wall and monotonic time are what the fields say. */
struct clock_fixed {
    struct clock base;
    int64_t now;
};
struct clock_fixed clock_fixed_at(int64_t now_ms);

/* Broken-down UTC, proleptic Gregorian, any year that fits int. */
struct clock_parts {
    int year, month, day, hour, minute, second, millisecond; /* month and day from 1 */
};
struct clock_parts clock_parts_of(int64_t ms);
int64_t clock_ms_of(const struct clock_parts *p);
enum { CLOCK_ISO_SIZE = 25 };
/* "2024-01-31T23:59:59.123Z" into 25 bytes (NUL included). For years 0..9999, else false and "". */
bool clock_iso_print(int64_t ms, char out[CLOCK_ISO_SIZE]);
/* Reads date, date and time, fraction of any length (cut to ms), optional Z or +hh:mm; 'T' or a space between. */
bool clock_iso_parse(str text, int64_t *ms_out);

#endif
