// What both directions of a tunnel share: the header between UDP and the inner packet
// (docs/wire-format.md), as six words of four bytes.

#ifndef PATRONUS_TUNNEL_H
#define PATRONUS_TUNNEL_H

#include "checksum.h"
#include "maps.h"

enum {
    TUNNEL_PORT = 6081,
    TUNNEL_HEADER_BYTES = 24,
    PATH_FLAG_FAST = 0x04,
};

// The header's words of four bytes, as they lie in memory.
enum {
    // Version 0, four words of options, neither O nor C; then two bits of O and C, and six reserved ones.
    TUNNEL_FIRST = 0x0004,
    TUNNEL_FIRST_MASK = 0xC0FF,
    // Option class 0xFF50, type 1, three words.
    PATH_OPTION = 0x030150FF,
};

struct tunnel_header {
    // With the protocol in its upper half.
    uint32_t first;
    uint32_t number;
    uint32_t option;
    uint32_t sequence;
    uint32_t timestamp;
    // With the checksum in its upper half.
    uint32_t flags;
};

// What the header's checksum covers: itself, and the payload's length.
INLINE uint64_t tunnel_sum(const struct tunnel_header *header, uint32_t payload_length) {
    uint64_t sum = (uint64_t)header->first + header->number + header->option + header->sequence;
    return sum + header->timestamp + header->flags + swap16(payload_length);
}

#endif
