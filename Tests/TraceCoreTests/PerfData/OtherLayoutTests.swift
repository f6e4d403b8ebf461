// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Formats of kernels before 5.10 and of other machines, which are no damage.
@Suite struct OtherLayoutTests {
    private let path = TestFile.fixture("layouts/kernel-5.4.dat.zst")

    @Test func `a kernel's layouts of before 5_10 are read`() throws {
        let read = try TestFile.read(Recording(path: path))
        #expect(read.totals.cut == nil)
        #expect(read.lines.count == 10)
        #expect(read.info.recordedKinds.isSuperset(of: EventKindSet(.entry, .exit, .nestedVMExit, .nestedVMExitInject)))
        #expect(
            read.lines.contains {
                $0.contains("nestedVMExit") && $0.contains("reason: 48") && $0.contains("rip: 12288")
            })
        #expect(read.lines.contains { $0.contains("entry(") && $0.contains("rip: nil") })
    }

    @Test func `what such a kernel has no event for is not asked for`() throws {
        let report = try BundledRecording.report(of: path)
        #expect(report.verdict == .inconclusive)
        #expect(report.limits.contains("This kernel has no event kvm_nested_vmenter on VMX."))
        #expect(report.recordCommand?.contains("kvm_nested_vmenter") == false)
        #expect(report.recordCommand?.contains("kvm_apicv_inhibit_changed") == false)
        #expect(report.limits.allSatisfy { !$0.contains("Not recorded: kvm_entry") })
    }

    @Test func `a layout that nobody knows is counted, told and never clean`() throws {
        var trace = TestTrace()
        trace.formats.append(("kvm", TestRecord.format("kvm_inj_virq", id: 301, [("u32 number", 8, 4, 0)])))
        var page = TestPage(time: 1)
        page.record(TestRecord.eoi(vcpu: 0, vector: 1))
        page.record(TestRecord.other())
        trace.buffers = [.init(cpus: [(0, [page.bytes()])])]
        let read = try TestFile.read(trace.version7())
        #expect(read.totals.cut == nil)
        #expect(read.totals.unread == ["kvm_inj_virq": 1])
        #expect(read.totals.byName == ["kvm_eoi": 1, "kvm_inj_virq": 1])
        #expect(!read.totals.isWhole)
    }

    @Test func `another machine's KVM is named`() throws {
        let path = TestFile.fixture("layouts/arm64-kvm.dat.zst")
        #expect(throws: InputError.foreign(file: path, .otherArchitecture(machine: "aarch64"))) {
            try Recording(path: path)
        }
    }

    @Test(arguments: ["aarch64", "armv7l", "riscv64", "s390x", "ppc64le", "x86_64", "i686", "(none)"])
    func `machines are told by their names`(machine: String) throws {
        var trace = TestTrace()
        trace.options = [(5, Array("Linux host 6.12 \(machine)\0".utf8))]
        let isKnown = ["x86_64", "i686", "(none)"].contains(machine)
        let read = try? TestFile.read(trace.version7())
        #expect((read != nil) == isKnown)
    }
}
