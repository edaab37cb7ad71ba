#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>

// Kernel interfaces that the C library's module lacks, or that are variadic.

// Moves the calling thread into a new network namespace, or into the one that `descriptor` holds: 0 or -1 and errno.
int clinux_unshare_network(void);
int clinux_enter_network(int descriptor);

// Mounts the namespace that `descriptor` holds on a file, or takes the mount away: 0 or -1 and errno.
int clinux_mount_namespace(int descriptor, const char *path);
int clinux_unmount(const char *path);

// A descriptor of a process, and a signal by it, which cannot reach another of the same number: 0 or more, or -1.
int clinux_open_process(int process);
int clinux_signal_process(int descriptor, int signal);

// Has the calling process killed when the thread that started it ends; -1 where `parent` is its parent no longer.
int clinux_die_with_parent(int parent);

// Stream sockets between processes of this machine, not inherited; and a send that raises no signal.
int clinux_unix_socket(void);
int clinux_unix_pair(int descriptors[2]);
int clinux_accept(int descriptor);
long clinux_send(int socket, const void *octets, size_t count);

// A socket for whole IP packets, and one sent to 4 or 16 octets of address: 0, 1 where there is no room, or -errno.
int clinux_raw_socket(int is_ipv4);
int clinux_send_raw(int socket, const unsigned char *destination, int is_ipv4, const void *octets, size_t count);

// Keeps the calling thread on one processor: 0 or -1 and errno.
int clinux_stay_on_processor(int processor);

enum clinux_ethtool_feature {
    CLINUX_TRANSMIT_CHECKSUM,
    CLINUX_RECEIVE_CHECKSUM,
    CLINUX_GENERIC_RECEIVE,
    CLINUX_GENERIC_SEGMENTATION,
    CLINUX_TCP_SEGMENTATION,
};

// Reads, or sets, one offload of an interface over any socket of its namespace: the value, or -1 and errno.
int clinux_get_feature(int socket, const char *interface, enum clinux_ethtool_feature feature);
int clinux_set_feature(int socket, const char *interface, enum clinux_ethtool_feature feature, int on);

// Writes the name of an interface's driver, 32 octets at most with the zero: 0 or -1 and errno.
int clinux_driver(int socket, const char *interface, char name[32]);

#endif
