/* Addresses: the parsing is inet_pton's, after the decorations that headers put around an address are off. */
#include "net/address.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { BITS = 128, V4_OFFSET = 96 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool address_v4(const struct address *address) { return memcmp(address->bytes, mapped, sizeof mapped) == 0; }

/* Without a port and brackets. */
static bool parse_bare(str text, struct address *out, bool *v4_out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    memcpy(out->bytes, mapped, sizeof mapped);
    *v4_out = inet_pton(AF_INET, copy, out->bytes + sizeof mapped) == 1;
    return *v4_out || inet_pton(AF_INET6, copy, out->bytes) == 1;
}

static bool port_valid(str text)
{
    int64_t port;
    return num_parse_int(text, &port) && port >= 0 && port <= UINT16_MAX;
}

bool address_parse(str text, struct address *out)
{
    bool v4;
    text = str_trim(text);
    if (str_starts(text, STR("["))) {
        size_t end = str_find_char(text, ']', 0);
        if (end == SIZE_MAX || (end + 1 < text.n && (text.p[end + 1] != ':' || !port_valid(str_sub(text, end + 2, text.n)))))
            return false;
        return parse_bare(str_sub(text, 1, end), out, &v4) && !v4;
    }
    size_t colon = str_find_char(text, ':', 0);
    bool has_port = colon != SIZE_MAX && str_find_char(text, ':', colon + 1) == SIZE_MAX;
    if (has_port && !port_valid(str_sub(text, colon + 1, text.n)))
        return false;
    return parse_bare(has_port ? str_sub(text, 0, colon) : text, out, &v4) && (!has_port || v4);
}

struct address address_of_socket(const struct sockaddr *from)
{
    struct address out = {0};
    if (from->sa_family == AF_INET6) {
        memcpy(out.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, sizeof out.bytes);
    } else if (from->sa_family == AF_INET) {
        memcpy(out.bytes, mapped, sizeof mapped);
        memcpy(out.bytes + sizeof mapped, &((const struct sockaddr_in *)(const void *)from)->sin_addr, sizeof(struct in_addr));
    }
    return out;
}

str address_print(struct arena *a, const struct address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address_v4(address))
        inet_ntop(AF_INET, address->bytes + sizeof mapped, text, sizeof text);
    else
        inet_ntop(AF_INET6, address->bytes, text, sizeof text);
    return arena_str(a, str_c(text));
}

/* ---- lists ---- */

struct network {
    struct address address;
    unsigned bits; /* of the address that count */
};

static bool network_parse(str text, struct network *out)
{
    size_t slash = str_find_char(text, '/', 0);
    bool v4;
    int64_t bits;
    if (slash == SIZE_MAX) {
        out->bits = BITS;
        return address_parse(text, &out->address);
    }
    if (!parse_bare(str_sub(text, 0, slash), &out->address, &v4) || !num_parse_int(str_sub(text, slash + 1, text.n), &bits))
        return false;
    if (bits < 0 || bits > (v4 ? BITS - V4_OFFSET : BITS))
        return false;
    out->bits = (unsigned)bits + (v4 ? V4_OFFSET : 0);
    return true;
}

static bool network_has(const struct network *n, const struct address *address)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (n->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool address_listed(str list, const struct address *address)
{
    str piece;
    struct network n;
    while (str_split(&list, ',', &piece))
        if (network_parse(str_trim(piece), &n) && network_has(&n, address))
            return true;
    return false;
}

int address_list_check(struct ctx *ctx, str list)
{
    str piece;
    struct network n;
    while (str_split(&list, ',', &piece)) {
        piece = str_trim(piece);
        if (!str_empty(piece) && !network_parse(piece, &n))
            return err_set(ctx, &ERR_INVALID, "'%.*s' is neither an address nor a network such as 10.0.0.0/8.", STR_FMT(piece));
    }
    return RC_OK;
}

/* ---- what is public ---- */

/* RFC 6890 and what was added to its registries since. */
#define SPECIAL_V4                                                                                                               \
    "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24, "             \
    "192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4"
/* Of IPv6 only the block of global unicast is public, without protocol assignments and documentation. */
#define UNICAST_V6 "2000::/3"
#define SPECIAL_V6 "2001::/23, 2001:db8::/32, 3fff::/20"

/* Blocks whose addresses carry one of IPv4, and where: NAT64 and 6to4. */
static const struct {
    const char *block;
    size_t at;
} carriers[] = {{"64:ff9b::/96", 12}, {"2002::/16", 2}};

bool address_public(const struct address *address)
{
    struct address four;
    if (address_v4(address))
        return !address_listed(STR(SPECIAL_V4), address);
    for (size_t i = 0; i < COUNT_OF(carriers); i++)
        if (address_listed(str_c(carriers[i].block), address)) {
            memcpy(four.bytes, mapped, sizeof mapped);
            memcpy(four.bytes + sizeof mapped, address->bytes + carriers[i].at, sizeof four.bytes - sizeof mapped);
            return !address_listed(STR(SPECIAL_V4), &four);
        }
    return address_listed(STR(UNICAST_V6), address) && !address_listed(STR(SPECIAL_V6), address);
}
