#ifndef CBPF_H
#define CBPF_H

// libbpf, and a place for what it would print.

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

// Since libbpf 1.0 these live in linux/bpf.h alone; headers of Linux before 6.8 lack a few.
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

// From here on this thread keeps what libbpf says; what it kept before is forgotten.
void cbpf_log_start(void);

// What libbpf said on this thread since `cbpf_log_start`; valid until the next call of either.
const char *cbpf_log_text(void);

// Forgets what was kept, and frees it.
void cbpf_log_stop(void);

// The variables of a data section: a thin walk over BTF, whose accessors are inline functions of pointers
// into a variable-length record. Returns the variable's offset in the section, or -1; `size` gets its size.
long cbpf_variable_offset(const struct bpf_object *object, const char *section, const char *name, size_t *size);

#endif
