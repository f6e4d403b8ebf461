// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Which VM and vCPU is held against which, and by what that is told.
@Suite struct PairingTests {
    private struct Named {
        var pid: Int32?
        var command: String?
        var guest: String?
        var l2 = false
    }

    private func report(_ vms: [Named]) -> Report {
        SampleReports.sound.with { report in
            report.vms = vms.enumerated().map { id, named in
                var vm = report.vms[0]
                (vm.id, vm.pid, vm.command, vm.guest) = (id, named.pid, named.command, named.guest)
                vm.vcpus[0].apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
                if !named.l2 { vm.vcpus[0].exits.l2 = [:] }
                return vm
            }
        }
    }

    /// `a-b match` by the VMs' numbers; the same the other way round, which is checked.
    private func pairs(_ a: [Named], _ b: [Named]) -> [String] {
        func words(_ pairing: Pairing, _ swapped: Bool) -> [String] {
            pairing.vms.map { vms in
                let ids = [vms.a?.id, vms.b?.id].map { $0.map(String.init) ?? "" }
                return "\(ids[swapped ? 1 : 0])-\(ids[swapped ? 0 : 1]) \(vms.match.rawValue)"
            }
        }
        let straight = words(Pairing(report(a), report(b)), false)
        #expect(words(Pairing(report(b), report(a)), true).sorted() == straight.sorted())
        return straight
    }

    @Test func `a process is the same by its number, where no name says otherwise`() {
        let (web, db) = (Named(pid: 7, command: "qemu"), Named(pid: 8, command: "qemu"))
        #expect(pairs([web, db], [db, web]) == ["0-1 process", "1-0 process"])
        #expect(pairs([web], [Named(pid: 7)]) == ["0-0 process"])
        // The host was started anew, and numbers were given anew.
        let other = [Named(pid: 7, command: "crosvm"), Named(pid: 9, command: "qemu")]
        #expect(pairs([web], other) == ["0-1 command", "-0 none"])
        #expect(
            pairs(
                [Named(pid: 7, command: "qemu", guest: "web"), Named(pid: 8, command: "qemu", guest: "db")],
                [Named(pid: 7, command: "qemu", guest: "db"), Named(pid: 9, command: "qemu", guest: "web")])
                == ["0-1 guest", "1-0 guest"])
    }

    @Test func `a name tells where one VM on either side has it`() {
        let vms = [Named(command: "qemu"), Named(command: "crosvm")]
        #expect(pairs(vms, vms.reversed()) == ["0-1 command", "1-0 command"])
    }

    @Test func `of several of a name the one with an L2 is the one with an L2, and the others go by their order`() {
        let (plain, nested) = (Named(command: "qemu"), Named(command: "qemu", l2: true))
        #expect(pairs([nested, plain, plain], [plain, nested]) == ["0-1 nested", "1-0 order", "2- none"])
        #expect(pairs([plain, plain], [plain, plain]) == ["0-0 order", "1-1 order"])
    }

    @Test func `VMs without a name go by their numbers, and the last one left by being the last`() {
        #expect(pairs([Named(), Named()], [Named(), Named()]) == ["0-0 number", "1-1 number"])
        #expect(pairs([Named(command: "qemu")], [Named(command: "qemu-kvm")]) == ["0-0 only"])
        #expect(
            pairs([Named(command: "qemu")], [Named(command: "a"), Named(command: "b")]) == [
                "0- none", "-0 none", "-1 none",
            ])
    }

    @Test func `vCPUs go by their numbers, and without one by their order`() {
        func vm(_ ids: [Int32?]) -> Report.VM {
            var vm = SampleReports.sound.vms[0]
            vm.vcpus = ids.map { id in
                var vcpu = vm.vcpus[0]
                vcpu.id = id
                return vcpu
            }
            return vm
        }
        func pairs(_ a: [Int32?], _ b: [Int32?]) -> [String] {
            Pairing.vcpus(vm(a), vm(b)).map { vcpus in
                "\(vcpus.a.map { $0.id.map(String.init) ?? "?" } ?? "")-\(vcpus.b.map { $0.id.map(String.init) ?? "?" } ?? "") "
                    + vcpus.match.rawValue
            }
        }
        #expect(pairs([0, 1], [1, 0]) == ["0-0 number", "1-1 number"])
        #expect(pairs([0, 1], [1, 2]) == ["0- none", "1-1 number", "-2 none"])
        #expect(pairs([nil, 1], [1, 0]) == ["?-0 order", "1-1 number"])
        #expect(Pairing.vcpus(vm([0]), nil).map(\.match) == [.none])
    }
}
