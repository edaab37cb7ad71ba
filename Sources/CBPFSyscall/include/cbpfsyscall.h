#pragma once
#include <stdint.h>

/// Loads instructions as an XDP program with bpf(2); a file descriptor, or a negated errno.
int cbpfsyscall_load(const void *instructions, uint32_t count, char *log, uint32_t log_size);

/// Runs a program on a frame with BPF_PROG_TEST_RUN; 0, or a negated errno.
///
/// `output` has room for `*output_size` octets, which becomes the size of the frame as the program left it.
/// `nanoseconds` is what one of `repeat` runs took on average.
int cbpfsyscall_run(int program, const void *input, uint32_t input_size, void *output, uint32_t *output_size,
                    uint32_t repeat, uint32_t *value, uint32_t *nanoseconds);
