#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CLinux.h"

static int name_of(struct ifreq *request, const char *interface) {
    memset(request, 0, sizeof *request);
    if (strlen(interface) >= sizeof request->ifr_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request->ifr_name, interface);
    return 0;
}

int clinux_open_interface(const char *interface, int has_ethernet, int has_header, int has_offloads) {
    struct ifreq request;
    if (name_of(&request, interface) < 0) return -1;
    int other_side = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (other_side < 0) return -1;
    request.ifr_flags = (short)((has_ethernet ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_TUN_EXCL);
    if (has_header) request.ifr_flags |= IFF_VNET_HDR;
    unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (ioctl(other_side, TUNSETIFF, &request) < 0 ||
        (has_offloads && ioctl(other_side, TUNSETOFFLOAD, offloads) < 0)) {
        int number = errno;
        close(other_side);
        errno = number;
        return -1;
    }
    return other_side;
}

int clinux_set_carrier(int other_side, int is_up) {
    return ioctl(other_side, TUNSETCARRIER, &is_up);
}

int clinux_keep_interface(int other_side, int is_kept) {
    return ioctl(other_side, TUNSETPERSIST, is_kept);
}

int clinux_set_queue_length(const char *interface, int frames) {
    struct ifreq request;
    if (name_of(&request, interface) < 0) return -1;
    request.ifr_qlen = frames;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return -1;
    int result = ioctl(any, SIOCSIFTXQLEN, &request);
    int number = errno;
    close(any);
    errno = number;
    return result;
}
