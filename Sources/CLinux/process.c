#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLinux.h"

int clinux_open_process(int process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int clinux_signal_process(int descriptor, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0);
}

int clinux_die_with_parent(int parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return -1;
    // It may have died before it was asked about.
    if (getppid() == parent) return 0;
    errno = ESRCH;
    return -1;
}

int clinux_unix_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int clinux_unix_datagrams(void) {
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

int clinux_unix_pair(int descriptors[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, descriptors);
}

int clinux_accept(int descriptor) {
    return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

long clinux_send(int socket, const void *octets, size_t count) {
    return send(socket, octets, count, MSG_NOSIGNAL);
}

int clinux_wait_readable(const int *descriptors, unsigned char *is_ready, int count, long long nanoseconds) {
    struct pollfd polled[count > 0 ? count : 1];
    for (int place = 0; place < count; place++)
        polled[place] = (struct pollfd){.fd = descriptors[place], .events = POLLIN};
    struct timespec pause = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(polled, (nfds_t)count, &pause, NULL);
    for (int place = 0; place < count; place++) is_ready[place] = polled[place].revents != 0;
    return ready;
}
