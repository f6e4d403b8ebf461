// SPDX-License-Identifier: Apache-2.0

/// The tracepoints whose formats a trace carries: names by id, and the bindings of those that the machine uses.
public struct FormatCatalog: Sendable {
    /// The systems whose events are KVM's own; another system may use the same names for something else.
    static let systems: Set<String> = ["kvm", "kvmmmu"]

    public private(set) var names: [UInt16: String] = [:]
    /// Names of the formats outside of ftrace's own, as selected for recording.
    private(set) var selected: Set<String> = []
    private var otherSystems: Set<String> = []
    /// They are of so many systems that nobody has named them one by one.
    var isOfWholeKernel: Bool { otherSystems.count >= Self.systemsNeeded }
    /// A kernel has more than a hundred; who records names a few.
    private static let systemsNeeded = 16
    private(set) var fields: Set<String> = []
    private(set) var inhibitNames: [String] = []
    public private(set) var bindings: [(id: UInt16, binding: EventBinding)] = []
    /// Format texts of KVM's events that the machine has no use for: only who lists them takes them apart.
    private(set) var others: [(id: UInt16, text: [UInt8])] = []
    /// KVM's events with a layout of some other kernel's, which lacks a field that the payload needs: their records are counted.
    private(set) var unread: Set<UInt16> = []
    /// Of the events that apictrace's own recordings hold beside KVM's.
    private(set) var own: [(id: UInt16, binding: OwnBinding)] = []

    /// Ids have 16 bits: a longer list makes no sense.
    var isFull: Bool { count > Int(UInt16.max) }
    private var count = 0

    public init() {}

    private var hasRoom: Bool { bindings.count + own.count < RecordTally.mostBindings }

    /// The machine whose KVM has events of these names or fields; nil for x86, and where nothing tells.
    var otherMachine: String? {
        if fields.contains("kvm_entry.vcpu_pc") || fields.contains("kvm_exit.vcpu_pc") { return "aarch64" }
        if selected.contains(where: { $0.hasPrefix("kvm_s390_") }) { return "s390x" }
        if fields.contains("kvm_exit.scause") { return "riscv64" }
        if fields.contains("kvm_exit.exit_nr") || selected.contains("kvm_guest_enter") { return "ppc64le" }
        return nil
    }

    /// The kinds that can be decoded.
    public var kinds: EventKindSet {
        bindings.reduce(into: []) { $0.insert($1.binding.kind) }
    }

    /// An event of ftrace itself, such as `print`.
    /// - Returns: whether the text makes sense.
    mutating func addInternal(_ text: [UInt8]) -> Bool {
        count += 1
        guard let format = EventFormat.identity(of: text[...]) else { return false }
        names[format.id] = format.name
        return true
    }

    /// A tracepoint of a group of theirs.
    /// - Parameter text: tracefs' `format` file.
    /// - Returns: whether the text makes sense, as far as it is read: of KVM's events that the machine uses all of it is.
    @discardableResult
    public mutating func add(_ text: [UInt8], system: String) -> Bool {
        count += 1
        guard let identity = EventFormat.identity(of: text[...]) else { return false }
        if system == OwnEvent.system {
            guard let format = EventFormat(text: text[...]), let binding = OwnBinding(format), hasRoom else {
                names[identity.id] = identity.name
                return true
            }
            own.append((format.id, binding))
            return true
        }
        names[identity.id] = identity.name
        selected.insert(identity.name)
        if !Self.systems.contains(system), otherSystems.count < Self.systemsNeeded { otherSystems.insert(system) }
        guard Self.systems.contains(system) else { return true }
        guard EventKind(tracepoint: identity.name) != nil else {
            others.append((identity.id, text))
            return true
        }
        guard let format = EventFormat(text: text[...]), hasRoom else { return false }
        fields.formUnion(format.fields.map { "\(format.name).\($0.name)" })
        guard let binding = EventBinding(format) else {
            // Another kernel's layout has other fields; none at all is damage.
            guard !format.fields.isEmpty else { return false }
            unread.insert(format.id)
            return format.isWhole
        }
        bindings.append((format.id, binding))
        if binding.kind == .apicvInhibitChanged { inhibitNames = format.flagNames }
        return format.isWhole
    }

    /// Only what is recorded of them: a recorder may keep more formats than those of the events that it takes.
    func restricted(to ids: Set<UInt16>) -> FormatCatalog {
        var catalog = self
        catalog.bindings.removeAll { !ids.contains($0.id) }
        catalog.others.removeAll { !ids.contains($0.id) }
        catalog.own = []
        catalog.selected = Set(ids.compactMap { names[$0] }).intersection(selected)
        catalog.unread.formIntersection(ids)
        let kept = Set(ids.compactMap { names[$0] })
        catalog.fields = fields.filter { field in kept.contains(String(field.prefix { $0 != "." })) }
        if !catalog.kinds.contains(.apicvInhibitChanged) { catalog.inhibitNames = [] }
        return catalog
    }
}
