// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// `apictrace diff` on recordings of real guests, which kept their own account of what they lost.
@Suite struct DiffTests {
    private static func fixture(_ name: String) -> String { ExitStatusTableTests.fixture(name) }
    private static let bad = "bitvisor/6.1.192-svifix-undone-smp2/trace"
    private static let good = "bitvisor/6.1.192-asshipped-smp2/trace"

    private func compare(_ a: String, _ b: String) throws -> (Comparison, Int32) {
        let run = try Command("diff", "--json", a, b)
        #expect(run.errors == "")
        #expect(try LineValidator.complaints(about: run.output, schema: "--diff") == "")
        return (try Comparison(json: run.output), run.status)
    }

    // MARK: - Good and bad

    @Test func `BitVisor with the fix is better than without, and without is worse than with`() throws {
        let (better, good) = try compare(Self.fixture(Self.bad), Self.fixture(Self.good))
        #expect(better.outcome == .better)
        #expect(good == 0)
        let loss = try #require(better.findings.first { $0.rule == .staleSVI })
        #expect(loss.change == .gone && loss.effect == .better && loss.certain)
        // The guest's own count: FACTS.json.
        #expect(loss.text.contains("0x30 arrives 121 times in B, once in A."))
        #expect(better.b.host.sviFix.state == .present)
        let fate = better.vms[0].vcpus[0].interrupts.first { $0.vector == "0x30" }
        #expect(fate?.a?.fate == .lost)
        #expect(fate?.b?.fate == .delivered)
        let (worse, bad) = try compare(Self.fixture(Self.good), Self.fixture(Self.bad))
        #expect(worse.outcome == .worse)
        #expect(bad == 1)
        // The same rows, with the sides changed.
        #expect(Set(worse.vms[0].exits.map(\.key)) == Set(better.vms[0].exits.map(\.key)))
        #expect(worse.vms[0].apicAccess.map(\.a) == better.vms[0].apicAccess.map(\.b))
    }

    /// With APICv, and on the same host with `enable_apicv=N`.
    @Test(arguments: [
        ("intel/6.12.107/nofix-passthrough", "intel/6.12.107/no-apicv"),
        ("intel/6.12.107/nofix-hooked-only", "intel/6.12.107/no-apicv"),
        ("intel/6.12.107/nofix-stale-svi", "intel/6.12.107/no-apicv-stale-svi"),
        ("intel/6.12.107/stale-svi", "intel/6.12.107/no-apicv-stale-svi"),
        ("intel/6.12.107/passthrough", "intel/6.12.107/no-apicv"),
        ("intel/6.1.192/nofix-stale-svi", "intel/6.1.192/no-apicv-stale-svi"),
    ])
    func `without APICv it is better, and with it worse`(on: String, off: String) throws {
        let (better, good) = try compare(Self.fixture(on), Self.fixture(off))
        #expect(better.outcome == .better, "\(better.reasons)")
        #expect(good == 0)
        #expect(better.vms.first?.apicv.a?.states.contains { $0.state == .active } == true)
        #expect(better.vms.first?.apicv.b?.states.allSatisfy { $0.state == .inhibited } == true)
        let (worse, bad) = try compare(Self.fixture(off), Self.fixture(on))
        #expect(worse.outcome == .worse, "\(worse.reasons)")
        #expect(bad == 1)
    }

    @Test(arguments: [
        bad, "intel/6.12.107/stale-svi", "intel/6.12.107/inhibit", "intel/6.12.107/passthrough-4ev",
        "amd/6.12-force_avic/two-vms", "amd/6.12-force_avic/clock-tsc",
    ])
    func `a recording compared with itself is the same`(name: String) throws {
        let (same, status) = try compare(Self.fixture(name), Self.fixture(name))
        #expect(same.outcome == .same)
        #expect(status == 0)
    }

    @Test(arguments: [
        "amd/6.12-force_avic/lost", "amd/6.12-force_avic/truncated-v7-zstd-90pct",
        "amd/6.12-force_avic/truncated-header",
    ])
    func `what settles nothing compares with nothing, not even with itself`(name: String) throws {
        let (same, status) = try compare(Self.fixture(name), Self.fixture(name))
        #expect(same.outcome == .incomparable)
        #expect(status == 2)
    }

    @Test func `a finding of L2's is not gone where no L2 runs`() throws {
        for (with, without) in [
            (Self.fixture("intel/6.12.107/passthrough-2v-4ev"), "amd/6.12-noavic/plain-l1"),
            (Self.fixture("live/6.12.117/nofix-x-stuck") + ".zst", "intel/6.12.107/inhibit"),
        ] {
            let (gone, status) = try compare(with, Self.fixture(without))
            #expect(gone.outcome == .incomparable, "\(gone.reasons)")
            #expect(status == 2)
        }
    }

    // MARK: - Less evidence

    /// The last half of the file is missing, or half of it in time, or all that one CPU recorded.
    @Test(arguments: ["head -c $(($(stat -c %s $bad) / 2)) $bad", "apictrace cut --from +0 --to +20 $bad"])
    func `half of a recording is neither better nor no worse than the whole`(half: String) throws {
        let run = try ExitStatusTableTests.shell(
            """
            bad='\(Self.fixture(Self.bad))'; half=$(mktemp); trap 'rm "$half"' EXIT
            \(half) >"$half" 2>/dev/null
            apictrace diff --quiet "$bad" "$half"; echo $?
            apictrace diff --quiet "$half" "$bad"; echo $?
            apictrace diff --quiet '\(Self.fixture(Self.good))' "$half"; echo $?
            """)
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 6, "\(run.output)\(run.errors)")
        #expect([lines[1], lines[3], lines[5]] == ["2", "2", "2"], "\(run.output)")
        #expect([lines[0], lines[2], lines[4]].allSatisfy { $0.hasPrefix("incomparable: ") })
    }

    @Test func `a part of the time is compared with the same part, and rates are of it`() throws {
        let run = try Command(
            "diff", "--json", "--from", "+1", "--to", "+3", Self.fixture(Self.bad), Self.fixture(Self.good))
        let comparison = try Comparison(json: run.output)
        #expect(comparison.a.duration == 2_000_000_000)
        #expect(comparison.a.selection != nil)
        for exit in comparison.vms[0].exits {
            guard let count = exit.a else { continue }
            #expect(count.perSecond == Double(count.count) / 2)
        }
    }

    // MARK: - The command

    @Test func `the answer alone is one line`() throws {
        let (clean, found) = (Self.fixture("intel/6.12.107/inhibit"), Self.fixture("intel/6.12.107/nofix-hooked-only"))
        let run = try Command("diff", "-q", clean, found)
        #expect(run.output.hasPrefix("worse: Only B shows stale-svi (confirmed), vector 0x41, vCPU 0 of vmm"))
        #expect(run.output.split(separator: "\n").count == 1)
        let object = try Command("diff", "-q", "--json", clean, found)
        #expect(try LineValidator.complaints(about: object.output, schema: "--diff") == "")
        #expect(object.output.contains(#""outcome":"worse""#))
    }

    @Test func `a file that can't be read is 3, named, and an error object`() throws {
        let clean = Self.fixture("intel/6.12.107/inhibit")
        for files in [[clean, "/no/such.dat"], ["/no/such.dat", clean]] {
            let run = try Command("diff", "--json", files[0], files[1])
            #expect(run.status == 3)
            #expect(run.errors.contains("apictrace: /no/such.dat: "))
            #expect(try LineValidator.complaints(about: run.output, schema: "--diff") == "")
            #expect(run.output.contains(#""type":"error""#))
        }
    }

    @Test func `text, standard input, compressed files and folders are read as analyze reads them`() throws {
        let run = try ExitStatusTableTests.shell(
            """
            folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
            zstd -q -o "$folder/x.dat.zst" "$found"
            apictrace diff -q "$folder" "$found"; echo $?
            gzip -c "$found" | apictrace diff -q - "$found"; echo $?
            apictrace diff -q -i "$found" -i "$found"; echo $?
            cp "$found" "$folder/y.dat"
            apictrace diff -q "$folder" "$found"; echo $?
            apictrace diff -q -o "$folder/out" "$found" "$found"; cat "$folder/out"
            apictrace diff -q -o "$folder/y.dat" "$folder/y.dat" "$found"; echo $?
            """)
        let same = "same: Every figure that is compared is the same."
        #expect(run.output == "\(same)\n0\n\(same)\n0\n\(same)\n0\n3\n\(same)\n64\n")
        #expect(run.errors.contains("2 files are in the folder: name one recording"))
        #expect(run.errors.contains("it would be replaced"))
    }

    @Test func `each kernel has its own symbols`() throws {
        let run = try ExitStatusTableTests.shell(
            """
            folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
            echo 'ffffffffc0a00000 t kvm_apic_set_eoi_accelerated	[kvm]' >"$folder/old"
            { cat "$folder/old"; echo 'ffffffffc0a00010 t kvm_apic_update_hwapic_isr	[kvm]'; } >"$folder/new"
            on='\(Self.fixture("intel/6.12.107/stale-svi-set"))'
            for symbols in "--kallsyms-a $folder/old --kallsyms-b $folder/new" "--kallsyms-a $folder/new --kallsyms-b $folder/old" "--kallsyms $folder/old"; do
                apictrace diff --json $symbols "$on" "$on" | grep -o '"outcome":"[a-z-]*"\\|"sviFix":{[^}]*}'
            done
            """)
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 9, "\(run.output)\(run.errors)")
        func states(_ range: Range<Int>) -> [String] {
            lines[range].filter { $0.contains("sviFix") }.map {
                $0.contains(#""state":"present""#) ? "present" : "absent"
            }
        }
        #expect(states(0..<3) == ["absent", "present"] && lines[0..<3].contains(#""outcome":"better""#))
        #expect(states(3..<6) == ["present", "absent"] && lines[3..<6].contains(#""outcome":"worse""#))
        #expect(states(6..<9) == ["absent", "absent"] && lines[6..<9].contains(#""outcome":"same""#))
    }
}

extension Comparison.ExitChange {
    fileprivate var key: String { "\(level.rawValue) \(reason ?? "")" }
}
