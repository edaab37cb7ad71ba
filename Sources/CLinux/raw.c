#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "CLinux.h"

int clinux_raw_socket(int is_ipv4) {
    return socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
}

int clinux_send_raw(int socket, const unsigned char *destination, int is_ipv4, const void *octets, size_t count) {
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    memcpy(&v6.sin6_addr, destination, is_ipv4 ? 4 : 16);
    memcpy(&v4.sin_addr, destination, 4);
    const void *address = is_ipv4 ? (const void *)&v4 : (const void *)&v6;
    socklen_t length = is_ipv4 ? sizeof v4 : sizeof v6;
    if (sendto(socket, octets, count, MSG_NOSIGNAL, address, length) >= 0) return 0;
    // What the queue or a firewall has no room for is lost as it would be on a wire.
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) return 1;
    return -errno;
}
