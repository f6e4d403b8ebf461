// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Formats of a few tracepoints, shortened to their fields, and records that follow them.
enum TestRecord {
    /// A format text as tracefs has it; fields are `declaration offset size signed`.
    static func format(_ name: String, id: Int, _ fields: [(String, Int, Int, Int)], print: String = "\"\"") -> String {
        let common = [
            ("unsigned short common_type", 0, 2, 0), ("unsigned char common_flags", 2, 1, 0),
            ("unsigned char common_preempt_count", 3, 1, 0), ("int common_pid", 4, 4, 1),
        ]
        func line(_ field: (String, Int, Int, Int)) -> String {
            "\tfield:\(field.0);\toffset:\(field.1);\tsize:\(field.2);\tsigned:\(field.3);\n"
        }
        return "name: \(name)\nID: \(id)\nformat:\n" + common.map(line).joined() + "\n" + fields.map(line).joined()
            + "\nprint fmt: \(print)\n"
    }

    /// kvm_eoi, the same since 5.4.
    static let eoiFormat = format(
        "kvm_eoi", id: 300, [("__u32 apicid", 8, 4, 0), ("int vector", 12, 4, 1)])

    static func eoi(vcpu: UInt32, vector: Int32, tid: Int32 = 7, order: ByteOrder = .little) -> [UInt8] {
        record(id: 300, tid: tid, order: order) {
            $0.number(vcpu)
            $0.number(vector)
        }
    }

    /// A record of a tracepoint that nobody has a use for.
    static func other(id: UInt16 = 301, order: ByteOrder = .little) -> [UInt8] {
        record(id: id, tid: 7, order: order) { $0.number(UInt32(0)) }
    }

    static func record(
        id: UInt16, tid: Int32 = 7, order: ByteOrder = .little, _ fields: (inout Bytes) -> Void
    ) -> [UInt8] {
        var record = Bytes(order: order)
        record.number(id)
        record.number(UInt16(0))
        record.number(tid)
        fields(&record)
        return record.bytes
    }
}
