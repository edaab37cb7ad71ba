#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>

#include "CLinuxEvents.h"
#include "CLinuxSockets.h"

// Kernel interfaces that the C library's module lacks, or that are variadic.

// Moves the calling thread into a new network namespace, or into the one that `descriptor` holds: 0 or -1 and errno.
int clinux_unshare_network(void);
int clinux_enter_network(int descriptor);

// Mounts the namespace that `descriptor` holds on a file, or takes the mount away: 0 or -1 and errno.
int clinux_mount_namespace(int descriptor, const char *path);
// Makes a folder a mount of its own, if it is none, whose mounts other mount namespaces see come and go.
int clinux_share_mounts(const char *folder);
int clinux_unmount(const char *path);

// What kind of namespace a descriptor holds: CLINUX_NETWORK_NAMESPACE, another number, or -1 and errno for none.
int clinux_namespace_kind(int descriptor);
extern const int CLINUX_NETWORK_NAMESPACE;

// A descriptor of a process, and a signal by it, which cannot reach another of the same number: 0 or more, or -1.
int clinux_open_process(int process);
int clinux_signal_process(int descriptor, int signal);

// Has the calling process killed when the thread that started it ends; -1 where `parent` is its parent no longer.
int clinux_die_with_parent(int parent);

// Has the processes that the calling thread starts be in a new process namespace, of which the next one is the first,
// or in the one that `descriptor` holds: 0 or -1 and errno.
// The root of a sysfs that shows the calling thread's network namespace and is mounted nowhere: -1 and errno.
int clinux_open_sysfs(void);
int clinux_unshare_processes(void);
int clinux_rejoin_processes(int descriptor);
// Gives the calling process mounts of its own, which follow the machine's, and the /proc of its process namespace.
int clinux_mount_own_processes(void);

// Sockets between processes of this machine, not inherited, of streams but for the second;
// and a send that raises no signal.
int clinux_unix_socket(void);
int clinux_unix_datagrams(void);
int clinux_unix_pair(int descriptors[2]);
int clinux_accept(int descriptor);
long clinux_send(int socket, const void *octets, size_t count);

// A socket for whole IP packets, and one sent to 4 or 16 octets of address: 0, 1 where there is no room, or -errno.
int clinux_raw_socket(int is_ipv4);
int clinux_send_raw(int socket, const unsigned char *destination, int is_ipv4, const void *octets, size_t count);

// Waits so long for descriptors that can be read, or have ended, and says which: how many, none after that time, or -1.
int clinux_wait_readable(const int *descriptors, unsigned char *is_ready, int count, long long nanoseconds);

// Keeps the calling thread on one processor: 0 or -1 and errno.
int clinux_stay_on_processor(int processor);

// Runs the calling thread before all threads that share the processor by turns (SCHED_FIFO): 0 or -1 and errno.
int clinux_schedule_first(int priority);
// How late the calling thread may be woken so that it can be woken together with others: 0 or -1 and errno.
int clinux_set_timer_slack(unsigned long nanoseconds);
// Names the calling thread, by 15 octets at most: 0 or -1 and errno.
int clinux_name_thread(const char *name);

// Makes an interface of that name, which must not be there yet, whose other side is the descriptor returned: frames
// where it has Ethernet (TAP), else IP packets (TUN); the descriptor does not block. With a header, virtio's is in front
// of each, and what is written may be many segments of TCP in one; with offloads so may what is read. -1 and errno when refused.
int clinux_open_interface(const char *interface, int has_ethernet, int has_header, int has_offloads);
int clinux_set_carrier(int other_side, int is_up);
// Has the interface stay when its descriptor is closed, until its namespace ends: 0 or -1 and errno.
int clinux_keep_interface(int other_side, int is_kept);
// How many frames may wait for the reader of an interface's other side: 0 or -1 and errno.
int clinux_set_queue_length(const char *interface, int frames);

enum clinux_ethtool_feature {
    CLINUX_TRANSMIT_CHECKSUM,
    CLINUX_RECEIVE_CHECKSUM,
    CLINUX_GENERIC_RECEIVE,
    CLINUX_GENERIC_SEGMENTATION,
    CLINUX_TCP_SEGMENTATION,
    CLINUX_LARGE_RECEIVE,
};

// Reads, or sets, one offload of an interface over any socket of its namespace: the value, or -1 and errno.
int clinux_get_feature(int socket, const char *interface, enum clinux_ethtool_feature feature);
int clinux_set_feature(int socket, const char *interface, enum clinux_ethtool_feature feature, int on);

// Writes the name of an interface's driver, 32 octets at most with the zero: 0 or -1 and errno.
int clinux_driver(int socket, const char *interface, char name[32]);

#endif
