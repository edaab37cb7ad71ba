#ifndef CLINUX_EVENTS_H
#define CLINUX_EVENTS_H

// What a thread waits for: descriptors, instants, signals.

#include <stdint.h>

struct clinux_event {
    uint64_t token;
    uint32_t readiness;
};

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
// How many events came; waits for ever where `milliseconds` is negative.
int clinux_poll_wait(int poll, struct clinux_event *events, int count, int milliseconds);

// A descriptor that becomes readable at an instant of CLOCK_MONOTONIC, in nanoseconds; zero disarms it.
int clinux_timer(void);
int clinux_timer_set(int timer, uint64_t instant);

// Blocks signals for the calling thread, and makes a descriptor that is readable when one of them came.
int clinux_signals(const int *numbers, int count);
// The next signal's number, 0 for none, or -1 and errno.
int clinux_take_signal(int descriptor);

#endif
