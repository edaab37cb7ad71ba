// The layouts that the XDP program and Swift share, for Swift.
#ifndef CDATAPLANE_H
#define CDATAPLANE_H

#include "../../../bpf/patronus_maps.h"

#endif
