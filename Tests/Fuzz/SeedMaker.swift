// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    import Glibc

    @testable import TraceCore

    /// Takes recordings apart into small inputs for each parser, a folder a parser.
    struct SeedMaker {
        /// Beyond it an input costs more runs than it is worth.
        private static let largest = 1 << 14
        private static let largestText = 4096
        /// A dozen lines of a trace.
        private static let largestTrace = 1200

        let folder: String
        private(set) var count = 0
        private var small = SmallTrace()

        init(folder: String) {
            self.folder = folder
            mkdir(folder, 0o777)
            for target in FuzzTarget.allCases { mkdir("\(folder)/\(target)", 0o777) }
        }

        mutating func take(_ path: String) {
            if path.hasSuffix(".txt.zst") { return takeText(path) }
            guard let file = try? InputFile(path: path), let container = try? TraceContainer(file) else { return }
            small = SmallTrace()
            takePages(container)
            if container.head.version == .v7 { takeSections(container) }
            if file.size <= UInt64(Self.largest) {
                keep(file.bytes(at: 0, count: Int(file.size)), for: .container)
            }
            for bytes in [small.version6, small.version7] where !small.pages.isEmpty {
                keep(bytes, for: .file)
                keep(bytes, for: .container)
            }
            guard !small.pages.isEmpty else { return }
            let perf = SmallPerf(small)
            for bytes in [perf.file, perf.pipe, perf.packed] where !bytes.isEmpty { keep(bytes, for: .perf) }
        }

        /// The beginning of a text, and parts from further on.
        private mutating func takeText(_ path: String) {
            guard let packed = try? InputFile(path: path),
                let file = try? packed.inflated(.zstd, InflationLimit(), { _ in .max }).file
            else { return }
            for offset in [0, file.size / 3, file.size / 3 * 2] {
                let part = file.bytes(at: offset, count: Self.largestTrace)
                let lines = part.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast().dropFirst(
                    offset == 0 ? 0 : 1)
                let text = Array(lines.joined(separator: [0x0a])) + [0x0a]
                keep(text, for: .text)
                keep([UInt8](repeating: 0, count: 16) + text, for: .lines)
            }
        }

        private mutating func takePages(_ container: TraceContainer) {
            for instance in container.instances {
                for cpu in instance.cpus.prefix(2) {
                    let inflater =
                        instance.isCompressed ? ChunkInflater(container.head.compression, of: container.file) : nil
                    let source = PageSource(
                        "data", of: container.file, cpu.data, pageSize: instance.pageSize,
                        order: container.head.order, room: 1 << 16, inflater: inflater)
                    for _ in 0..<3 {
                        guard let page = source.page() else { break }
                        keep([0] + Array(page), for: .page)
                        if page.count == 4096, small.pages.count < 2 { small.pages.append(Array(page)) }
                    }
                    guard inflater != nil else { continue }
                    let kind: UInt8 = container.head.compression == .zstd ? 1 : 0
                    let size = min(UInt64(Self.largest), cpu.data.upperBound - cpu.data.lowerBound)
                    keep([kind] + container.file.bytes(at: cpu.data.lowerBound, count: Int(size)), for: .chunks)
                }
            }
        }

        private mutating func takeSections(_ container: TraceContainer) {
            var next = container.head.end
            while let header = try? SectionHeader("a section", of: container.file, at: next, order: .little),
                header.id < 64
            {
                next = header.body.upperBound
                if header.id == TraceOptions.ID.buffer.rawValue { continue }
                takeSection(header, container)
            }
        }

        private mutating func takeSection(_ header: SectionHeader, _ container: TraceContainer) {
            var body = header.body
            if header.isCompressed {
                guard body.count > 8 else { return }
                body = (body.lowerBound + 8)..<body.upperBound
                let kind: UInt8 = container.head.compression == .zstd ? 1 : 0
                let bytes = container.file.bytes(at: body.lowerBound, count: min(body.count, Self.largest))
                keep([kind] + bytes, for: .inflate)
            }
            var reader = SectionReader(
                "seed", of: container.file, body, order: .little,
                compression: header.isCompressed ? container.head.compression : .none)
            switch TraceOptions.ID(rawValue: header.id) {
            case .done: keep([0] + rest(&reader), for: .options)
            case .formats: takeFormats(&reader)
            case .symbols:
                _ = try? reader.skip(4)
                keep(Array(rest(&reader).prefix(Self.largestText)), for: .kallsyms)
            case .commands: keep(rest(&reader), for: .commands)
            default: break
            }
        }

        private mutating func takeFormats(_ reader: inout SectionReader) {
            for _ in 0..<((try? reader.integer(UInt32.self)) ?? 0) {
                guard (try? reader.string()) != nil else { return }
                for _ in 0..<((try? reader.integer(UInt32.self)) ?? 0) {
                    guard let size = try? reader.integer(UInt64.self), let text = try? reader.text(size) else { return }
                    let name = EventFormat(text: text[...])?.name ?? ""
                    guard EventKind(tracepoint: name) != nil else { continue }
                    keep(text, for: .format)
                    small.formats.append(Self.shortened(text))
                }
            }
        }

        /// Without the common fields and the `print fmt`.
        private static func shortened(_ format: [UInt8]) -> [UInt8] {
            let lines = format[...].lines.filter { !$0.starts(with: "print".utf8) && !$0.text.contains(" common_") }
            return Array(lines.joined(separator: [10]))
        }

        private func rest(_ reader: inout SectionReader) -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < Self.largest, let piece = reader.chunk() { bytes += piece }
            return bytes
        }

        private mutating func keep(_ bytes: [UInt8], for target: FuzzTarget) {
            count += 1
            guard let file = fopen("\(folder)/\(target)/\(count)", "w") else { return }
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
    }
#endif
