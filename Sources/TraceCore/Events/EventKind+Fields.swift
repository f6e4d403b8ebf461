// SPDX-License-Identifier: Apache-2.0

extension EventKind {
    /// A field that an event's payload is made of.
    struct BoundField {
        /// The field's names over the kernels, the current one first.
        var names: [String]
        /// An event whose format lacks it can't be decoded.
        var isMandatory: Bool
        /// As ``TraceWriter`` writes it: as wide as the payload.
        var type: FieldType

        static func required(_ type: FieldType, _ names: String...) -> BoundField {
            BoundField(names: names, isMandatory: true, type: type)
        }

        static func optional(_ type: FieldType, _ name: String) -> BoundField {
            BoundField(names: [name], isMandatory: false, type: type)
        }
    }

    /// The fields in the order in which ``EventDecoder`` loads them and ``EventFields`` holds them.
    var boundFields: [BoundField] {
        switch self {
        case .entry: [.optional(.u32, "vcpu_id"), .required(.x64, "rip"), .optional(.x32, "intr_info")]
        case .exit, .nestedVMExit:
            [
                .required(.x32, "exit_reason"), .required(.u32, "isa"), .optional(.u32, "vcpu_id"),
                .required(.x64, "guest_rip"), .required(.x64, "info1"), .required(.x64, "info2"),
                .optional(.x32, "intr_info"),
            ]
        case .nestedVMExitInject:
            [
                .required(.x64, "exit_code"), .required(.x64, "exit_info1"), .required(.x64, "exit_info2"),
                .required(.x32, "exit_int_info"), .required(.u32, "isa"),
            ]
        case .nestedVMEnter:
            [
                .required(.x64, "rip"), .required(.x64, "nested_rip"), .required(.x32, "int_ctl"),
                .required(.x32, "event_inj"), .optional(.u32, "isa"),
            ]
        case .nestedVMEnterFailed: [.required(.u32, "err")]
        case .smmTransition: [.required(.u32, "vcpu_id"), .required(.flag, "entering")]
        case .pageFault:
            [.optional(.u32, "vcpu_id"), .required(.x64, "fault_address"), .required(.x64, "error_code")]
        case .markMMIOSPTE, .mmuSetSPTE: [.required(.x64, "gfn")]
        case .handleMMIOPageFault: [.required(.x64, "addr"), .required(.x64, "gfn")]
        case .mmio:
            [.required(.u32, "type"), .required(.u32, "len"), .required(.x64, "gpa"), .required(.x64, "val")]
        case .apic: [.required(.u32, "rw"), .required(.x32, "reg"), .required(.x64, "val")]
        case .msr:
            [.required(.u32, "write"), .required(.x32, "ecx"), .required(.x64, "data"), .required(.flag, "exception")]
        case .apicIPI: [.required(.x32, "icr_low"), .required(.x32, "dest_id")]
        case .apicAcceptIRQ, .apicvAcceptIRQ:
            [.required(.u32, "apicid"), .required(.x16, "dm"), .required(.x8, "vec")]
        case .injVIRQ:
            [.required(.x32, "vector", "irq"), .optional(.flag, "soft"), .optional(.flag, "reinjected")]
        case .eoi, .pvEOI: [.required(.u32, "apicid"), .required(.s32, "vector")]
        case .apicvInhibitChanged:
            [.required(.s32, "reason"), .required(.flag, "set"), .required(.x64, "inhibits")]
        case .apicvUpdateRequest: [.required(.flag, "activate"), .required(.u64, "bit")]
        case .vcpuWakeup: [.required(.u64, "ns"), .required(.flag, "waited")]
        case .userspaceExit: [.required(.u32, "reason")]
        case .avicIncompleteIPI:
            [.required(.u32, "vcpu"), .required(.x32, "icrh"), .required(.x32, "icrl"), .required(.u32, "id")]
        case .avicUnacceleratedAccess:
            [.required(.u32, "vcpu"), .required(.x32, "offset"), .required(.flag, "rw")]
        case .avicDoorbell: [.required(.u32, "vcpuid")]
        case .avicGALog: [.required(.u32, "vmid"), .required(.u32, "vcpuid")]
        case .avicKickVCPUSlowpath:
            [.required(.x32, "icrh"), .required(.x32, "icrl"), .required(.u32, "index")]
        case .piIRTEUpdate: [.required(.s32, "vcpu_id"), .required(.x32, "gvec"), .required(.flag, "set")]
        case .cr: [.required(.u32, "rw"), .required(.u32, "cr"), .required(.x64, "val")]
        }
    }
}
