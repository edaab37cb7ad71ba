#!/bin/sh
# Runs the peers on the workloads that ours are measured by, a line of JSON each, none over 20 s.
set -eu
cd "$(dirname "$0")/../.."
Benchmarks/ns3/build.sh
peers=.build/ns3
for scheduler in Map Heap PriorityQueue; do
    for pending in 1000 100000 1000000; do
        "$peers/events" --scheduler="$scheduler" --pending="$pending" --events=1000000
    done
done
for discipline in false true; do
    "$peers/packets" --shape=chain --nodes=8 --seconds=2 --discipline="$discipline"
    "$peers/packets" --shape=star --nodes=200 --rate=2e7 --seconds=0.4 --discipline="$discipline"
    "$peers/tcp" --seconds=10 --discipline="$discipline"
done
