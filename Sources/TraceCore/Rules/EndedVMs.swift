// SPDX-License-Identifier: Apache-2.0

/// What is kept of VMs that ended while the trace goes on.
///
/// A VM is judged when it ends: what waited then waits no longer. The latest stay in their places in the machine, and those
/// that left a finding, an observation or a doubt; of the others there is only what they add up to.
public struct EndedVMs: Sendable {
    /// What there was to say of a VM when it ended.
    struct Verdict: Sendable {
        var findings: [RuleFinding]
        var observations: [Observation]
        var coverage: Coverage
        /// Places that it takes.
        var vcpus: Int
        /// The user asks for it.
        var isWanted: Bool

        /// It is kept for what it left.
        var tellsSomething: Bool {
            isWanted || !findings.isEmpty || !observations.isEmpty || !coverage.isComplete
        }
    }

    /// VMs that left something, and that there was no room for any more.
    public struct Unlisted: Equatable, Sendable {
        public fileprivate(set) var vms = 0
        public fileprivate(set) var findings = 0
        /// The gravest of those findings.
        public fileprivate(set) var grade: Grade?
        public fileprivate(set) var observations = 0
        public fileprivate(set) var doubts = 0
    }

    /// Those whose places are others' now.
    public internal(set) var totals = VMTotals()
    /// The same of those alone that the user asks for, where that is not all of them.
    public internal(set) var ofWanted = VMTotals()
    public private(set) var unlisted = Unlisted()
    /// VMs that were taken for ended since nothing had been heard of them for longest and their places were needed.
    public internal(set) var presumed = 0
    /// Why nothing could happen in those of ``totals``, and in how many. There are some five such sentences.
    private(set) var grounds: [(text: String, vms: Int)] = []
    /// By place.
    private var verdicts: [VMIndex: Verdict] = [:]
    /// Those that left nothing, in the order of their end, and the places that they take.
    private var quiet: [VMIndex] = []
    private var quietVCPUs = 0
    private var tellingVMs = 0
    private var tellingVCPUs = 0

    /// So many of the latest can be looked at in full, whatever ran in them: who traces a command that starts a guest has it.
    static let mostQuiet = 256
    /// So many that left something: each takes some 20 KiB. Beyond them findings are counted, and the gravest grade stays.
    static let mostTelling = 1024
    /// Either takes a quarter of the machine's places at most.
    static let mostVCPUs = Machine.capacity / 4

    public init() {}

    subscript(vm: VMIndex) -> Verdict? { verdicts[vm] }

    /// Of those that still have one.
    var places: [VMIndex] { verdicts.keys.sorted() }

    /// In the order of places.
    var findings: [RuleFinding] { verdicts.sorted { $0.key < $1.key }.flatMap(\.value.findings) }

    /// A VM has ended. It stays in its place, or is one of those that ``leaving()`` has go.
    mutating func add(_ verdict: Verdict, of vm: VMIndex) {
        verdicts[vm] = verdict
        if verdict.tellsSomething, tellingVMs < Self.mostTelling, tellingVCPUs + verdict.vcpus <= Self.mostVCPUs {
            tellingVMs += 1
            tellingVCPUs += verdict.vcpus
        } else {
            quiet.append(vm)
            quietVCPUs += verdict.vcpus
        }
    }

    /// The oldest one whose place is needed, nil where there is none.
    ///
    /// - Parameter isCrowded: the machine needs any place that it can have.
    mutating func leaving(isCrowded: Bool) -> VMIndex? {
        guard let vm = quiet.first, isCrowded || quiet.count > Self.mostQuiet || quietVCPUs > Self.mostVCPUs,
            let verdict = verdicts.removeValue(forKey: vm)
        else { return nil }
        quiet.removeFirst()
        quietVCPUs -= verdict.vcpus
        for text in verdict.coverage.bareGrounds {
            let known = grounds.firstIndex { $0.text == text }
            if let known { grounds[known].vms += 1 } else { grounds.append((text, 1)) }
        }
        guard verdict.tellsSomething else { return vm }
        unlisted.vms += 1
        unlisted.findings += verdict.findings.count
        unlisted.observations += verdict.observations.count
        unlisted.doubts += verdict.coverage.doubts.count
        unlisted.grade = (verdict.findings.map(\.grade) + [unlisted.grade].compactMap(\.self)).max()
        return vm
    }
}
