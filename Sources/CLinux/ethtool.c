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

int clinux_get_feature(int socket, const char *interface, enum clinux_ethtool_feature feature) {
    struct ethtool_value value = {.cmd = commands[feature].get};
    if (request(socket, interface, &value) < 0) return -1;
    return value.data != 0;
}

int clinux_set_feature(int socket, const char *interface, enum clinux_ethtool_feature feature, int on) {
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
