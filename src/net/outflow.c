/* The only user of the kernel's own description of a TCP connection, whose header does not go together with that of the C
 * library. A peer that reads slowly closes its window, so what it acknowledges is what it reads, but for its buffer. */
#include "net/outflow.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool outflow_of(int fd, struct outflow *out)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int waiting = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || ioctl(fd, SIOCOUTQ, &waiting) != 0)
        return false;
    if (size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked || waiting < 0)
        return false;
    *out = (struct outflow){.taken = info.tcpi_bytes_acked, .waiting = (uint64_t)waiting};
    return true;
}
