// SPDX-License-Identifier: Apache-2.0

/// The word that VMX (entry, exit and IDT-vectoring information) and SVM (EVENTINJ, EXITINTINFO) describe an event
/// with: bit 31 valid, bits 10:8 type, bits 7:0 vector.
public struct InterruptionInfo: Equatable, Sendable {
    public var rawValue: UInt32

    @inline(__always)
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public var isValid: Bool { rawValue >> 31 == 1 }

    /// The vector of a valid interrupt, external (type 0) or software (type 4): what `kvm_inj_virq` injects again.
    @inline(__always)
    var interruptVector: UInt8? {
        rawValue >> 31 == 1 && rawValue & 0x300 == 0 ? UInt8(rawValue & 0xff) : nil
    }

    /// The vector of a valid external interrupt (type 0), nil for anything else.
    @inline(__always)
    public var externalVector: UInt8? {
        rawValue >> 31 == 1 && rawValue & 0x700 == 0 ? UInt8(rawValue & 0xff) : nil
    }
}
