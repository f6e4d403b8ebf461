// SPDX-License-Identifier: Apache-2.0

/// The type of a field in a record that ``TraceWriter`` writes: its C declaration, and how trace-cmd is to print it.
///
/// Reading needs none of it: there the trace's own format texts count.
enum FieldType {
    case flag, character
    /// Printed in decimal.
    case u8, u16, u32, s32, u64
    /// Printed in hexadecimal.
    case x8, x16, x32, x64

    var declaration: String {
        switch self {
        case .flag: "bool"
        case .character: "char"
        case .u8, .x8: "u8"
        case .u16, .x16: "u16"
        case .u32, .x32: "u32"
        case .s32: "int"
        case .u64, .x64: "u64"
        }
    }

    /// In bytes.
    var size: Int {
        switch self {
        case .flag, .character, .u8, .x8: 1
        case .u16, .x16: 2
        case .u32, .s32, .x32: 4
        case .u64, .x64: 8
        }
    }

    var isSigned: Bool { self == .s32 }

    /// As printf() takes it.
    var conversion: String {
        switch self {
        case .flag, .u8, .u16, .u32: "%u"
        case .character: "%s"
        case .s32: "%d"
        case .u64: "%llu"
        case .x8, .x16, .x32: "0x%x"
        case .x64: "0x%llx"
        }
    }
}
