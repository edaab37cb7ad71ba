#!/bin/sh
# Builds the peers with Debian's ns-3 (3.37) into .build/ns3; what is newer than its source stays.
set -eu
cd "$(dirname "$0")/../.."
out=.build/ns3
mkdir -p "$out"
libraries='-lns3-applications -lns3-internet -lns3-point-to-point -lns3-traffic-control -lns3-network -lns3-stats
    -lns3-core'
for source in Benchmarks/ns3/*.cc; do
    program=$out/$(basename "$source" .cc)
    if [ -e "$program" ] && [ -z "$(find "$source" Benchmarks/ns3/measure.h -newer "$program")" ]; then continue; fi
    # shellcheck disable=SC2086 # a list of flags
    g++ -std=c++17 -O2 -Wall -Wextra -isystem /usr/include/libxml2 "$source" -o "$program" $libraries
done
