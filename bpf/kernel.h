// What the kernel promises an XDP program (include/uapi/linux/bpf.h): the part that is used
// here, so that the program compiles wherever a clang is, without anybody's headers.

#ifndef PATRONUS_KERNEL_H
#define PATRONUS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct xdp_md {
    uint32_t data;
    uint32_t data_end;
    uint32_t data_meta;
    uint32_t ingress_ifindex;
    uint32_t rx_queue_index;
    uint32_t egress_ifindex;
};

enum xdp_action {
    XDP_ABORTED = 0,
    XDP_DROP = 1,
    XDP_PASS = 2,
    XDP_TX = 3,
    XDP_REDIRECT = 4,
};

enum map_type {
    MAP_HASH = 1,
    MAP_ARRAY = 2,
    MAP_PER_CPU_ARRAY = 6,
    MAP_LRU_HASH = 9,
    MAP_LONGEST_PREFIX = 11,
    MAP_DEVICES = 14,
    MAP_RING_BUFFER = 27,
};

enum map_flags {
    MAP_IS_NOT_PREALLOCATED = 1,
};

enum update_flags {
    UPDATE_ANY = 0,
    UPDATE_ONLY_ABSENT = 1,
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, uint64_t flags) = (void *)2;
static uint64_t (*const monotonic_nanoseconds)(void) = (void *)5;
static long (*const adjust_head)(struct xdp_md *context, int32_t offset) = (void *)44;
static long (*const redirect_to)(void *map, uint64_t key, uint64_t flags) = (void *)51;
static void *(*const ring_reserve)(void *ring, uint64_t size, uint64_t flags) = (void *)131;
static void (*const ring_submit)(void *data, uint64_t flags) = (void *)132;

#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
// A function of its own, for what is seldom done: what is done often then keeps its registers.
#define APART static __attribute__((noinline))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

// How a map is declared to a loader by the types of a structure's members.
#define MAP_NUMBER(name, value) int(*name)[value]
#define MAP_TYPE(name, type) type *name

INLINE uint16_t swap16(uint16_t value) { return __builtin_bswap16(value); }
INLINE uint32_t swap32(uint32_t value) { return __builtin_bswap32(value); }
INLINE uint64_t swap64(uint64_t value) { return __builtin_bswap64(value); }

// Constants as on the wire; the machine is little-endian.
#define WIRE16(value) ((uint16_t)(((value) & 0xFF) << 8 | (value) >> 8))

// Fields of packets lie at any address, which the kernel allows where the machine does.
// The frame's bounds. Written as instructions, because a compiler that sees 32-bit fields
// keeps them as such, and the verifier then no longer knows that they are pointers.
INLINE void *frame_start(const struct xdp_md *context) {
    void *start;
    asm volatile("%0 = *(u32 *)(%1 + 0)" : "=r"(start) : "r"(context));
    return start;
}

INLINE void *frame_end(const struct xdp_md *context) {
    void *end;
    asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(end) : "r"(context));
    return end;
}

// One more in a 32-bit count at a fixed place: an instruction that the compiler can neither move
// nor join with another, so that the place needs no arithmetic and the verifier no check.
#define COUNT_AT(base, offset)                                                                      \
    asm volatile("w0 = *(u32 *)(%0 + %1)\n w0 += 1\n *(u32 *)(%0 + %1) = w0" ::"r"(base), "i"(offset) \
                 : "r0", "memory")

// A cause that seldom is one: it is not to be made ready before the check that leads to it.
INLINE int seldom(int cause) {
    asm volatile("" : "+r"(cause));
    return cause;
}

INLINE uint8_t load8(const void *at) { return *(const uint8_t *)at; }
INLINE uint16_t load16(const void *at) { return *(const uint16_t *)at; }
INLINE uint32_t load32(const void *at) { return *(const uint32_t *)at; }
INLINE uint64_t load64(const void *at) { return *(const uint64_t *)at; }
INLINE void store16(void *at, uint16_t value) { *(uint16_t *)at = value; }
INLINE void store32(void *at, uint32_t value) { *(uint32_t *)at = value; }
INLINE void store64(void *at, uint64_t value) { *(uint64_t *)at = value; }

#endif
