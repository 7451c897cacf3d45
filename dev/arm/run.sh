#!/bin/sh
# Builds Scaffold for 64-bit Arm and runs it under emulation, to show that the Arm kernels compute
# what the others compute. Emulation says nothing about speed.
#
# Works on Debian 12 and what resembles it. Needs cargo of Rust 1.95 or newer; the compiler, the
# standard library for Arm, a linker and the emulator are Debian's (about 300 MB to fetch, 1.5 GB on
# disk; see PACKAGES).
# Everything is built into target/arm, so that other builds are left alone.
set -eu

CPUS="max cortex-a53" # with the dot product instructions, and without
PACKAGES="rustc-web libstd-rust-web-dev:arm64 gcc-12-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
TARGET=aarch64-unknown-linux-gnu
EMULATOR=qemu-aarch64-static

usage() {
    cat <<'EOF'
usage: dev/arm/run.sh COMMAND

  setup         install what is missing (the only command that needs root)
  check         compile the whole workspace for Arm, tests included, without running anything
  test          build and run the kernels' tests and the models' goldens, on an emulated CPU with
                the dot product instructions and on one without
  test ARGS     the same with other arguments for `cargo test`, for example: test -p scaffold-text
  scaffold ARGS run the command line, for example: scaffold run starter "Hello" --max-new-tokens 5

ARM_CPUS names other CPUs to emulate; `qemu-aarch64-static -cpu help` lists them.
EOF
}

# What is done is printed first.
show() {
    printf '+ %s\n' "$*" >&2
    "$@"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then show "$@"; else show sudo "$@"; fi
}

missing() {
    for package in $PACKAGES; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

setup() {
    absent=$(missing)
    if [ -z "$absent" ]; then
        echo "everything is installed: $PACKAGES"
        return
    fi
    echo "to be installed: $absent"
    dpkg --print-foreign-architectures | grep -qx arm64 || as_root dpkg --add-architecture arm64
    as_root apt-get update
    # shellcheck disable=SC2086 # a list of words
    as_root apt-get install --yes --no-install-recommends $absent
}

# The variables by which cargo uses another compiler, linker and target, for this script alone.
prepare() {
    absent=$(missing)
    if [ -n "$absent" ]; then
        echo "not installed: $absent; run: dev/arm/run.sh setup" >&2
        exit 1
    fi
    # Not the rustc that comes first in PATH: rustup has no standard library for Arm here.
    export RUSTC=/usr/bin/rustc
    export CARGO_TARGET_DIR=target/arm
    export CARGO_BUILD_TARGET=$TARGET
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc-12
    # For the C and assembly code of dependencies.
    export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc-12
    export AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
    echo "compiler: $($RUSTC --version); $(cargo --version); emulator: $($EMULATOR --version | head -n 1)"
}

# The emulated program finds its libraries in the system's own directories, where libc6:arm64, which
# comes with the packages, puts them; with `-L` and the linker's libraries it hangs at the first thread.
emulate() {
    echo "emulated CPU: $1"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$EMULATOR -cpu $1"
}

cd "$(dirname "$0")/../.."
command=${1:-}
[ $# -gt 0 ] && shift
case "$command" in
setup)
    setup
    ;;
check)
    prepare
    show cargo check --workspace --all-targets "$@"
    ;;
test)
    prepare
    for cpu in ${ARM_CPUS:-$CPUS}; do
        emulate "$cpu"
        if [ $# -gt 0 ]; then
            show cargo test "$@"
        else
            show cargo test -p scaffold-kernels
            show cargo test -p scaffold-model --test goldens --test encoders --test invariance
        fi
    done
    ;;
scaffold)
    prepare
    for cpu in ${ARM_CPUS:-max}; do
        emulate "$cpu"
        show cargo run --release -p scaffold-cli -- "$@"
    done
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
