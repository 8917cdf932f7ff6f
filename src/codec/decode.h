/* Text in the encodings that people's files have, as UTF-8. */
#ifndef MAPFERRY_CODEC_DECODE_H
#define MAPFERRY_CODEC_DECODE_H

#include "base/stream.h"

enum encoding { ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_WINDOWS1252, ENCODING_LATIN1, ENCODING_COUNT };
const char *decode_name(enum encoding e); /* as IANA calls it */
/* Also "utf8", "cp1252", "latin1" and the like, in any case. False: not known. */
bool decode_parse(str name, enum encoding *out);
/* By the first bytes of a text: a byte order mark, or the zeros that UTF-16 has in western text. UTF-8 when nothing speaks
 * against it, so a text that is in a code page is not known by its beginning. */
enum encoding decode_guess(str head);
/* The text as UTF-8, without a byte order mark. UTF-8 itself is passed through unchecked; a surrogate without its other half and
 * an odd last byte become U+FFFD. Closes the inner reader. */
struct reader *decode_open(struct reader *inner, enum encoding from);

#endif
