#pragma once

/// Asks the processor to bring a line of memory close; harmless whatever the address.
static inline void patronus_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }
