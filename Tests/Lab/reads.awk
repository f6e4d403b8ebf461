# SPDX-License-Identifier: Apache-2.0
# What the probes read of KVM's structures, as `trace-cmd report` shows the recording of `apictrace live --lapic`, in
# lines that a guest's account can be put into as well (account.jq, `reads`):
#   PID VCPU runs N               entries into guest mode
#   PID VCPU final IRR ISR TPR PPR  as of its last exit
#   PID inhibits MASK...          the VM's inhibit masks in order
#   PID VCPU held VECTOR          a vector that the IRR has shown
# and `wrong ...` for what contradicts itself: APICv active while L2 runs or something inhibits it, or an EOI of a
# vector that was not in service at the exit before.
# -v apicv=on|off

function value(name,   at, rest) {
    at = index($0, " " name "=")
    rest = substr($0, at + length(name) + 2)
    sub(/ [a-z_0-9]+=.*/, "", rest)
    return rest
}

# As older trace-cmd prints arrays, "0 81", and newer, "{0x0,0x51}": awks differ on whether a string may be hexadecimal.
function number(text,   result, i) {
    if (text !~ /^0x/) return text + 0
    for (i = 3; i <= length(text); i++) result = 16 * result + index("0123456789abcdef", substr(text, i, 1)) - 1
    return result
}

# The vectors whose bits are set in eight words, highest last, comma-separated; "-" for none.
function vectors(words,   list, word, count, bit, result) {
    gsub(/[{},]/, " ", words)
    count = split(words, list, " ")
    for (word = 1; word <= count; word++) {
        for (bit = 0; bit < 32; bit++) {
            if (int(number(list[word]) / 2 ^ bit) % 2) result = result (result ? "," : "") sprintf("0x%x", 32 * (word - 1) + bit)
        }
    }
    return result ? result : "-"
}

function thread(   name) {
    name = $1
    sub(/.*-/, "", name)
    return name
}

/ state: / {
    vcpu[thread()] = value("process") " " value("vcpu_id")
    who = vcpu[thread()]
    runs[who] += value("guest_mode") + 0 > in_l2[who] + 0
    in_l2[who] = value("guest_mode") + 0
    if (masks[value("process")] !~ (" " value("inhibits") "$"))
        masks[value("process")] = masks[value("process")] " " value("inhibits")
    expected = apicv == "on" && value("inhibits") == "0x0" && !in_l2[who]
    if (value("apicv_active") != expected) print "wrong apicv_active:" $0
}

/ lapic: / {
    who = vcpu[thread()]
    irr = vectors(value("irr"))
    in_service[who] = vectors(value("isr"))
    final[who] = irr " " in_service[who] " " value("tpr") " " value("ppr")
    count = split(irr, list, ",")
    for (i = 1; i <= count; i++) requested[who, list[i]] = 1
}

/ kvm_eoi: / {
    who = vcpu[thread()]
    vector = sprintf("0x%x", value("vector"))
    if (("," in_service[who] ",") !~ ("," vector ",")) print "wrong, not in service:" $0
}

END {
    for (who in runs) print who " runs " runs[who]
    for (who in final) print who " final " final[who]
    for (process in masks) print process " inhibits" masks[process]
    for (key in requested) {
        split(key, part, SUBSEP)
        if (part[2] != "-") print part[1] " held " part[2]
    }
}
