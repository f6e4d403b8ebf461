# SPDX-License-Identifier: Apache-2.0
# Sums over a guest's account, for the comparison with what a tracer counted.

def vcpus: [.vms[].vcpus[]];
def total(f): [vcpus[] | f // 0] | add;

# Accesses of one register that KVM can see; a hooked one is seen as L1's, which does it again.
def seen($kind; $register; $accesses):
    if $accesses == "l2" then total(.[$kind].l2Direct[$register])
    else total(.[$kind].l1[$register]) + total(.[$kind].l2Direct[$register]) end;

def timeouts: [vcpus[].timeouts[]] | add // 0;
