# SPDX-License-Identifier: Apache-2.0
# Sums over a guest's account and over a report of apictrace, for comparing them.

def all_vcpus: [.vms[].vcpus[]];
def total(f): [all_vcpus[] | f // 0] | add // 0;
def sum_of(f): [all_vcpus[] | f[]] | add // 0;

# The account.
def timeouts: sum_of(.timeouts);
def accesses($kind; $level): sum_of(.[$kind][$level]);
def accesses($kind; $level; $register): total(.[$kind][$level][$register]);
# Accesses that KVM sees of L1 and L2 together. A hooked one of L2 it sees as L1's, which does it again.
def seen($kind; $register; $l1_seen):
    accesses($kind; "l2Direct"; $register) + (if $l1_seen then accesses($kind; "l1"; $register) else 0 end);

# What the probes must have read of KVM's structures, in the lines of reads.awk.
def vectors: if length == 0 then "-" else join(",") end;
def reads: .vms[] | .pid as $pid | .vcpus[] | "\($pid) \(.id)" as $who
    | "\($who) runs \(.vmruns)",
      "\($who) final \(.final.irr | vectors) \(.final.isr | vectors) \(.final.tpr) \(.final.ppr)",
      (.late | keys[] | "\($who) held \(.)");

# The report.
def reported($level; $kind): total(.apicAccess[$level][$kind]);
def lossy: .loss.known > 0 or .loss.gapsTotal > 0 or .loss.unknownGaps > 0;
