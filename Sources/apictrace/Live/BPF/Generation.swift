// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// The probes' number of the telling, mapped from the kernel: what was told of a vCPU under another number is told again.
struct Generation: ~Copyable {
    private let number: UnsafeMutableRawPointer
    private let size = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// - Parameter descriptor: of the map `generation`.
    init(descriptor: Int32) throws(BPFError) {
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw .last("mmap", "generation") }
        number = memory
    }

    deinit {
        munmap(number, size)
    }

    /// From here on each vCPU is told anew at its next entry or exit.
    func begin() {
        number.storeBytes(of: number.load(as: UInt32.self) &+ 1, as: UInt32.self)
    }
}
