#!/bin/bash
# A ring of hosts by iproute2 alone: namespaces, veths, addresses, links up, default routes; then all of it away.
#   ip-batch.sh up|down N FOLDER
# The folder keeps what both parts need; namespaces are named after it, so that no others are touched.
set -eu
part=$1 count=$2 folder=$3
prefix=$(basename "$folder")
case $part in
    up)
        for ((i = 0; i < count; i++)); do
            j=$(((i + 1) % count)) h=$(((i - 1 + count) % count))
            echo "netns add $prefix-$i" >&3
            echo "link add name va netns $prefix-$i type veth peer name vb netns $prefix-$j" >&4
            {
                echo "addr add 10.$((i / 250)).$((i % 250)).1/30 dev va"
                echo "addr add 10.$((h / 250)).$((h % 250)).2/30 dev vb"
                for link in lo va vb; do echo "link set $link up"; done
                echo "route add default via 10.$((i / 250)).$((i % 250)).2"
            } >"$folder/inside.$i"
        done 3>"$folder/namespaces" 4>"$folder/veths"
        ip -batch "$folder/namespaces"
        ip -batch "$folder/veths"
        for ((i = 0; i < count; i++)); do ip -n "$prefix-$i" -batch "$folder/inside.$i"; done
        ;;
    down)
        for ((i = 0; i < count; i++)); do echo "netns del $prefix-$i"; done >"$folder/gone"
        ip -batch "$folder/gone"
        ;;
esac
