/* Listening sockets. */
#ifndef MAPFERRY_NET_LISTEN_H
#define MAPFERRY_NET_LISTEN_H

#include "base/ctx.h"

/* A socket that listens and does not block. host NULL: all addresses, both families where there are two; port 0: the kernel
 * chooses. ERR_IO naming the address. */
int listen_open(struct ctx *ctx, const char *host, unsigned port, int *fd_out);
unsigned listen_port(int fd);

#endif
