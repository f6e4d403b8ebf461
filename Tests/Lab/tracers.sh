# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# The tracers of a lab boot, sourced by init. Each is there only if the initramfs holds it.

# start_tracers DIR: those that run beside the guest.
start_tracers() {
    :
}

# traced DIR COMMAND...: runs the command, under trace-cmd if it is there; the command's output and status are kept.
traced() {
    dir=$1
    shift
    if command -v trace-cmd >/dev/null; then
        # The command's status is not trace-cmd's.
        trace-cmd record -q -b 8192 -e kvm -e kvmmmu -o "$dir/trace.dat" \
            sh -c '"$@"; echo $? >/tmp/status' sh "$@" 3>/dev/null
        return "$(cat /tmp/status)"
    fi
    "$@"
}

# stop_tracers DIR
stop_tracers() {
    :
}
