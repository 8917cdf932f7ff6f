/* What is on its way out of a connection, as the kernel knows it. */
#ifndef MAPFERRY_NET_OUTFLOW_H
#define MAPFERRY_NET_OUTFLOW_H

#include <stdbool.h>
#include <stdint.h>

struct outflow {
    uint64_t taken;   /* bytes that the peer has acknowledged since the connection began */
    uint64_t waiting; /* bytes that were handed to the kernel and that it has not */
};
/* False when the kernel does not tell: the descriptor is no TCP connection. */
bool outflow_of(int fd, struct outflow *out);

#endif
