// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

@Suite struct HostFactsTests {
    /// Members of nested_vmx by kernel, as read in their sources.
    @Test(
        arguments: [
            (true, true, FixState.State.present),  // 6.1.192, 6.12.117, 6.14, 6.17
            (false, true, .absent),  // 5.4 to 5.19, 6.2, 6.5
            (false, false, .present),  // 7.0 and later
            (nil, nil, .unknown),  // AMD, or kvm_intel without BTF
        ] as [(Bool?, Bool?, FixState.State)])
    func `the members of nested_vmx tell the fix`(_ update: Bool?, _ mode: Bool?, _ state: FixState.State) {
        let fix = FixState(hasDeferredUpdate: update, hasDeferredMode: mode)
        #expect(fix.state == state)
        #expect(fix.basis == .btf)
    }

    @Test func `vCPUs are found by their descriptors`() throws {
        let proc = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: proc) }
        func link(_ process: String, _ targets: [String]) throws {
            let directory = proc.appendingPathComponent("\(process)/fd")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try Data("qemu\n".utf8).write(to: proc.appendingPathComponent("\(process)/comm"))
            for (number, target) in targets.enumerated() {
                try FileManager.default.createSymbolicLink(
                    atPath: directory.appendingPathComponent("\(number)").path, withDestinationPath: target)
            }
        }
        try link("30", ["anon_inode:kvm-vm", "anon_inode:kvm-vcpu:1", "anon_inode:kvm-vcpu:0", "/dev/kvm"])
        try link("7", ["anon_inode:[eventfd]", "anon_inode:kvm-vcpu:x"])
        try link("self", ["anon_inode:kvm-vcpu:0"])
        #expect(VCPUFinder.find(in: proc.path) == [FoundVM(process: 30, command: "qemu", vcpus: [0, 1])])
    }

    /// This kernel's types stand for a host whose kvm_intel has none, or whose CPU isn't known.
    @Test(
        LiveHost.needs[2],
        .enabled(if: access("/sys/kernel/btf/kvm_intel", F_OK) != 0, "kvm_intel's types are here"),
        arguments: [(ISA.vmx, "not judged"), (.unknown, "not known"), (.svm, "none needed")])
    func `doctor says whether memory is judged`(_ isa: ISA, _ finding: String) throws {
        let types = try KernelTypes()
        try #require(types.hasMember("vmcs01", of: "vcpu_vmx") == nil)
        var host = HostFacts.current
        host.isa = isa
        for hasProbes in [true, false] {
            let check = TypeChecks.memoryProofs(types, host, hasProbes: hasProbes)
            #expect(check.finding.contains(finding))
            #expect((check.state == .ok) == (isa == .svm))
        }
        #expect((TypeChecks.fix(types, host).state == .ok) == (isa == .svm))
    }

    @Test func `doctor fails as a whole where one check has failed`() {
        let note = DoctorCheck("kvm", .note, "pvm", advice: "look elsewhere")
        #expect(Examination([note]).canTrace)
        let failed = Examination([note, DoctorCheck("tracefs", .failed, "not mounted", advice: "mount it")])
        #expect(!failed.canTrace)
        #expect(
            failed.text == """
                note    kvm      pvm
                                 -> look elsewhere
                FAILED  tracefs  not mounted
                                 -> mount it
                apictrace live can't work here yet.
                """)
    }
}
