/* Internet addresses as text and as values, and lists of them: who is behind a proxy, which proxies are trusted. */
#ifndef MAPFERRY_NET_ADDRESS_H
#define MAPFERRY_NET_ADDRESS_H

#include "base/ctx.h"

#include <sys/socket.h>

/* IPv6 in network order; IPv4 as ::ffff:a.b.c.d, so that both spellings of one address are equal. */
struct address {
    uint8_t bytes[16];
};

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", each of the three also with ":port" (an address of IPv6 then in brackets), which
 * is left out. False for anything else: names, zones ("fe80::1%eth0"), "unknown". */
bool address_parse(str text, struct address *out);
/* Of a socket; ::  for families that are no internet. */
struct address address_of_socket(const struct sockaddr *from);
bool address_v4(const struct address *address);
/* "192.0.2.1" or "2001:db8::1", in the arena. */
str address_print(struct arena *a, const struct address *address);
/* Is it in a comma-separated list of addresses and networks ("10.0.0.0/8, 2001:db8::/32, 192.0.2.7")? Pieces that are neither
 * hold nothing; address_list_check finds them. */
bool address_listed(str list, const struct address *address);
/* ERR_INVALID naming the first piece that is no address and no network. */
int address_list_check(struct ctx *ctx, str list);

/* Is it an address of the internet at large? Not: private, loopback, link-local, unique-local, shared, multicast, documentation,
 * benchmark and reserved ones (IANA's special-purpose registries), nor addresses of IPv6 that carry such an address of IPv4. */
bool address_public(const struct address *address);

#endif
