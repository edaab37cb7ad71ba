#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

// Sockets whose addresses are plain numbers of the machine's order, and datagrams by the batch.

#include <stddef.h>
#include <stdint.h>

struct clinux_address {
    // An IPv4 address in the low 32 bits of `low`.
    uint64_t high, low;
    uint16_t port;
    uint16_t is_ipv4;
};

// Opens a socket that never blocks: its number, or -1 and errno.
int clinux_datagram_socket(int is_ipv4);
int clinux_stream_socket(int is_ipv4);

// 0, or -1 and errno.
int clinux_bind(int socket, const struct clinux_address *local);
int clinux_connect(int socket, const struct clinux_address *remote);
int clinux_own_address(int socket, struct clinux_address *local);

// The next connection of a listener: its number, or -1 and errno.
int clinux_accept_stream(int listener, struct clinux_address *remote);

// One datagram of a batch. Before receiving, `byte_count` is the room at `octets`.
struct clinux_datagram {
    void *octets;
    uint32_t byte_count;
    // Whether there was less room than octets.
    uint32_t is_truncated;
    struct clinux_address remote;
    // When the kernel got it, in nanoseconds of CLOCK_REALTIME; zero where it does not say.
    uint64_t arrival;
};

enum { CLINUX_BATCH = 64 };

// Receives, or sends, at most CLINUX_BATCH datagrams: how many, or -1 and errno.
int clinux_receive_datagrams(int socket, struct clinux_datagram *datagrams, unsigned count);
int clinux_send_datagrams(int socket, const struct clinux_datagram *datagrams, unsigned count);

// Takes one entry from a datagram socket's queue of errors: 1 and what it is about, 0 for none.
int clinux_receive_error(int socket, struct clinux_address *remote, int *number, uint32_t *information);

// Has every segment to and from a peer carry a keyed digest (RFC 2385); no key ends that: 0, or -1 and errno.
int clinux_set_digest_key(int socket, const struct clinux_address *peer, const void *key, size_t byte_count);

// Has a datagram socket take nothing that came with a lower hop limit (RFC 5082): 0, or -1 and errno.
int clinux_require_hop_limit(int socket, int is_ipv4, uint8_t least);

#endif
