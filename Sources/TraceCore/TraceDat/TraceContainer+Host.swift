// SPDX-License-Identifier: Apache-2.0

extension TraceContainer {
    /// What a recording of live tracing says of its host: the first record of one of its CPUs.
    var recordedFix: FixState? {
        guard head.order == .little, let (id, binding) = formats.own.first(where: { $0.binding.event == .host }) else {
            return nil
        }
        let tally = RecordTally()
        tally.bind(id: id, to: 0)
        let inflater = ChunkInflater(head.compression, of: file)
        for instance in instances {
            let layout = PageLayout(order: head.order, longSize: longSize, pageSize: instance.pageSize)
            for cpu in instance.cpus {
                let source = PageSource(
                    "CPU \(cpu.id)'s data", of: file, cpu.data, places: cpu.places, pageSize: instance.pageSize,
                    order: head.order,
                    room: instance.pageSize, inflater: instance.isCompressed ? inflater : nil)
                let values = withExtendedLifetime(source) { () -> [UInt64]? in
                    guard let page = source.page(), var cursor = PageCursor(page: page, layout: layout),
                        cursor.next(tally)
                    else { return nil }
                    return binding.values(cursor.record)
                }
                if let values { return FixState(values) }
            }
        }
        return nil
    }
}
