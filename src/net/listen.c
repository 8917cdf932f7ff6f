/* Where the server listens. */
#include "net/listen.h"
#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int bind_to(struct ctx *ctx, const struct addrinfo *address, const char *name, unsigned port, int *fd_out)
{
    CLEANUP(file_close) int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(ctx, errno, "socket for %s", name);
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
        return err_errno(ctx, errno, "listen on %s port %u", name, port);
    *fd_out = fd;
    fd = -1;
    return RC_OK;
}

int listen_open(struct ctx *ctx, const char *host, unsigned port, int *fd_out)
{
    static const struct {
        const char *host;
        int family;
    } all[] = {{"::", AF_INET6}, {"0.0.0.0", AF_INET}};
    char service[NUM_INT_SIZE] = "";
    num_print_int(port, service);
    int rc = RC_FAIL;
    for (size_t i = 0; i < (host ? 1 : COUNT_OF(all)); i++) {
        const char *name = host ? host : all[i].host;
        struct addrinfo hints = {
            .ai_family = host ? AF_UNSPEC : all[i].family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
        struct addrinfo *found = NULL;
        int failure = getaddrinfo(name, service, &hints, &found);
        err_clear(ctx); /* of the address before this one */
        if (failure != 0)
            rc = err_set(ctx, &ERR_IO, "listen on %s: %s", name, gai_strerror(failure));
        else
            rc = bind_to(ctx, found, name, port, fd_out);
        if (found)
            freeaddrinfo(found);
        if (rc == RC_OK)
            return RC_OK;
    }
    return rc;
}

unsigned listen_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&address)->sin6_port
                                               : ((const struct sockaddr_in *)&address)->sin_port);
}
