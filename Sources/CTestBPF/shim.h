// libbpf, for tests that run the program in the kernel.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
