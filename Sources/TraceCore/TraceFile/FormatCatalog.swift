// SPDX-License-Identifier: Apache-2.0

/// The tracepoints whose formats a trace carries: names by id, and the bindings of those that the machine uses.
public struct FormatCatalog {
    /// The systems whose events are KVM's own; another system may use the same names for something else.
    private static let systems: Set<String> = ["kvm", "kvmmmu"]

    public private(set) var names: [UInt16: String] = [:]
    /// Names of the formats outside of ftrace's own, as selected for recording.
    private(set) var selected: Set<String> = []
    private(set) var fields: Set<String> = []
    private(set) var inhibitNames: [String] = []
    public private(set) var bindings: [(id: UInt16, binding: EventBinding)] = []
    /// Of the events that apictrace's own recordings hold beside KVM's.
    private(set) var own: [(id: UInt16, binding: OwnBinding)] = []

    /// Ids have 16 bits: a longer list makes no sense.
    var isFull: Bool { count > Int(UInt16.max) }
    private var count = 0

    public init() {}

    private var hasRoom: Bool { bindings.count + own.count < RecordTally.mostBindings }

    /// The kinds that can be decoded.
    public var kinds: EventKindSet {
        bindings.reduce(into: []) { $0.insert($1.binding.kind) }
    }

    /// An event of ftrace itself, such as `print`.
    mutating func addInternal(_ text: [UInt8]) {
        count += 1
        guard let format = EventFormat.identity(of: text[...]) else { return }
        names[format.id] = format.name
    }

    /// A tracepoint of a group of theirs.
    /// - Parameter text: tracefs' `format` file.
    public mutating func add(_ text: [UInt8], system: String) {
        count += 1
        guard let identity = EventFormat.identity(of: text[...]) else { return }
        if system == OwnEvent.system {
            guard let format = EventFormat(text: text[...]), let binding = OwnBinding(format), hasRoom else { return }
            return own.append((format.id, binding))
        }
        names[identity.id] = identity.name
        selected.insert(identity.name)
        guard Self.systems.contains(system), let format = EventFormat(text: text[...]) else { return }
        fields.formUnion(format.fields.map { "\(format.name).\($0.name)" })
        guard let binding = EventBinding(format), hasRoom else { return }
        bindings.append((format.id, binding))
        if binding.kind == .apicvInhibitChanged { inhibitNames = format.flagNames }
    }
}
