#!/usr/bin/env bash
# Tests want the real Apache Kafka and a real schema registry, on machines without Docker, and
# nothing of them may stay behind however a test ends. So this brings them as jars, and runs
# them for as long as whoever started it holds its standard input open.
#
#   scripts/servers.sh fetch                 brings them into target/servers; silent when there
#   scripts/servers.sh kafka DIR 1|3         a cluster of so many nodes; DIR/bootstrap says where
#   scripts/servers.sh registry DIR          Confluent's API; DIR/url says where
#   scripts/servers.sh tool NAME ARGUMENT... one of Kafka's own: topics, configs, groups, ...
#
# Servers run in the foreground on 127.0.0.1, with all they have in DIR; what is there already
# is kept, ports too. They are killed when standard input ends, and with this process.
# `temporary` as a last argument removes DIR then. Lines on standard input are commands:
#
#   kill N...     as a power cut would        answered on standard output by `killed N...`,
#   stop N...     politely                    `stopped N...`,
#   start N...    on the same data and port   `started N...`; or `failed ...` and why
#
# The first line on standard output is `started` with every node. A node's own output is
# DIR/node-N/log, its process id DIR/node-N/pid while it runs; the registry is node 1.
#
# DIR/extra.properties overrules e2e/servers/server.properties, with @PORT@ and its like too;
# DIR/extra.format has more arguments, one a line, for the formatting of each node's storage.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

servers=$root/target/servers
given=$root/e2e/servers
start_seconds=120 # three nodes on two busy cores take a quarter of it
stop_seconds=60
port_tries=5
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
# For a start that is soon over: no second compiler, no collector with threads of its own.
jvm=("$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:+ExitOnOutOfMemoryError)
kafka=("${jvm[@]}" "-Dlog4j2.configurationFile=$given/log4j2.properties" -cp "$servers/kafka/libs/*")

die() { printf 'servers: %s\n' "$@" >&2 && exit 1; }
usage() { sed -n 's/^#   \(scripts.*\)/\1/p' "${BASH_SOURCE[0]}" >&2 && exit 2; }

# --- Bringing them -----------------------------------------------------------------------

is_fetched() { cmp -s "$given/pom.xml" "$servers/pom.xml"; }

# One at a time, into a folder of its own that gets its name when it is complete.
fetch() {
    if is_fetched; then return; fi
    mkdir -p "$root/target"
    exec 9>"$servers.lock"
    flock 9
    if is_fetched; then return; fi
    echo "servers: fetching Apache Kafka and a schema registry with Maven, some 200 MB"
    rm -rf "$servers".new.* "$servers".old.* # of a fetch that was interrupted
    local new=$servers.new.$$ old=$servers.old.$$
    mkdir "$new"
    mvn -q -B -f "$given/pom.xml" "-Dservers=$new" package </dev/null
    cp "$given/pom.xml" "$new/"
    if [[ -e $servers ]]; then mv -T "$servers" "$old"; fi
    mv -T "$new" "$servers"
    rm -rf "$old"
}

tool() {
    local -A classes=(
        [topics]=org.apache.kafka.tools.TopicCommand
        [configs]=kafka.admin.ConfigCommand
        [groups]=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
        [transactions]=org.apache.kafka.tools.TransactionsCommand
    )
    exec "${kafka[@]}" -Xmx128m -Dservers.level=ERROR "${classes[$1]:-$1}" "${@:2}"
}

# --- Running nodes, of whatever kind -----------------------------------------------------

kind='' dir='' temporary='' nodes=() up=''
declare -A pid=()                   # of each node that runs
declare -A port=() controller_port=() # of each node
commands=()                         # that came while something else was waited for
fault=''                            # why the last thing failed

# In the background; killed with this process, also where it can't say so itself.
with_us() { setpriv --pdeathsig KILL -- "$@" </dev/null & }

runs() { [[ -n ${pid[$1]:-} ]] && kill -0 "${pid[$1]}" 2>/dev/null; }

# To be called for a node that has ended or is about to.
forget() {
    if [[ -z ${pid[$1]:-} ]]; then return; fi
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
    rm -f "$dir/node-$1/pid"
}

# The shell would tell of each that was killed.
end() {
    local running
    running=$(jobs -rp)
    # shellcheck disable=SC2086 # one word each
    if [[ -n $running ]]; then kill -9 $running || true; fi
    wait || true
    rm -f "$dir"/node-*/pid
    if [[ -n $temporary ]]; then rm -rf "$dir"; fi
} 2>/dev/null

# Lets a moment pass, in which whoever started this may go or ask for something.
pause() {
    local line='' status=0
    IFS= read -r -t 0.1 line || status=$?
    if ((status == 0)); then
        commands+=("$line")
    elif ((status <= 128)); then
        exit 0 # standard input has ended; above 128 it was the time
    fi
}

free_port() { # below those that systems give out by themselves
    local port
    while true; do
        port=$((10000 + SRANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Its own log says that a node is up, never its port: that may have become another's.
start() {
    local node waiting deadline=$((SECONDS + start_seconds))
    for node; do
        if runs "$node"; then fault="node $node runs already" && return 1; fi
        forget "$node"
        if [[ -e $dir/node-$node/log ]]; then cat "$dir/node-$node/log" >>"$dir/node-$node/log.old"; fi
        "launch_$kind" "$node" >"$dir/node-$node/log" 2>&1
        pid[$node]=$!
        echo "${pid[$node]}" >"$dir/node-$node/pid"
    done
    while true; do
        waiting=()
        for node; do
            if ! runs "$node"; then forget "$node" && fault="node $node ended" && return 1; fi
            grep -q "$up" "$dir/node-$node/log" || waiting+=("$node")
        done
        if ((${#waiting[@]} == 0)); then return; fi
        if ((SECONDS >= deadline)); then
            fault="not up in $start_seconds s: ${waiting[*]}" && return 1
        fi
        pause
    done
}

# A node's last words are of its tidying up; why it had to is said before.
show_logs() {
    grep -E -A 3 -m 5 '(ERROR|FATAL) |^Exception' "$dir"/node-*/log
    tail -n 15 "$dir"/node-*/log
}

kill_now() {
    local node
    for node; do
        if runs "$node"; then kill -9 "${pid[$node]}"; fi
    done
    for node; do forget "$node"; done
} 2>/dev/null

stop() {
    local node deadline=$((SECONDS + stop_seconds))
    for node; do
        if runs "$node"; then kill -TERM "${pid[$node]}"; fi
    done
    for node; do
        while runs "$node"; do
            if ((SECONDS >= deadline)); then fault="node $node goes on" && return 1; fi
            pause
        done
        forget "$node"
    done
}

# Ports stay with the data. On the first start, others are picked where somebody was quicker.
start_all() {
    local try node first second is_new=
    if [[ ! -e $dir/ports ]]; then is_new=yes; fi
    for ((try = 1; try <= port_tries; try++)); do
        if [[ ! -e $dir/ports ]]; then
            for node in "${nodes[@]}"; do echo "$node $(free_port) $(free_port)"; done >"$dir/ports"
        fi
        while read -r node first second; do
            port[$node]=$first controller_port[$node]=$second
        done <"$dir/ports"
        if "prepare_$kind" && start "${nodes[@]}"; then break; fi
        kill_now "${nodes[@]}"
        if [[ -z $is_new || $try = "$port_tries" ]] ||
            ! grep -qsE 'already in use|in use by another' "$dir"/node-*/log; then
            show_logs >&2
            die "$kind in $dir: $fault"
        fi
        rm -rf "$dir"/ports "$dir"/node-*
    done
    "announce_$kind" "$is_new"
}

obey() { # a command in words
    local does=$1 node
    shift
    for node; do
        if [[ -z ${port[$node]:-} ]]; then echo "failed $does $*: there is no node $node" && return; fi
    done
    case $does in
        kill) kill_now "$@" && echo "killed $*" ;;
        stop) if stop "$@"; then echo "stopped $*"; else echo "failed stop $*: $fault"; fi ;;
        start) if start "$@"; then echo "started $*"; else echo "failed start $*: $fault"; fi ;;
        *) echo "failed $does $*: there is no such command" ;;
    esac
}

serve() { # DIR, nodes, `temporary` or nothing
    local line words
    is_fetched || die "fetch them first: scripts/servers.sh fetch"
    mkdir -p "$1"
    dir=$(cd "$1" && pwd) temporary=$3
    mapfile -t nodes < <(seq "$2")
    trap end EXIT
    trap 'exit 143' TERM INT HUP PIPE
    start_all
    echo "started ${nodes[*]}"
    while true; do
        if ((${#commands[@]})); then
            line=${commands[0]}
            commands=("${commands[@]:1}")
        else
            IFS= read -r line || exit 0
        fi
        read -ra words <<<"$line"
        if ((${#words[@]})); then obey "${words[@]}"; fi
    done
}

# --- Kafka -------------------------------------------------------------------------------

write_properties() { # of a node
    local node=$1 text voters='' other replicas=$((${#nodes[@]}))
    for other in "${nodes[@]}"; do voters+=,$other@127.0.0.1:${controller_port[$other]}; done
    text=$(<"$given/server.properties")
    if [[ -e $dir/extra.properties ]]; then text+=$'\n'$(<"$dir/extra.properties"); fi
    text=${text//@NODE@/"$node"}
    text=${text//@PORT@/"${port[$node]}"}
    text=${text//@CONTROLLER_PORT@/"${controller_port[$node]}"}
    text=${text//@VOTERS@/"${voters#,}"}
    text=${text//@DATA@/"$dir/node-$node/data"}
    text=${text//@REPLICAS@/"$replicas"}
    text=${text//@IN_SYNC@/"$((replicas / 2 + 1))"}
    echo "$text" >"$dir/node-$node/server.properties"
}

prepare_kafka() {
    local node formats=() more=()
    if [[ ! -e $dir/cluster-id ]]; then # 16 bytes; the tool would take a first dash for an option
        echo "T$(head -c 16 /dev/urandom | basenc --base64url | cut -c 2-22)" >"$dir/cluster-id"
    fi
    if [[ -e $dir/extra.format ]]; then mapfile -t more <"$dir/extra.format"; fi
    for node in "${nodes[@]}"; do
        mkdir -p "$dir/node-$node"
        write_properties "$node"
        if [[ -e $dir/node-$node/data/meta.properties ]]; then continue; fi
        with_us "${kafka[@]}" -Xmx128m kafka.tools.StorageTool format \
            -t "$(<"$dir/cluster-id")" -c "$dir/node-$node/server.properties" "${more[@]}" \
            >"$dir/node-$node/log" 2>&1
        formats+=($!)
    done
    for node in "${formats[@]}"; do
        wait "$node" || { fault="formatting failed" && return 1; }
    done
}

launch_kafka() {
    write_properties "$1"
    with_us "${kafka[@]}" -Xmx320m -Djava.awt.headless=true \
        "-Dkafka.logs.dir=$dir/node-$1" kafka.Kafka "$dir/node-$1/server.properties"
}

announce_kafka() {
    local node all=''
    for node in "${nodes[@]}"; do all+=,127.0.0.1:${port[$node]}; done
    echo "${all#,}" >"$dir/bootstrap"
}

# --- The registry ------------------------------------------------------------------------

prepare_registry() { mkdir -p "$dir/node-1"; }

# WRITE_DELAY=0: what it has answered is kept, as by a registry that writes it to a topic.
launch_registry() {
    REGISTRY_DATASOURCE_URL="jdbc:h2:file:$dir/node-1/data;DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0" \
        with_us "${jvm[@]}" -Xmx256m -Dquarkus.http.host=127.0.0.1 \
        "-Dquarkus.http.port=${port[1]}" -jar "$servers"/registry/*-runner.jar
}

# Its default is to compare nothing; Confluent's is BACKWARD.
announce_registry() { # whether this is its first start
    local url=http://127.0.0.1:${port[1]}/apis/ccompat/v7
    if [[ -n $1 ]]; then
        curl -fsS -m 30 -o "$dir/node-1/config" -X PUT -H 'Content-Type: application/json' \
            -d '{"compatibility": "BACKWARD"}' "$url/config"
    fi
    echo "$url" >"$dir/url"
}

if [[ $# -lt 2 && ${1:-} != fetch ]]; then usage; fi
case "$1 ${*:3}" in
    "fetch ") fetch ;;
    "tool "*) tool "${@:2}" ;;
    "kafka "[13] | "kafka "[13]" temporary")
        kind=kafka up='Kafka Server started'
        serve "$2" "$3" "${4:-}"
        ;;
    "registry " | "registry temporary")
        kind=registry up='Listening on: http'
        serve "$2" 1 "${3:-}"
        ;;
    *) usage ;;
esac
