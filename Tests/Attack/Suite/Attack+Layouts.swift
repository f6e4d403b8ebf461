// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// The same events as other kernels tell them (arch/x86/kvm/trace.h, 5.10 to 7.2).
extension Attack {
    static let layouts = Attack(
        name: "layout", variants: { $0.hasFacts ? 0 : Layout.allCases.count },
        change: { recording, number, _, _ in
            let layout = Layout.allCases[number % Layout.allCases.count]
            guard recording.takeLayout(layout) else { return false }
            recording.changes.insert(.relaid)
            recording.descriptions.append("layout: \(layout)")
            return true
        })

    fileprivate enum Layout: CaseIterable {
        /// kvm_entry.intr_info is there since 6.14.
        case withEntryInfo, withoutEntryInfo
        /// kvm_inj_virq.soft and .reinjected are there since 6.0.
        case withoutReinjection
        /// kvm_page_fault.vcpu_id is there since 6.0.
        case withoutFaultVCPU
        /// As trace-cmd's own plugin prints kvm_exit.
        case withoutExitVCPU
        /// kvm_nested_vmenter is kvm_nested_vmrun, of SVM only, up to 5.19.
        case withoutNestedEntry
        /// kvm_apicv_inhibit_changed is there since 5.18.
        case withoutInhibitEvent
        /// Nothing says which kernel it is.
        case nameless
    }
}

extension HeldRecording {
    fileprivate mutating func takeLayout(_ layout: Attack.Layout) -> Bool {
        switch layout {
        case .withEntryInfo: return addEntryInfo()
        case .withoutEntryInfo:
            return rewrite(without: "intr_info", of: .entry) { event in
                guard case .entry(var entry) = event, entry.intrInfo != nil else { return nil }
                entry.intrInfo = nil
                return .entry(entry)
            }
        case .withoutReinjection:
            let isChanged = rewrite(without: "reinjected", of: .injVIRQ) { event in
                guard case .injVIRQ(var injection) = event, injection.reinjected != nil else { return nil }
                (injection.soft, injection.reinjected) = (nil, nil)
                return .injVIRQ(injection)
            }
            info.formatFields.remove("kvm_inj_virq.soft")
            return isChanged
        case .withoutFaultVCPU:
            return rewrite(without: "vcpu_id", of: .pageFault) { event in
                guard case .pageFault(var fault) = event, fault.vcpu != nil else { return nil }
                fault.vcpu = nil
                return .pageFault(fault)
            }
        case .withoutExitVCPU:
            return rewrite(without: "vcpu_id", of: .exit) { event in
                guard case .exit(var exit) = event, exit.vcpu != nil else { return nil }
                exit.vcpu = nil
                return .exit(exit)
            }
        case .withoutNestedEntry: return forgetNestedEntry(release: "5.19.17")
        case .withoutInhibitEvent:
            guard forgetNestedEntry(release: "5.15.160"), info.isa != .svm else { return false }
            remove([.apicvInhibitChanged], isDescribed: false)
            _ = takeLayout(.withoutReinjection)
            _ = takeLayout(.withoutFaultVCPU)
            return true
        case .nameless:
            info.kernel = nil
            info.inhibitNames = []
            info.symbols = nil
            return true
        }
    }

    /// False where no event has the field.
    private mutating func rewrite(without field: String, of kind: EventKind, _ event: (KVMEvent) -> KVMEvent?) -> Bool {
        var isChanged = false
        for index in items.indices {
            guard case .event(let old) = items[index].content, let rewritten = event(old) else { continue }
            items[index].content = .event(rewritten)
            isChanged = true
        }
        info.formatFields.remove("\(tracepoint(of: kind)).\(field)")
        return isChanged
    }

    /// An entry has what kvm_inj_virq said since the thread's exit.
    private mutating func addEntryInfo() -> Bool {
        guard items.contains(where: { $0.event?.isOfVMX ?? false }) else { return false }
        var injected: [Int32: UInt32] = [:]
        var isChanged = false
        for index in items.indices {
            let tid = items[index].stamp.tid
            switch items[index].event {
            case .exit: injected[tid] = nil
            case .injVIRQ(let injection): injected[tid] = 1 << 31 | injection.vector & 0xff
            case .entry(var entry) where entry.intrInfo == nil:
                entry.intrInfo = injected.removeValue(forKey: tid) ?? 0
                items[index].content = .event(.entry(entry))
                isChanged = true
            default: break
            }
        }
        if isChanged { info.formatFields.insert("\(tracepoint(of: .entry)).intr_info") }
        return isChanged
    }

    private mutating func forgetNestedEntry(release: String) -> Bool {
        guard items.contains(where: { $0.event?.isSignOfL2OnVMX ?? false }), info.recordedKinds.contains(.nestedVMEnter)
        else { return false }
        remove([.nestedVMEnter], isDescribed: false)
        info.kernel = "Linux host \(release) x86_64"
        info.inhibitNames = []
        return true
    }
}

extension KVMEvent {
    fileprivate var isOfVMX: Bool {
        if case .exit(let exit) = self { exit.isa == 1 } else { false }
    }
}
