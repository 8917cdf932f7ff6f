/* What texts are as values: which type fits all texts of a column, and a text as a value of a type. Knows no library and no file.
 */
#ifndef MAPFERRY_CONVERT_HELPER_GUESS_H
#define MAPFERRY_CONVERT_HELPER_GUESS_H

#include "model/layer.h"

enum { GUESS_TEXT_SIZE = 40 };
/* What a column may hold, as far as its texts were seen. In the order of preference, strictest first. */
enum guess_form {
    GUESS_INTEGER,
    GUESS_NUMBER,
    GUESS_NUMBER_COMMA, /* a decimal comma */
    GUESS_DATE_ISO,     /* 2024-02-29, and with a time */
    GUESS_DATE_YEAR,    /* 2024/2/29 */
    GUESS_DATE_MONTH,   /* 2/29/2024 */
    GUESS_DATE_DAY,     /* 29/2/2024, 29.2.2024 */
    GUESS_TIME,
    GUESS_TEXT /* anything */
};
struct guess {
    unsigned refused; /* a bit a form */
    bool seen, wide;  /* wide: integers beyond 32 bits */
    bool has_time;    /* dates with a time of day */
    size_t longest;   /* in characters */
};
/* comma: numbers may have a decimal comma, which they may not where it separates values. */
void guess_start(struct guess *g, bool comma);
/* One more text of the column, which is not empty. Valid UTF-8. */
void guess_note(struct guess *g, str text);
enum guess_form guess_form(const struct guess *g);
enum field_type guess_type(const struct guess *g);

/* The text as a value of that type, its form being that one (GUESS_TEXT: whatever is recognized). Texts of more than the text's
 * own bytes go to `space`. False: it is none. */
bool guess_value(str text, enum field_type type, enum guess_form form, char space[GUESS_TEXT_SIZE], struct value *out);

#endif
