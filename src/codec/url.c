/* Percent coding and cutting of URLs: used by the forms, the router, the client and the reference rules, so it lives apart
 * from all of them. Depends on base only. */
#include "codec/url.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that "%xy" at the start of s stands for, or -1. */
static int escaped_byte(str s)
{
    if (s.n < 3 || s.p[0] != '%')
        return -1;
    int high = hex_value(s.p[1]), low = hex_value(s.p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool nothing_to_undo(str s, bool plus) { return s.n == 0 || (!memchr(s.p, '%', s.n) && !(plus && memchr(s.p, '+', s.n))); }

str url_decode(struct arena *a, str s, bool plus)
{
    if (nothing_to_undo(s, plus))
        return s;
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int byte = escaped_byte(str_sub(s, i, s.n));
        if (byte >= 0) {
            out[n++] = (char)byte;
            i += 2;
        } else {
            out[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_of(out, n);
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static void encode(struct buf *b, str s, char kept)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0, run = 0; i <= s.n; i++) {
        if (i < s.n && (unreserved(s.p[i]) || s.p[i] == kept))
            continue;
        buf_add(b, str_sub(s, run, i));
        if (i < s.n) {
            unsigned byte = (unsigned char)s.p[i];
            buf_add_bytes(b, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        }
        run = i + 1;
    }
}

void url_encode(struct buf *b, str s) { encode(b, s, '-'); }

void url_encode_path(struct buf *b, str s) { encode(b, s, '/'); }

str url_encoded(struct arena *a, str s)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(s.n * 3 + 1);
    url_encode(&b, s);
    return arena_str(a, buf_str(&b));
}

static bool printable(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

/* Cuts `*s` at the first `c`: what follows is returned (none when there is no `c`). */
static str cut_tail(str *s, char c)
{
    size_t at = str_find_char(*s, c, 0);
    if (at == SIZE_MAX)
        return STR_NONE;
    str tail = str_of(s->p + at + 1, s->n - at - 1);
    s->n = at;
    return tail;
}

/* Decimal digits up to 65535, or false. */
static bool parse_port(str s, unsigned *out)
{
    unsigned v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
        if (v > 65535)
            return false;
    }
    *out = v;
    return s.n > 0 && v > 0;
}

/* "user@host:port" into its parts; *u->port keeps its default without a port. */
static bool split_authority(str authority, struct url_parts *u)
{
    for (size_t i = authority.n; i-- > 0;)
        if (authority.p[i] == '@') {
            u->userinfo = str_of(authority.p, i);
            authority = str_of(authority.p + i + 1, authority.n - i - 1);
            break;
        }
    size_t from = 0;
    if (str_starts(authority, STR("["))) {
        from = str_find_char(authority, ']', 0);
        if (from == SIZE_MAX || (from + 1 < authority.n && authority.p[from + 1] != ':'))
            return false;
    }
    size_t colon = str_find_char(authority, ':', from);
    u->host = str_sub(authority, 0, colon);
    if (u->host.n == 0)
        return false;
    /* "host:" is the default port (RFC 3986, 3.2.3). */
    return colon == SIZE_MAX || colon + 1 == authority.n || parse_port(str_sub(authority, colon + 1, authority.n), &u->port);
}

bool url_split(str url, struct url_parts *out)
{
    *out = (struct url_parts){0};
    size_t start = str_find(url, STR("://"), 0);
    if (start == SIZE_MAX || !printable(url))
        return false;
    out->scheme = str_sub(url, 0, start);
    out->secure = str_ieq(out->scheme, STR("https"));
    if (!out->secure && !str_ieq(out->scheme, STR("http")))
        return false;
    out->port = out->secure ? 443 : 80;

    str rest = str_of(url.p + start + 3, url.n - start - 3);
    out->fragment = cut_tail(&rest, '#');
    out->query = cut_tail(&rest, '?');
    size_t slash = str_find_char(rest, '/', 0);
    size_t end = slash == SIZE_MAX ? rest.n : slash;
    out->path = str_of(rest.p + end, rest.n - end);
    return split_authority(str_of(rest.p, end), out);
}

str url_safe(struct arena *a, str url)
{
    struct url_parts u;
    if (!url_split(url, &u))
        return STR("(not a URL)");
    const char *host_end = u.path.p; /* host and port stand together, as written */
    str place = str_of(u.host.p, (size_t)(host_end - u.host.p));
    return arena_printf(a, "%.*s://%.*s%.*s", STR_FMT(u.scheme), STR_FMT(place), STR_FMT(u.path));
}
