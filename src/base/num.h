/* Numbers to text and back, exactly. Doubles are printed in the shortest form that reads back equal. */
#ifndef MAPFERRY_BASE_NUM_H
#define MAPFERRY_BASE_NUM_H

#include "base/str.h"

enum { NUM_INT_SIZE = 24, NUM_DOUBLE_SIZE = 32 };
/* Print into `out` without NUL; return the length. */
size_t num_print_int(int64_t v, char out[NUM_INT_SIZE]);
/* JSON spelling: shortest round trip, no exponent between 1e-5 and 1e17 ("0.1", "12", "-3.5", "1e+21"). NaN and infinity
 * have no JSON spelling: "null". A fixed-point fast path serves coordinates. */
size_t num_print_double(double v, char out[NUM_DOUBLE_SIZE]);
/* Whole text or false: no white space, no sign but '-', in range. */
bool num_parse_int(str s, int64_t *out);
bool num_parse_double(str s, double *out); /* as JSON spells numbers (RFC 8259), correctly rounded, finite */
/* "true"/"1"/"false"/"0" in any case. */
bool num_parse_bool(str s, bool *out);
/* Hexadecimal, lower case, 2*n characters and no NUL. */
void num_hex_print(const uint8_t *bytes, size_t n, char *out);
bool num_hex_parse(str hex, uint8_t *out, size_t n); /* exactly 2*n digits of either case */

#endif
