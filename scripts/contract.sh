#!/usr/bin/env bash
# The gRPC contract (proto/) is a product of its own: clients are made from it that nobody here knows of.
# This keeps what its README promises them.
#
#   scripts/contract.sh check        everything below that checks
#   scripts/contract.sh breaking     nothing may be gone or changed that was released: against the last tag
#                                    v*, or where there is none (shallow clones, archives) proto/released.binpb
#   scripts/contract.sh self-test    that `breaking` and `reasons` would notice
#   scripts/contract.sh reasons      proto/ERRORS.md has each reason and fact that the sources have, no other
#   scripts/contract.sh reference    writes proto/REFERENCE.md from the comments
#   scripts/contract.sh release      writes proto/released.*, before a version is tagged; refuses what breaks
#                                    unless the version in Cargo.toml has another major
#
# It needs buf and python3: scripts/setup.sh lint.
# shellcheck disable=SC2016  # backticks in single quotes are Markdown's
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PATH=$PATH:$PWD/target/tools/bin
# Words are compared and sorted the same everywhere.
export LC_ALL=C

image=proto/released.binpb
# The version that the image is of, to know whether the major changes.
released=proto/released.version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stop() { printf 'contract: %s\n' "$@" >&2 && exit 1; }

# --- What may not change -------------------------------------------------------------------------

# The contract as last released, for buf: a folder or an image.
baseline() {
    local tag
    if tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null) &&
        git cat-file -e "$tag:proto/buf.yaml" 2>/dev/null; then
        mkdir -p "$work/tag"
        git archive "$tag" proto | tar -x -C "$work/tag"
        echo "$work/tag/proto"
    else
        echo "$image"
    fi
}

breaking() {
    local before
    before=$(baseline)
    buf breaking proto --against "$before" ||
        stop "the contract breaks clients of what was released (${before#"$work/"}); see proto/README.md"
}

version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml; }

release() {
    local now before
    now=$(version)
    before=$(<"$released")
    if [[ ${now%%.*} = "${before%%.*}" ]]; then
        breaking
    elif ! buf breaking proto --against "$(baseline)"; then
        echo "contract: it breaks clients of $before, which $now may do"
    fi
    # Comments may change at any time, so they are left out.
    buf build proto --exclude-source-info -o "$image"
    echo "$now" >"$released"
    echo "contract: $image is the contract of $now; commit it, then tag v$now"
}

# --- Errors --------------------------------------------------------------------------------------

# What answers callers. (The registry in standalone/ speaks Confluent's API, and its errors are theirs.)
answering=(command-svc query-svc crates/service)

# Its sources without comments and tests. Test modules come last in a file.
sources() { # root
    find "${answering[@]/#/$1/}" -path '*/src/*' -name '*.rs' \
        ! -name tests.rs ! -path '*/tests/*' -exec sed -s -e '/^mod tests {$/,$d' -e 's,^ *//.*,,' {} +
}

# Every text that is written like a reason, since reasons reach callers in more than one way (constants,
# tables, arguments). What else is written so is named here.
reasons_in_sources() { # root
    sources "$1" | grep -vE '\benv = |env!\(|env::var' | grep -oE '"[A-Z][A-Z0-9]+(_[A-Z0-9]+)*"' |
        tr -d '"' | grep -vxE 'OK|SIGTERM|SIGINT' | sort -u
}

facts_in_sources() { sources "$1" | grep -oE '\.with\("[^"]+"' | cut -d'"' -f2 | sort -u; }

# The first column of the tables, which have backticks there.
reasons_in_table() { sed -nE 's/^\| `([A-Z0-9_]+)` .*/\1/p' "$1/proto/ERRORS.md" | sort; }
facts_in_table() { # the last one
    sed -nE 's/^\| `[A-Z0-9_]+` .*\| ([^|]*) \|$/\1/p' "$1/proto/ERRORS.md" | grep -oE '`[a-z_]+`' | tr -d '`' |
        sort -u
}

alike() { # what it is about, sources, table: says what only one of them has
    local only
    only=$(comm -3 "$2" "$3" | sed -e 's/^\t\(.*\)/  \1 is in proto\/ERRORS.md and not in the sources/' \
        -e '/^  /!s/\(.*\)/  \1 is in the sources and not in proto\/ERRORS.md/')
    [[ -z $only ]] || { printf 'contract: %s:\n%s\n' "$1" "$only" >&2 && return 1; }
}

reasons() { # root
    local status=0
    reasons_in_sources "$1" >"$work/sources" && reasons_in_table "$1" >"$work/table"
    [[ -s $work/sources && -s $work/table ]] || stop "no reasons found; the script is wrong"
    alike "reasons of errors" "$work/sources" "$work/table" || status=1
    facts_in_sources "$1" >"$work/sources" && facts_in_table "$1" >"$work/table"
    alike "facts in errors" "$work/sources" "$work/table" || status=1
    return $status
}

# --- The reference -------------------------------------------------------------------------------

reference() { buf build proto -o -#format=json | python3 scripts/reference.py; }

current() {
    reference >"$work/REFERENCE.md"
    diff -u --label proto/REFERENCE.md --label comments proto/REFERENCE.md "$work/REFERENCE.md" >&2 ||
        stop "proto/REFERENCE.md is not what the comments say; run scripts/contract.sh reference and commit"
}

# --- That it would be noticed --------------------------------------------------------------------

fresh() { # a copy of the contract to be spoilt
    rm -rf "$work/copy" && mkdir "$work/copy"
    cp -r proto/buf.yaml proto/tandem "$work/copy/"
}

spoil() { # file of the contract, sed's command: changes it, for sure
    sed -E -i.before "$2" "$work/copy/tandem/v1/$1"
    ! cmp -s "$work/copy/tandem/v1/$1"{,.before} || stop "self-test: nothing was changed by $2"
    rm "$work/copy/tandem/v1/$1.before"
    buf build "$work/copy" || stop "self-test: not a contract any more after $2"
}

refused() { # what it is, buf's rule, then as for spoil
    fresh && spoil "$3" "$4"
    local said
    if said=$(buf breaking "$work/copy" --against "$work/good.binpb" --error-format=json); then
        stop "self-test: $1 was not refused"
    fi
    [[ $said = *"\"type\":\"$2\""* ]] || stop "self-test: $1 was refused for something else: $said"
}

accepted() {
    fresh && spoil "$2" "$3"
    buf breaking "$work/copy" --against "$work/good.binpb" || stop "self-test: $1 was refused"
}

unlike() { # what it is, a file of the sources or the table, sed's command
    rm -rf "$work/root" && mkdir "$work/root"
    cp -r --parents "${answering[@]/%//src}" proto/ERRORS.md "$work/root/"
    reasons "$work/root" || stop "self-test: the copy is not like its original"
    sed -E -i.before "$3" "$work/root/$2"
    ! cmp -s "$work/root/$2"{,.before} || stop "self-test: nothing was changed by $3"
    rm "$work/root/$2.before"
    ! reasons "$work/root" 2>/dev/null || stop "self-test: $1 was not noticed"
}

self_test() {
    buf build proto -o "$work/good.binpb"
    refused "a removed field" FIELD_NO_DELETE model.proto '/string phone = 5;/d'
    refused "a renumbered field" FIELD_NO_DELETE model.proto 's/string phone = 5;/string phone = 16;/'
    refused "a field of another type" FIELD_SAME_TYPE query.proto 's/int32 page_size = 1;/int64 page_size = 1;/'
    refused "a renamed field" FIELD_SAME_NAME model.proto 's/string phone = 5;/string tel = 5;/'
    refused "a removed method" RPC_NO_DELETE command.proto '/rpc CancelOrder/d'
    refused "a removed value" ENUM_VALUE_NO_DELETE query.proto '/REJECT_CODE_VALUE = /d'
    accepted "an added field" model.proto 's/(string phone = 5;)/\1\n  string fax = 16;/'
    accepted "an added method" query.proto \
        's/(  rpc ListRejects.*)/\1\n  rpc Count(ListRejectsRequest) returns (ListRejectsResponse);/'
    accepted "an added value" query.proto 's/(  REJECT_CODE_VALUE = .*)/\1\n  REJECT_CODE_NEW = 9;/'
    accepted "another comment" model.proto 's,// A customer\..*,// Somebody.,'
    unlike "a new reason in a call" query-svc/src/status.rs 's/"PEER_FAILED"/"PEER_ASLEEP"/'
    unlike "a new reason as a constant" command-svc/src/status.rs \
        's/^(const INTERNAL:.*)/\1\nconst NEW: \&str = "NEW";/'
    unlike "a new fact" query-svc/src/status.rs 's/\.with\("needed"/.with("wanted"/'
    unlike "a reason that is no more" command-svc/src/status.rs '/^const UNCONFIRMED/d'
    unlike "a row too many" proto/ERRORS.md 's/^(\| )`UNCONFIRMED`( .*)/&\n\1`MADE_UP`\2/'
    unlike "the same row twice" proto/ERRORS.md 's/^\| `UNCONFIRMED` .*/&\n&/'
}

# -------------------------------------------------------------------------------------------------

check() {
    buf lint proto || stop "the contract is not in buf's style"
    buf format proto --diff --exit-code || stop "the contract is not formatted; run buf format -w proto"
    breaking
    reasons .
    current
    self_test
    echo "contract: lint, format, breaking changes, reasons and reference are as they should be"
}

case $* in
    check) check ;;
    breaking) breaking ;;
    self-test) self_test ;;
    reasons) reasons . ;;
    reference) reference >"$work/new" && cp "$work/new" proto/REFERENCE.md ;;
    release) release ;;
    *) sed -n 's/^#   \(scripts.*\)/\1/p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
