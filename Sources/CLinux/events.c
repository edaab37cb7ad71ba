#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "CLinux.h"

_Static_assert((int)CLINUX_READABLE == (int)EPOLLIN && (int)CLINUX_WRITABLE == (int)EPOLLOUT, "the kernel's numbers");
_Static_assert((int)CLINUX_FAILED == (int)EPOLLERR && (int)CLINUX_HUNG_UP == (int)EPOLLHUP, "the kernel's numbers");

int clinux_poll(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static int control(int poll, int operation, int descriptor, uint32_t readiness, uint64_t token) {
    struct epoll_event event = {.events = readiness, .data.u64 = token};
    return epoll_ctl(poll, operation, descriptor, &event);
}

int clinux_poll_add(int poll, int descriptor, uint32_t readiness, uint64_t token) {
    return control(poll, EPOLL_CTL_ADD, descriptor, readiness, token);
}

int clinux_poll_change(int poll, int descriptor, uint32_t readiness, uint64_t token) {
    return control(poll, EPOLL_CTL_MOD, descriptor, readiness, token);
}

int clinux_poll_remove(int poll, int descriptor) {
    return control(poll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int clinux_poll_wait(int poll, uint64_t *tokens, uint32_t *readiness, int room, long long nanoseconds) {
    struct epoll_event found[CLINUX_EVENTS_MOST];
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    if (room > CLINUX_EVENTS_MOST) room = CLINUX_EVENTS_MOST;
    int count = epoll_pwait2(poll, found, room, nanoseconds < 0 ? NULL : &limit, NULL);
    if (count < 0 && errno == EINTR) return 0;
    for (int place = 0; place < count; place++) {
        tokens[place] = found[place].data.u64;
        readiness[place] = found[place].events;
    }
    return count;
}

int clinux_bell_open(int blocks) {
    return eventfd(0, EFD_CLOEXEC | (blocks ? 0 : EFD_NONBLOCK));
}

int clinux_timer(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

int clinux_timer_set(int timer, uint64_t instant) {
    struct itimerspec setting = {
        .it_value = {.tv_sec = (time_t)(instant / 1000000000u), .tv_nsec = (long)(instant % 1000000000u)},
    };
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL);
}

int clinux_signals(const int *numbers, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int place = 0; place < count; place++) sigaddset(&set, numbers[place]);
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure) {
        errno = failure;
        return -1;
    }
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int clinux_take_signal(int descriptor) {
    struct signalfd_siginfo information;
    ssize_t count = read(descriptor, &information, sizeof information);
    if (count == (ssize_t)sizeof information) return (int)information.ssi_signo;
    return count < 0 && errno == EAGAIN ? 0 : -1;
}
