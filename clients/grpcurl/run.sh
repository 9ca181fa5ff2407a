#!/usr/bin/env bash
# A walk through the whole contract with grpcurl, in order, each step compared with what it has to print.
#
#   ./run.sh             walks, shows what differs from NN-*.txt, and then ends with 1
#   ./run.sh --accept    walks, and takes what it prints as what it has to print
#
# TANDEM_COMMAND and TANDEM_QUERY (several, with commas) say where Tandem is, if not where `make run
# QUERY_INSTANCES=3` has it. The steps use ids of their own each time, so they can be run again and again,
# and beside others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Where scripts/setup.sh puts grpcurl.
export PATH=$PATH:$PWD/../../target/tools/bin
# Messages and sorting have to be the same everywhere.
export LC_ALL=C

stop() { printf 'run.sh: %s\n' "$@" >&2 && exit 1; }

case $* in
    '' | --accept) ;;
    *) stop "usage: ./run.sh [--accept]" ;;
esac
for tool in grpcurl jq timeout; do
    command -v $tool >/dev/null || stop "$tool is missing; see README.md"
done

export COMMAND=${TANDEM_COMMAND:-127.0.0.1:8090}
QUERIES=${TANDEM_QUERY:-127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097}
export QUERIES=${QUERIES//,/ }
export QUERY=${QUERIES%% *}
# A word that no other run uses; twelve hex digits, so that it can be the end of a UUID.
RUN=$(printf '%04x%04x%04x' $((RANDOM * 2)) $((RANDOM * 2)) $(($$ % 65536)))
WORK=$(mktemp -d)
export RUN WORK
trap 'rm -rf "$WORK"' EXIT
# `timeout` takes a step out of the terminal's reach, so it's ended from here.
trap 'kill ${!-} 2>/dev/null || :; exit 130' INT

for at in $COMMAND $QUERIES; do
    health=$(grpcurl -plaintext -connect-timeout 3 -max-time 5 "$at" grpc.health.v1.Health/Check 2>&1) ||
        stop "nobody answers at $at: start Tandem (make run QUERY_INSTANCES=3), or say in TANDEM_COMMAND and" \
            "TANDEM_QUERY where it is. grpcurl said: $health"
    [[ $health = *'"SERVING"'* ]] || stop "$at is not ready yet; run this again in a moment"
done

# What differs from run to run by nature gets a name in its place.
normalise() {
    local addresses=(-e "s/$COMMAND/<command>/g") query
    for query in $QUERIES; do addresses+=(-e "s/$query/<query>/g"); done
    sed -E -e "s/$RUN/<run>/g" "${addresses[@]}" \
        -e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/<id>/g' \
        -e 's/"(receipt|position|nextPageToken|resumeToken)": "[A-Za-z0-9_-]+"/"\1": "<\1>"/' \
        -e 's/"instanceId": "[^"]+"/"instanceId": "<instance>"/' \
        -e 's/"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"/"<time>"/' \
        -e 's/"staleness": "[0-9.]+s",?/"staleness": "<span>"/' -e '/^ *"forwarded": true$/d' \
        -e 's/shard [0-9]+ may lag [^ ,]+/shard <shard> may lag <span>/' \
        -e 's/"shard": "[0-9]+"/"shard": "<shard>"/'
}

different=()
for step in [0-9][0-9]-*.sh; do
    expected=${step%.sh}.txt
    status=0
    # None takes a minute; what hangs is told and not waited for.
    timeout 60 bash "$step" >"$WORK/printed" 2>&1 </dev/null &
    wait $! || status=$?
    ((status == 0)) || echo "$step ended with $status" >>"$WORK/printed"
    normalise <"$WORK/printed" >"$WORK/normal"
    if [[ $* = --accept ]]; then
        ((status == 0)) || { cat "$WORK/normal" && stop "$step ended with $status; that can't be accepted"; }
        cp "$WORK/normal" "$expected"
    elif diff -u --label "$expected" --label "$step" "$expected" "$WORK/normal" >"$WORK/diff" 2>&1; then
        echo "ok  $step"
    else
        echo "NOT $step"
        cat "$WORK/diff"
        different+=("$step")
    fi
done
((${#different[@]} == 0)) || stop "these differ from what they have to print: ${different[*]}"
