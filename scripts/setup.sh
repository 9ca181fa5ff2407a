#!/usr/bin/env bash
# Finds what `make run`, `make test`, `make test-kafka`, `make test-web`, `make test-clients` or
# `make lint` needs and this machine lacks, says what it is about to install, and installs it.
# Silent when nothing is missing.
#
#   scripts/setup.sh run|test|test-kafka|test-web|test-clients|lint
#   SETUP_DRY_RUN=1 scripts/setup.sh test     says it all and changes nothing
#
# Rust comes from the distribution where it is new enough, else from rustup. Small tools that
# the distribution lacks are built into target/tools, never into the system; so is a newer Node
# than the distribution's. An older Rust, Go or Node that is already there is left alone: whoever
# installed it must decide.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-}
case $mode in
    run | test | test-kafka | test-web | test-clients | lint) ;;
    *) echo "usage: scripts/setup.sh run|test|test-kafka|test-web|test-clients|lint" >&2 && exit 2 ;;
esac

tools=$PWD/target/tools
export PATH=${HOME:-}/.cargo/bin:$tools/bin:$tools/node_modules/.bin:$PATH
rust_needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
# The newest grpcurl that Debian 12's Go 1.19 can build; buf likewise for Debian 13's Go 1.24.
grpcurl=github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1 grpcurl_go=1.19
buf=github.com/bufbuild/buf/cmd/buf@v1.65.0 buf_go=1.24
cargo_deny=cargo-deny@0.20.2
java_needed=17 # by Kafka's brokers
node_needed=20.19 # by Vite
go_needed=1.24 # by the Go client, and by buf
# Debian's npm finds its own parts only under Debian's Node, so a newer Node needs another npm.
newer_node="node@22.23.3 npm@10.9.9"

missing=()  # what is missing, in words
packages=() # Debian packages that bring it
steps=()    # commands to run after them, as one would type them

have() { command -v "$1" >/dev/null; }
any_file() { compgen -G "$1" >/dev/null; }
stop() { printf 'setup: %s\n' "$@" >&2 && exit 1; }
at_least() { printf '%s\n' "$1" "$2" | sort -C -V; } # at_least 1.90 1.95.0
as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }
in_apt() { [[ -n $(apt_version "$1") ]]; }
apt_version() { # the version that apt-get would install, digits and dots only; else nothing
    LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: \([0-9]*:\)\?\([0-9.]*[0-9]\).*/\2/p'
}

# --- What is there -----------------------------------------------------------------------

# RocksDB's bindings are generated at build time by libclang, which is loaded by bindgen and
# reads its own stddef.h and stdarg.h.
has_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return
    local lib found=no
    for lib in /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib; do
        if any_file "$lib/libclang.so*" || any_file "$lib/libclang-[0-9]*.so*"; then found=yes; fi
    done
    [[ $found = yes ]] && { any_file "/usr/lib*/clang/*/include/stddef.h" ||
        any_file "/usr/lib/llvm-*/lib/clang/*/include/stddef.h"; }
}

has_certificates() {
    [[ -n ${SSL_CERT_FILE:-} || -e /etc/ssl/certs/ca-certificates.crt || -d /etc/pki ]]
}

needs_openssl() { # only once a dependency links the system's copy
    grep -q '^name = "openssl-sys"' Cargo.lock && ! grep -q '^name = "openssl-src"' Cargo.lock &&
        ! { have pkg-config && pkg-config --exists openssl; }
}

has_jdk() { # of that version, with a compiler, where Maven and the brokers will look for it
    local bin=${JAVA_HOME:+$JAVA_HOME/bin/} version
    version=$("${bin}javac" -version 2>&1 | sed -n 's/^javac //p')
    "${bin}java" -version && at_least "$java_needed" "${version:-0}"
}

has_node() { # new enough, and npm with it
    local version
    version=$(node --version 2>/dev/null) && at_least "$node_needed" "${version#v}" && npm --version
}

has_venv() { python3 -c 'import ensurepip, pip, venv'; }

rust_version() { cargo --version 2>/dev/null | cut -d' ' -f2; }
go_version() { go env GOVERSION 2>/dev/null | sed 's/^go//'; }
go_older_than() { have go && ! at_least "$1" "$(go_version)"; }

find_missing() {
    have cc && have c++ && have make || missing+=("a C and C++ compiler, and make")
    has_certificates || missing+=("CA certificates")
    has_libclang || missing+=("libclang with its headers (or LIBCLANG_PATH set)")
    ! needs_openssl || missing+=("OpenSSL's headers and pkg-config")
    at_least "$rust_needed" "$(rust_version || echo 0)" || missing+=("Rust $rust_needed or newer")
    case $mode in
        test | test-kafka | test-web)
            have curl || missing+=("curl")
            ;;&
        test | test-kafka | test-clients)
            have grpcurl || missing+=("grpcurl")
            have jq || missing+=("jq")
            ;;&
        test-kafka | test-web | test-clients)
            has_jdk || missing+=("a JDK, $java_needed or newer")
            have mvn || missing+=("maven")
            ;;&
        test-kafka)
            have kcat || missing+=("kcat")
            have openssl || missing+=("openssl")
            ;;&
        test-web | test-clients)
            has_node || missing+=("Node $node_needed or newer, with npm")
            ;;&
        test-web)
            have chromium || missing+=("chromium")
            ;;&
        test-clients)
            at_least "$go_needed" "$(go_version || echo 0)" || missing+=("Go $go_needed or newer")
            ;;&
        lint)
            have shellcheck || missing+=("shellcheck")
            have cargo-deny || missing+=("cargo-deny")
            ;;&
        test-clients | lint)
            cargo fmt --version && cargo clippy --version || missing+=("rustfmt and clippy")
            have buf || missing+=("buf")
            ;;&
        test-kafka | test-web | test-clients | lint)
            has_venv || missing+=("python3 with venv and pip")
            ;;
    esac >/dev/null 2>&1
}

# --- How to get it -----------------------------------------------------------------------

plan_rust() {
    if have rustup && cargo --version >/dev/null 2>&1; then
        steps+=("rustup update stable")
    elif have rustup; then
        steps+=("rustup default stable")
    elif have cargo; then
        stop "$(command -v cargo) is version $(rust_version); Tandem needs $rust_needed or newer." \
            "Update it the way it was installed, or remove it, and run this again."
    elif at_least "$rust_needed" "$(apt_version rustc)"; then
        packages+=(cargo rustc)
    elif at_least "$rust_needed" "$(apt_version rustc-web)"; then
        packages+=(cargo-web rustc-web)
    elif in_apt rustup; then
        packages+=(rustup)
        steps+=("rustup default stable")
    else
        packages+=(curl)
        steps+=("curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path")
    fi
}

plan_rust_lints() { # rustup's default profile has them
    if have rustup; then
        steps+=("rustup component add rustfmt clippy")
    elif [[ " ${packages[*]} " = *" rustc-web "* ]] || dpkg -s rustc-web >/dev/null 2>&1; then
        packages+=(rustfmt-web rust-web-clippy)
    elif [[ " ${packages[*]} " = *" rustc "* ]] || dpkg -s rustc >/dev/null 2>&1; then
        packages+=(rustfmt rust-clippy)
    fi
}

plan_go_tool() { # name, module@version, Go version it needs
    if in_apt "$1"; then
        packages+=("$1") && return
    fi
    if go_older_than "$3" || { ! have go && ! at_least "$3" "$(apt_version golang-go)"; }; then
        stop "$1 is missing, and building it takes Go $3 or newer." \
            "Install such a Go, or $1 itself, and run this again."
    fi
    have go || packages+=(golang-go)
    steps+=("GOBIN='$tools/bin' go install $2")
}

plan_node() { # some repositories' nodejs is npm too, and their package refuses Debian's npm
    local npm=()
    LC_ALL=C apt-cache show --no-all-versions nodejs | grep '^Provides:.*npm' >/dev/null || npm=(npm)
    have node || packages+=(nodejs)
    have npm || packages+=("${npm[@]}")
    if have node || ! at_least "$node_needed" "$(apt_version nodejs)"; then
        steps+=("npm install --no-audit --no-fund --prefix '$tools' $newer_node")
    fi
}

plan_go() {
    local found
    have go && found="$(command -v go) is version $(go_version)"
    if [[ -n ${found:-} ]] || ! at_least "$go_needed" "$(apt_version golang-go)"; then
        stop "${found:-apt-get has none that is new enough}; the Go client takes Go $go_needed or newer." \
            "Install such a Go and run this again."
    fi
    packages+=(golang-go)
}

plan_jdk() {
    local version
    for version in "$java_needed" 21 25; do
        if in_apt "openjdk-$version-jdk-headless"; then
            packages+=("openjdk-$version-jdk-headless") && return
        fi
    done
    stop "apt-get has no JDK from version $java_needed on: install one and run this again."
}

plan() {
    local what
    for what in "${missing[@]}"; do
        case $what in
            "a C and"*) packages+=(build-essential) ;;
            "CA cert"*) packages+=(ca-certificates) ;;
            libclang*) packages+=(libclang-dev) ;;
            OpenSSL*) packages+=(libssl-dev pkg-config) ;;
            Rust*) plan_rust ;;
            rustfmt*) plan_rust_lints ;;
            "a JDK"*) plan_jdk ;;
            Go*) plan_go ;;
            Node*) plan_node ;;
            python3*) packages+=(python3 python3-venv python3-pip) ;;
            grpcurl) plan_go_tool grpcurl "$grpcurl" "$grpcurl_go" ;;
            buf) plan_go_tool buf "$buf" "$buf_go" ;;
            cargo-deny) steps+=("cargo install $cargo_deny --locked --debug --root '$tools'") ;;
            *) packages+=("$what") ;;
        esac
    done
}

# Standard input is closed, so that nothing waits for an answer that CI can't give.
apply() {
    if [[ -n ${SETUP_DRY_RUN:-} ]]; then
        echo "setup: dry run, nothing was installed" && exit 0
    fi
    if ((${#packages[@]})); then
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${packages[@]}" </dev/null
    fi
    local step
    for step in "${steps[@]}"; do
        echo "setup: $step"
        bash -euo pipefail -c "$step" </dev/null
        hash -r
    done
}

find_missing
((${#missing[@]})) || exit 0

echo "setup: make $mode needs, and this machine lacks:"
printf '  - %s\n' "${missing[@]}"
have apt-get || stop "This is not Debian or Ubuntu: install these yourself and run this again."
if ((EUID != 0)) && ! have sudo; then
    stop "Installing takes root, and there is no sudo: run scripts/setup.sh $mode as root."
fi
echo "setup: asking apt-get for its current list (apt-get update)"
[[ -n ${SETUP_DRY_RUN:-} ]] || as_root apt-get update -qq </dev/null
plan
((${#packages[@]} == 0)) || echo "setup: about to install with apt-get: ${packages[*]}"
((${#steps[@]} == 0)) || { echo "setup: about to run:" && printf '  %s\n' "${steps[@]}"; }
apply

missing=() && find_missing
((${#missing[@]} == 0)) || stop "still missing after the installation:" "${missing[@]/#/  }"
