// SPDX-License-Identifier: Apache-2.0

extension EventKind {
    /// A field that an event's payload is made of.
    struct BoundField {
        /// The field's names over the kernels, the current one first.
        var names: [String]
        /// An event whose format lacks it can't be decoded.
        var isMandatory: Bool

        static func required(_ names: String...) -> BoundField { BoundField(names: names, isMandatory: true) }
        static func optional(_ name: String) -> BoundField { BoundField(names: [name], isMandatory: false) }
    }

    /// The fields in the order in which ``EventDecoder`` loads them.
    var boundFields: [BoundField] {
        switch self {
        case .entry: [.optional("vcpu_id"), .required("rip"), .optional("intr_info")]
        case .exit, .nestedVMExit:
            [
                .required("exit_reason"), .required("isa"), .optional("vcpu_id"), .required("guest_rip"),
                .required("info1"), .required("info2"), .optional("intr_info"),
            ]
        case .nestedVMExitInject:
            [
                .required("exit_code"), .required("exit_info1"), .required("exit_info2"), .required("exit_int_info"),
                .required("isa"),
            ]
        case .nestedVMEnter:
            [
                .required("rip"), .required("nested_rip"), .required("int_ctl"), .required("event_inj"),
                .optional("isa"),
            ]
        case .nestedVMEnterFailed: [.required("err")]
        case .smmTransition: [.required("vcpu_id"), .required("entering")]
        case .pageFault: [.optional("vcpu_id"), .required("fault_address"), .required("error_code")]
        case .markMMIOSPTE, .mmuSetSPTE: [.required("gfn")]
        case .handleMMIOPageFault: [.required("addr"), .required("gfn")]
        case .mmio: [.required("type"), .required("len"), .required("gpa"), .required("val")]
        case .apic: [.required("rw"), .required("reg"), .required("val")]
        case .msr: [.required("write"), .required("ecx"), .required("data"), .required("exception")]
        case .apicIPI: [.required("icr_low"), .required("dest_id")]
        case .apicAcceptIRQ, .apicvAcceptIRQ: [.required("apicid"), .required("dm"), .required("vec")]
        case .injVIRQ: [.required("vector", "irq"), .optional("soft"), .optional("reinjected")]
        case .eoi, .pvEOI: [.required("apicid"), .required("vector")]
        case .apicvInhibitChanged: [.required("reason"), .required("set"), .required("inhibits")]
        case .apicvUpdateRequest: [.required("activate"), .required("bit")]
        case .vcpuWakeup: [.required("ns"), .required("waited")]
        case .userspaceExit: [.required("reason")]
        case .avicIncompleteIPI: [.required("vcpu"), .required("icrh"), .required("icrl"), .required("id")]
        case .avicUnacceleratedAccess: [.required("vcpu"), .required("offset"), .required("rw")]
        case .avicDoorbell: [.required("vcpuid")]
        case .avicGALog: [.required("vmid"), .required("vcpuid")]
        }
    }
}
