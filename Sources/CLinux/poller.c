#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "CLinux.h"

int clinux_poller_open(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int clinux_poller_add(int poller, int descriptor, unsigned int key) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = key};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int clinux_poller_wait(int poller, unsigned int *keys, int capacity, long long nanoseconds) {
    struct epoll_event events[CLINUX_POLLER_MOST];
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    if (capacity > CLINUX_POLLER_MOST) capacity = CLINUX_POLLER_MOST;
    int count = epoll_pwait2(poller, events, capacity, nanoseconds < 0 ? NULL : &timeout, NULL);
    if (count < 0 && errno == EINTR) return 0;
    for (int i = 0; i < count; i++) keys[i] = events[i].data.u32;
    return count;
}

int clinux_bell_open(int blocks) {
    return eventfd(0, EFD_CLOEXEC | (blocks ? 0 : EFD_NONBLOCK));
}
