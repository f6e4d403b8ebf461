// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    import Glibc

    @testable import TraceCore

    /// A parser of untrusted bytes, run as the tool runs it. What it must not do is trap, hang or take much memory; what it
    /// answers is checked where two ways to the same answer exist.
    enum FuzzTarget: String, CaseIterable {
        case container, options, format, page, inflate, chunks, kallsyms, commands, perf, text, lines, file

        static let chosen: FuzzTarget = {
            let name = getenv("APICTRACE_FUZZ").map { String(cString: $0) } ?? "file"
            guard let target = FuzzTarget(rawValue: name) else { preconditionFailure("no parser \(name)") }
            return target
        }()

        func run(_ bytes: UnsafeRawBufferPointer) {
            switch self {
            case .container: container(bytes)
            case .options: options(bytes)
            case .format: format(bytes)
            case .page: page(bytes)
            case .inflate: inflate(bytes)
            case .chunks: chunks(bytes)
            case .kallsyms: kallsyms(bytes)
            case .commands: commands(bytes)
            case .text: text(bytes)
            case .lines: text(TextEdits.edited(bytes))
            case .perf, .file: file(bytes)
            }
        }

        /// A whole trace.dat without its records.
        private func container(_ bytes: UnsafeRawBufferPointer) {
            guard let container = try? TraceContainer(FuzzInput.file(bytes)) else { return }
            _ = container.info
        }

        /// An OPTIONS section's content after a byte that says the order.
        private func options(_ bytes: UnsafeRawBufferPointer) {
            guard let order = bytes.first else { return }
            var reader = SectionReader(
                "options", bytes: Array(bytes.dropFirst()), at: 0, order: order & 1 == 0 ? .little : .big)
            var options = TraceOptions()
            while let id = try? reader.integer(UInt16.self), let size = try? reader.integer(UInt32.self) {
                let offset = reader.offset
                guard let payload = try? reader.text(UInt64(size)) else { return }
                try? options.take(id, payload, at: offset, order: reader.order)
            }
        }

        /// A format text, and records of all lengths that are read by it.
        private func format(_ bytes: UnsafeRawBufferPointer) {
            let text = Array(bytes)
            guard let format = EventFormat(text: text[...]), let binding = EventBinding(format) else { return }
            for order in [ByteOrder.little, .big] {
                let decoder = EventDecoder(order: order, bindings: [binding])
                for count in stride(from: 0, through: min(bytes.count, 128), by: 4) {
                    guard let record = Record(FuzzInput.guarded(UnsafeRawBufferPointer(rebasing: bytes[..<count])))
                    else { continue }
                    _ = decoder.event(record, binding: 0)
                }
            }
        }

        /// A ring-buffer page after a byte that says its layout; id n is the event kind n.
        private func page(_ bytes: UnsafeRawBufferPointer) {
            guard let shape = bytes.first else { return }
            let layout = PageLayout(
                order: shape & 1 == 0 ? .little : .big, longSize: shape & 2 == 0 ? 8 : 4,
                pageSize: shape & 4 == 0 ? 4096 : 64 << Int(shape >> 5))
            let page = FuzzInput.guarded(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
            guard var cursor = PageCursor(page: page, layout: layout) else { return }
            let decoder = EventDecoder(order: layout.order, bindings: FuzzBindings.all)
            let first = cursor.firstTime()
            var records = 0
            while cursor.next(FuzzBindings.tally) {
                records += 1
                _ = decoder.event(cursor.record, binding: cursor.binding)
                precondition(cursor.record.bytes.count <= page.count)
            }
            precondition(records == 0 || first != nil, "records, but no time of the first")
            precondition(records <= page.count / 4, "more records than fit")
        }

        /// Compressed text after a byte that says how.
        private func inflate(_ bytes: UnsafeRawBufferPointer) {
            guard let kind = bytes.first else { return }
            let compression = [Compression.zlib, .zstd, .gzip][Int(kind) % 3]
            var reader = SectionReader(
                "data", of: FuzzInput.file(bytes), 1..<UInt64(bytes.count), order: .little, compression: compression,
                size: 1 << 20)
            var size = 0
            while let piece = reader.chunk() { size += piece.count }
            precondition(size <= 1 << 20, "more came out than was asked for")
        }

        /// A CPU's compressed chunks after a byte that says how.
        private func chunks(_ bytes: UnsafeRawBufferPointer) {
            guard let kind = bytes.first else { return }
            let file = FuzzInput.file(bytes)
            // Whether a chunk is held as a whole or in parts makes no difference.
            let sums = [0, 1 << 20].map { room in
                let source = PageSource(
                    "CPU 0's data", of: file, 1..<UInt64(bytes.count), pageSize: 4096,
                    order: kind & 2 == 0 ? .little : .big, room: room,
                    inflater: ChunkInflater(kind & 1 == 0 ? .zlib : .zstd, of: file))
                var sum: UInt64 = 0
                while let page = source.page() { sum = page.reduce(sum) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
                return sum
            }
            precondition(sums[0] == sums[1], "read differently by parts")
        }

        /// A symbol list: the answer can't depend on how it is cut into pieces.
        private func kallsyms(_ bytes: UnsafeRawBufferPointer) {
            let text = Array(bytes)
            let size = max(1, Int(text.first ?? 0))
            var whole = KallsymsScan()
            whole.take(text[...])
            var pieces = KallsymsScan()
            for start in stride(from: 0, to: text.count, by: size) {
                pieces.take(text[start..<min(start + size, text.count)])
            }
            precondition(whole.symbols == pieces.symbols, "cut into pieces it reads differently")
        }

        /// The section of saved command lines.
        private func commands(_ bytes: UnsafeRawBufferPointer) {
            var texts = TracingTexts()
            var reader = SectionReader("commands", bytes: Array(bytes), at: 0, order: .little)
            try? texts.readCommands(&reader)
        }

        /// A text: its events come in the order of time, and each has a line of its name.
        private func text(_ bytes: UnsafeRawBufferPointer) {
            guard var file = try? Recording(descriptor: FuzzInput.descriptor(bytes), name: "input"), case .text = file
            else {
                return
            }
            var order = TimeOrder()
            guard let totals = try? file.read(into: &order) else { return }
            precondition(totals.byName.values.reduce(0, &+) >= order.events, "more events than lines")
            if Self.isOneOfMany(bytes) { self.file(bytes) }
        }

        /// A report takes a hundred times as long as a few lines: what an input is made of says whether it gets one, so that it does so again.
        private static func isOneOfMany(_ bytes: UnsafeRawBufferPointer) -> Bool {
            bytes.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } % 64 == 0
        }

        private func text(_ bytes: [UInt8]) { bytes.withUnsafeBytes { text($0) } }

        /// A file through the whole analysis: a report of a damaged one is never clean.
        private func file(_ bytes: UnsafeRawBufferPointer) {
            guard var file = try? Recording(descriptor: FuzzInput.descriptor(bytes), name: "input") else { return }
            var analysis = Analysis(info: file.info)
            guard let totals = try? file.read(into: &analysis) else { return }
            analysis.finish()
            let report = ReportBuilder(analysis, totals: totals, path: nil).report()
            precondition(totals.cut == nil || report.verdict != .clean, "clean although it is cut")
            precondition(!report.text(style: TextStyle()).isEmpty)
            precondition((try? report.json()) != nil, "no JSON")
        }
    }
#endif
