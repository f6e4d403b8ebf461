// SPDX-License-Identifier: Apache-2.0

/// Interrupts accepted between `kvm_exit` and `kvm_nested_vmexit`, which alone says that the exit was L2's.
///
/// KVM handles the host's interrupts in between (vmx_handle_exit_irqoff, arch/x86/kvm/vmx/vmx.c), and other CPUs don't
/// wait. There is room for four; more are taken for the presumed level's.
struct UnlevelledAccepts: Sendable {
    struct Accept: Sendable {
        var vector: UInt8
        var stamp: EventStamp
    }

    private var accepts = InlineArray<4, Accept?>(repeating: nil)
    private(set) var count = 0

    var isFull: Bool { count == accepts.count }

    subscript(index: Int) -> Accept? { accepts[index] }

    mutating func add(_ vector: UInt8, at stamp: EventStamp) {
        guard !isFull else { return }
        accepts[count] = Accept(vector: vector, stamp: stamp)
        count += 1
    }

    mutating func clear() { count = 0 }
}
