#ifndef CLINUX_H
#define CLINUX_H

// Kernel interfaces that the C library's module lacks, or that are variadic.

// Moves the calling thread into a new network namespace, or into the one that `descriptor` holds: 0 or -1 and errno.
int clinux_unshare_network(void);
int clinux_enter_network(int descriptor);

// Mounts the namespace that `descriptor` holds on a file, or takes the mount away: 0 or -1 and errno.
int clinux_mount_namespace(int descriptor, const char *path);
int clinux_unmount(const char *path);

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
