#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/filter.h>
#include <linux/errqueue.h>

#include "CLinux.h"

static socklen_t write_address(const struct clinux_address *address, struct sockaddr_storage *result) {
    if (address->is_ipv4) {
        struct sockaddr_in *in = (struct sockaddr_in *)result;
        *in = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_port = htons(address->port),
            .sin_addr.s_addr = htonl((uint32_t)address->low),
        };
        return sizeof *in;
    }
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)result;
    *in = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    for (int place = 0; place < 8; place++) {
        in->sin6_addr.s6_addr[place] = (uint8_t)(address->high >> (56 - 8 * place));
        in->sin6_addr.s6_addr[8 + place] = (uint8_t)(address->low >> (56 - 8 * place));
    }
    return sizeof *in;
}

static void read_address(const struct sockaddr_storage *address, struct clinux_address *result) {
    memset(result, 0, sizeof *result);
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        result->is_ipv4 = 1;
        result->low = ntohl(in->sin_addr.s_addr);
        result->port = ntohs(in->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        for (int place = 0; place < 8; place++) {
            result->high = result->high << 8 | in->sin6_addr.s6_addr[place];
            result->low = result->low << 8 | in->sin6_addr.s6_addr[8 + place];
        }
        result->port = ntohs(in->sin6_port);
    }
}

static int open_socket(int is_ipv4, int kind) {
    int number = socket(is_ipv4 ? AF_INET : AF_INET6, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0 || is_ipv4) return number;
    int on = 1;
    setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return number;
}

int clinux_datagram_socket(int is_ipv4) {
    return open_socket(is_ipv4, SOCK_DGRAM);
}

int clinux_stream_socket(int is_ipv4) {
    return open_socket(is_ipv4, SOCK_STREAM);
}

int clinux_bind(int socket, const struct clinux_address *local) {
    struct sockaddr_storage address;
    socklen_t size = write_address(local, &address);
    return bind(socket, (struct sockaddr *)&address, size);
}

int clinux_connect(int socket, const struct clinux_address *remote) {
    struct sockaddr_storage address;
    socklen_t size = write_address(remote, &address);
    return connect(socket, (struct sockaddr *)&address, size);
}

int clinux_own_address(int socket, struct clinux_address *local) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &size) < 0) return -1;
    read_address(&address, local);
    return 0;
}

int clinux_accept_stream(int listener, struct clinux_address *remote) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int number = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (number >= 0) read_address(&address, remote);
    return number;
}

int clinux_receive_datagrams(int socket, struct clinux_datagram *datagrams, unsigned count) {
    struct mmsghdr messages[CLINUX_BATCH];
    struct iovec octets[CLINUX_BATCH];
    struct sockaddr_storage addresses[CLINUX_BATCH];
    union {
        struct cmsghdr header;
        char octets[64];
    } control[CLINUX_BATCH];
    if (count > CLINUX_BATCH) count = CLINUX_BATCH;
    for (unsigned place = 0; place < count; place++) {
        octets[place] = (struct iovec){datagrams[place].octets, datagrams[place].byte_count};
        messages[place].msg_hdr = (struct msghdr){
            .msg_name = &addresses[place],
            .msg_namelen = sizeof addresses[place],
            .msg_iov = &octets[place],
            .msg_iovlen = 1,
            .msg_control = &control[place],
            .msg_controllen = sizeof control[place],
        };
    }
    int received = recvmmsg(socket, messages, count, MSG_DONTWAIT, NULL);
    for (int place = 0; place < received; place++) {
        struct msghdr *header = &messages[place].msg_hdr;
        struct clinux_datagram *datagram = &datagrams[place];
        datagram->byte_count = messages[place].msg_len;
        datagram->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
        datagram->arrival = 0;
        read_address(&addresses[place], &datagram->remote);
        for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
            if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
            struct timespec time;
            memcpy(&time, CMSG_DATA(item), sizeof time);
            datagram->arrival = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        }
    }
    return received;
}

int clinux_send_datagrams(int socket, const struct clinux_datagram *datagrams, unsigned count) {
    struct mmsghdr messages[CLINUX_BATCH];
    struct iovec octets[CLINUX_BATCH];
    struct sockaddr_storage addresses[CLINUX_BATCH];
    if (count > CLINUX_BATCH) count = CLINUX_BATCH;
    for (unsigned place = 0; place < count; place++) {
        octets[place] = (struct iovec){datagrams[place].octets, datagrams[place].byte_count};
        messages[place].msg_hdr = (struct msghdr){
            .msg_name = &addresses[place],
            .msg_namelen = write_address(&datagrams[place].remote, &addresses[place]),
            .msg_iov = &octets[place],
            .msg_iovlen = 1,
        };
    }
    return sendmmsg(socket, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int clinux_receive_error(int socket, struct clinux_address *remote, int *number, uint32_t *information) {
    struct sockaddr_storage address = {0};
    union {
        struct cmsghdr header;
        char octets[512];
    } control;
    struct msghdr header = {
        .msg_name = &address,
        .msg_namelen = sizeof address,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    if (recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    read_address(&address, remote);
    *number = 0;
    *information = 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
        int is_ipv4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
        int is_ipv6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
        if (!is_ipv4 && !is_ipv6) continue;
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(item), sizeof error);
        *number = (int)error.ee_errno;
        *information = error.ee_info;
    }
    return 1;
}

int clinux_set_digest_key(int socket, const struct clinux_address *peer, const void *key, size_t byte_count) {
    struct tcp_md5sig signature = {0};
    if (byte_count > sizeof signature.tcpm_key) {
        errno = EINVAL;
        return -1;
    }
    struct sockaddr_storage address = {0};
    write_address(peer, &address);
    memcpy(&signature.tcpm_addr, &address, sizeof address);
    signature.tcpm_keylen = (uint16_t)byte_count;
    if (byte_count > 0) memcpy(signature.tcpm_key, key, byte_count);
    return setsockopt(socket, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof signature);
}

int clinux_require_hop_limit(int socket, int is_ipv4, uint8_t least) {
    // The kernel has IP_MINTTL for TCP alone. The network header lies before what a datagram's filter sees.
    uint32_t place = (uint32_t)(SKF_NET_OFF + (is_ipv4 ? 8 : 7));
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, place),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, least, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof steps / sizeof *steps, .filter = steps};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
