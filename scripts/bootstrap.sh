#!/bin/sh
# Installs the Debian packages that are missing, and nothing when none is.
#   scripts/bootstrap.sh [build] [bench]
# `build` (the default) is what building, running and testing need; `bench` adds the peers
# and the tools that the benchmarks compare with.
set -eu

swift_version=6.3.1
# What Swift's own programs are linked with, then what the project is.
toolchain='binutils libc6-dev libstdc++-12-dev libcurl4 libedit2 libncurses6 libxml2 tzdata'
build="$toolchain make git ca-certificates pkg-config libsqlite3-dev libpcap-dev libssl-dev"
# What speaks to the kernel of programs and links, and the headers that programs are compiled with.
build="$build libbpf-dev libelf-dev zlib1g-dev libmnl-dev linux-libc-dev"
# What tests use inside labs, and skip where it is not there; the daemons are BGP speakers.
build="$build iproute2 iputils-ping iperf3 tcpdump tshark frr bird2 gobgpd exabgp"
bench='g++ ns3 libns3-dev valgrind mininet'

say() { echo "bootstrap: $*" >&2; }

[ $# -gt 0 ] || set -- build
packages=
for group in "$@"; do
    case $group in
        build) packages="$packages $build" ;;
        bench) packages="$packages $bench" ;;
        *)
            say "there is no group \"$group\"; the groups are build and bench"
            exit 2
            ;;
    esac
done

if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2086 # a list of words
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $packages 2>/dev/null || true)
    missing=
    for package in $packages; do
        printf '%s\n' "$installed" | grep -qx "installed $package" || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        as_root=
        if [ "$(id -u)" -ne 0 ]; then
            as_root=sudo
            command -v sudo >/dev/null || {
                say "as root, run: apt-get install$missing"
                exit 1
            }
        fi
        say "installing$missing"
        $as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
        # shellcheck disable=SC2086 # a list of words
        $as_root env -u TMPDIR DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
            install --yes --no-install-recommends $missing >&2
        # Debian starts what it installs; tests have their own in namespaces.
        for package in $missing; do
            case $package in
                frr | gobgpd | exabgp) service=$package ;;
                bird2) service=bird ;;
                *) continue ;;
            esac
            ! command -v systemctl >/dev/null ||
                $as_root systemctl disable --quiet --now "$service" 2>/dev/null || true
        done
    fi
else
    say "this is no Debian; what stands for these packages must be there: $packages"
fi

command -v swift >/dev/null || {
    say "Swift is missing: install $swift_version from https://www.swift.org/install/linux and put its usr/bin on PATH"
    exit 1
}
