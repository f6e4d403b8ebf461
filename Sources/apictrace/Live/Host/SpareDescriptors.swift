// SPDX-License-Identifier: Apache-2.0
import Glibc

/// File descriptors that lead nowhere: as many as something else is going to need, to see whether they can be had.
struct SpareDescriptors: ~Copyable {
    private let descriptors: [Int32]

    init(_ count: Int) throws(BPFError) {
        var opened: [Int32] = []
        for _ in 0..<count {
            let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let error = BPFError.last("open", "/")
                for descriptor in opened { close(descriptor) }
                throw error
            }
            opened.append(descriptor)
        }
        descriptors = opened
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
