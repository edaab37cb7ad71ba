#pragma once
#include <stdint.h>

/// Octets of the heap that are in use.
uint64_t cheap_octets_in_use(void);
