#define _GNU_SOURCE
#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "CLinux.h"

int clinux_unshare_network(void) {
    return unshare(CLONE_NEWNET);
}

int clinux_enter_network(int descriptor) {
    return setns(descriptor, CLONE_NEWNET);
}

int clinux_mount_namespace(int descriptor, const char *path) {
    char source[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", descriptor);
    return mount(source, path, "none", MS_BIND, NULL);
}

int clinux_share_mounts(const char *folder) {
    if (mount("", folder, "none", MS_SHARED | MS_REC, NULL) == 0) return 0;
    if (errno != EINVAL) return -1;
    if (mount(folder, folder, "none", MS_BIND | MS_REC, NULL) < 0) return -1;
    return mount("", folder, "none", MS_SHARED | MS_REC, NULL);
}

int clinux_unmount(const char *path) {
    return umount2(path, MNT_DETACH);
}

int clinux_unshare_processes(void) {
    return unshare(CLONE_NEWPID);
}

int clinux_rejoin_processes(int descriptor) {
    return setns(descriptor, CLONE_NEWPID);
}

int clinux_mount_own_processes(void) {
    if (unshare(CLONE_NEWNS) < 0) return -1;
    if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0) return -1;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int clinux_open_sysfs(void) {
    int context = fsopen("sysfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int mounted = -1;
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
    int number = errno;
    close(context);
    errno = number;
    return mounted;
}

int clinux_stay_on_processor(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

const int CLINUX_NETWORK_NAMESPACE = CLONE_NEWNET;

int clinux_namespace_kind(int descriptor) {
    return ioctl(descriptor, NS_GET_NSTYPE);
}
