#ifndef CLINUX_EVENTS_H
#define CLINUX_EVENTS_H

// What a thread waits for: descriptors, instants, signals.

#include <stdint.h>

enum clinux_readiness {
    CLINUX_READABLE = 1,
    CLINUX_WRITABLE = 4,
    CLINUX_FAILED = 8,
    CLINUX_HUNG_UP = 16,
};

// A descriptor to wait with, or -1 and errno.
int clinux_poll(void);
int clinux_poll_add(int poll, int descriptor, uint32_t readiness, uint64_t token);
int clinux_poll_change(int poll, int descriptor, uint32_t readiness, uint64_t token);
int clinux_poll_remove(int poll, int descriptor);
// Waits so long for the first event, for ever where that is negative, and writes what is ready, as much as there is room
// for and CLINUX_EVENTS_MOST at most: how many, none after a signal, or -1 and errno.
enum { CLINUX_EVENTS_MOST = 64 };
int clinux_poll_wait(int poll, uint64_t *tokens, uint32_t *readiness, int room, long long nanoseconds);

// A descriptor that is readable when somebody has written to it (eventfd): -1 and errno.
int clinux_bell_open(int blocks);

// A descriptor that becomes readable at an instant of CLOCK_MONOTONIC, in nanoseconds; zero disarms it.
int clinux_timer(void);
int clinux_timer_set(int timer, uint64_t instant);

// Blocks signals for the calling thread, and makes a descriptor that is readable when one of them came.
int clinux_signals(const int *numbers, int count);
// The next signal's number, 0 for none, or -1 and errno.
int clinux_take_signal(int descriptor);

#endif
