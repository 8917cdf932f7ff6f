/* How much of something each internet address has: connections, running requests, bytes. Safe to use from several threads. */
#ifndef MAPFERRY_NET_TALLY_H
#define MAPFERRY_NET_TALLY_H

#include "net/address.h"

struct tally;
/* Empty; release with tally_close (NULL is allowed). */
struct tally *tally_open(void);
void tally_close(struct tally *t);
/* So many more for this address; false, and not counted, when it would have more than `limit` (0: no limit). Addresses of IPv6
 * count by their network of 64 bits, which is what one subscriber has. */
bool tally_add(struct tally *t, const struct address *address, uint64_t amount, uint64_t limit);
/* So many less; each belongs to a tally_add that returned true. */
void tally_remove(struct tally *t, const struct address *address, uint64_t amount);
/* How many it has. */
uint64_t tally_count(struct tally *t, const struct address *address);

#endif
