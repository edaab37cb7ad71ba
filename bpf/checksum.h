// The Internet checksum (RFC 1071), taken wide and folded at the end.

#ifndef PATRONUS_CHECKSUM_H
#define PATRONUS_CHECKSUM_H

#include "kernel.h"

// A sum in 16 bits. 2^16 is 1 modulo 2^16 - 1, so the remainder is the one's complement sum
// in one instruction; 0 stands for both zeros.
INLINE uint32_t fold(uint64_t sum) { return (uint32_t)(sum % 0xFFFF); }

// Both halves of a number: its share of a sum.
INLINE uint64_t halves(uint64_t value) { return (value & 0xFFFFFFFF) + (value >> 32); }

// What takes a part out of a sum again: 1 to 0xFFFF.
INLINE uint32_t negative(uint64_t sum) { return 0xFFFF - fold(sum); }

// The checksum of a sum that is not 0. Where the sum is taken in the machine's order, of words as
// they lie on the wire, so is the checksum.
INLINE uint64_t checksum_of(uint64_t sum) { return 0xFFFE - (sum - 1) % 0xFFFF; }

// One hop less in a header whose checksum was right (RFC 1624).
INLINE void decrement_hop_limit(void *header, uint8_t family) {
    if (family == 4) {
        // Hop limit, protocol and checksum, as they lie in memory: 1 from the first, 1 to the last.
        uint64_t word = (uint64_t)load32(header + 8) + 0xFFFF;
        if (word >= 0xFFFF0000) word += 0x10000;
        store32(header + 8, (uint32_t)word);
    } else {
        *(uint8_t *)(header + 7) -= 1;
    }
}

#endif
