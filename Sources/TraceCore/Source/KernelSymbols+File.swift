// SPDX-License-Identifier: Apache-2.0

extension KernelSymbols {
    /// From a copy of `/proc/kallsyms`.
    public init(kallsyms path: String) throws(InputError) {
        let file = try InputFile(path: path) { _ in Self.maxListBytes }
        var reader = SectionReader("kernel symbols", of: file, 0..<file.size, order: .little)
        var scan = KallsymsScan()
        while let text = reader.chunk() { scan.take(text) }
        guard let symbols = scan.symbols else { throw .empty(file: path) }
        self = symbols
    }

    /// Of a pipe: a kernel has some hundred thousand symbols.
    private static var maxListBytes: UInt64 { 1 << 28 }
}
