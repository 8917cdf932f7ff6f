/* Text into HTML. */
#ifndef MAPFERRY_CODEC_HTML_H
#define MAPFERRY_CODEC_HTML_H

#include "base/buf.h"

/* Appends `text` so that it is text in HTML, in elements and in attributes of either quote: & < > " ' are escaped. */
void html_escape(struct buf *b, str text);

#endif
