#include "cbpfsyscall.h"

#include <errno.h>

#if defined(__linux__)
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attributes) {
    long result = syscall(__NR_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : result;
}

int cbpfsyscall_load(const void *instructions, uint32_t count, char *log, uint32_t log_size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uint64_t)(uintptr_t)"GPL";
    if (log_size > 0) {
        attributes.log_buf = (uint64_t)(uintptr_t)log;
        attributes.log_size = log_size;
        attributes.log_level = 1;
    }
    return (int)bpf(BPF_PROG_LOAD, &attributes);
}

int cbpfsyscall_run(int program, const void *input, uint32_t input_size, void *output, uint32_t *output_size,
                    uint32_t repeat, uint32_t *value, uint32_t *nanoseconds) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = (uint32_t)program;
    attributes.test.data_in = (uint64_t)(uintptr_t)input;
    attributes.test.data_size_in = input_size;
    attributes.test.data_out = (uint64_t)(uintptr_t)output;
    attributes.test.data_size_out = *output_size;
    attributes.test.repeat = repeat;
    long result = bpf(BPF_PROG_TEST_RUN, &attributes);
    *output_size = attributes.test.data_size_out;
    *value = attributes.test.retval;
    *nanoseconds = attributes.test.duration;
    return (int)result;
}
#else
int cbpfsyscall_load(const void *instructions, uint32_t count, char *log, uint32_t log_size) { return -ENOSYS; }

int cbpfsyscall_run(int program, const void *input, uint32_t input_size, void *output, uint32_t *output_size,
                    uint32_t repeat, uint32_t *value, uint32_t *nanoseconds) {
    return -ENOSYS;
}
#endif
