#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "CLinux.h"

static int request(int socket, const char *interface, void *command) {
    struct ifreq asked = {0};
    if (strlen(interface) >= sizeof asked.ifr_name) {
        errno = ENODEV;
        return -1;
    }
    strcpy(asked.ifr_name, interface);
    asked.ifr_data = command;
    return ioctl(socket, SIOCETHTOOL, &asked);
}

static const struct {
    __u32 get, set;
} commands[] = {
    [CLINUX_TRANSMIT_CHECKSUM] = {ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM},
    [CLINUX_RECEIVE_CHECKSUM] = {ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM},
    [CLINUX_GENERIC_RECEIVE] = {ETHTOOL_GGRO, ETHTOOL_SGRO},
    [CLINUX_GENERIC_SEGMENTATION] = {ETHTOOL_GGSO, ETHTOOL_SGSO},
    [CLINUX_TCP_SEGMENTATION] = {ETHTOOL_GTSO, ETHTOOL_STSO},
};

// Large receive offload is one bit of many.
static int get_flags(int socket, const char *interface, __u32 *flags) {
    struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
    if (request(socket, interface, &value) < 0) return -1;
    *flags = value.data;
    return 0;
}

static int set_large_receive(int socket, const char *interface, int on) {
    __u32 flags;
    if (get_flags(socket, interface, &flags) < 0) return -1;
    flags = on ? flags | ETH_FLAG_LRO : flags & ~(__u32)ETH_FLAG_LRO;
    struct ethtool_value value = {.cmd = ETHTOOL_SFLAGS, .data = flags};
    return request(socket, interface, &value);
}

int clinux_get_feature(int socket, const char *interface, enum clinux_ethtool_feature feature) {
    if (feature == CLINUX_LARGE_RECEIVE) {
        __u32 flags;
        if (get_flags(socket, interface, &flags) < 0) return -1;
        return (flags & ETH_FLAG_LRO) != 0;
    }
    struct ethtool_value value = {.cmd = commands[feature].get};
    if (request(socket, interface, &value) < 0) return -1;
    return value.data != 0;
}

int clinux_set_feature(int socket, const char *interface, enum clinux_ethtool_feature feature, int on) {
    if (feature == CLINUX_LARGE_RECEIVE) return set_large_receive(socket, interface, on);
    struct ethtool_value value = {.cmd = commands[feature].set, .data = on != 0};
    return request(socket, interface, &value);
}

int clinux_driver(int socket, const char *interface, char name[32]) {
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    if (request(socket, interface, &info) < 0) return -1;
    memcpy(name, info.driver, sizeof info.driver);
    name[31] = 0;
    return 0;
}
