// Token buckets by the generic cell rate algorithm: one number, the instant at which the
// next token would be due if all came evenly. Reading and writing it is not one step: two
// CPUs may both take the last token, which a limit can bear.

#ifndef PATRONUS_BUCKET_H
#define PATRONUS_BUCKET_H

#include "kernel.h"
#include "patronus_maps.h"

// Takes a token; false when there is none.
INLINE bool take(uint64_t *bucket, const struct patronus_limit *limit, uint64_t now) {
    uint64_t due = *bucket;
    if (due < now) due = now;
    if (due - now > limit->tolerance && limit->increment) return false;
    *bucket = due + limit->increment;
    return true;
}

INLINE bool is_empty(const uint64_t *bucket, const struct patronus_limit *limit, uint64_t now) {
    return limit->increment && *bucket > now && *bucket - now > limit->tolerance;
}

INLINE void give_back(uint64_t *bucket, const struct patronus_limit *limit) {
    uint64_t due = *bucket;
    *bucket = due > limit->increment ? due - limit->increment : 0;
}

// Counts a packet in any case; true while more came than the limit grants. What came above
// it is remembered for as long as the limit's own burst lasts.
INLINE bool is_above(uint64_t *bucket, const struct patronus_limit *limit, uint64_t now) {
    uint64_t due = *bucket;
    if (due < now) due = now;
    due += limit->increment;
    uint64_t debt = due - now;
    if (debt > limit->tolerance * 2 + limit->increment) due = now + limit->tolerance * 2 + limit->increment;
    *bucket = due;
    return limit->increment && debt > limit->tolerance + limit->increment;
}

#endif
