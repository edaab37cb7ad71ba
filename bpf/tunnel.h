// What both directions of a tunnel share: the header between UDP and the inner packet
// (docs/wire-format.md), as three words of eight bytes.

#ifndef PATRONUS_TUNNEL_H
#define PATRONUS_TUNNEL_H

#include "checksum.h"
#include "maps.h"

enum {
    TUNNEL_PORT = 6081,
    TUNNEL_HEADER_BYTES = 24,
    // Version 0, four words of options, neither O nor C.
    TUNNEL_FIRST = 0x0400,
    // The two bits of O and C, and the six reserved ones behind them.
    TUNNEL_CONTROL_BIT = 0x0080,
    TUNNEL_RESERVED_BITS = 0x003F,
    // Option class 0xFF50, type 1, three words.
    PATH_OPTION = 0xFF500103,
    PATH_FLAG_FAST = 0x04,
};

// What the header's checksum covers: itself, and the payload's length.
INLINE uint64_t tunnel_sum(uint64_t first, uint64_t second, uint64_t third, uint32_t payload_length) {
    return halves(first) + halves(second) + halves(third) + payload_length;
}

#endif
