// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// `live --metrics` and `--listen` of guests that run.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveMetricsTests {
    private static let outputs = URL(filePath: #filePath).appending(path: "../../../Outputs").standardized.path

    /// In a folder of its own. `serve OPTIONS` starts a trace that listens, and leaves its address in `$at` and its process in `$live`;
    /// `guest` is a guest that runs on.
    private func shell(_ line: String) throws -> Command {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path
        return try ExitStatusTableTests.shell(
            """
            mkdir '\(folder)' && cd '\(folder)'
            tool='\(Command.directory.appending(path: "apictrace").path)'
            once='\(Command.directory.appending(path: "apictrace-guest").path)'
            outputs='\(Self.outputs)'
            started=()
            guest() { "$once" 2000000000 0 >/dev/null & started+=($!); }
            serve() {
                "$tool" live --listen 0 "$@" >live.out 2>live.err & live=$!; started+=($!)
                for i in {1..400}; do
                    at=$(sed -n 's|.*metrics are at http://\\([^/]*\\)/metrics$|\\1|p' live.err) && [ "$at" ] && break; sleep 0.05
                done
                curl -sS --retry 50 --retry-delay 1 -o /dev/null "http://$at/healthz"
            }
            sample() { awk -v name="$1" 'index($0, name " ") == 1 { print $NF }' "$2"; }
            trap 'kill -9 "${started[@]}" 2>/dev/null; rm -r "\(folder)"' EXIT
            \(line)
            """)
    }

    @Test func `the file is there from the begin on and holds in the end what the report says`() throws {
        let run = try shell(
            """
            apictrace live --json --metrics x.prom -- sh -c 'cat x.prom >begin; exec '"$once"' 5000 7' >lines 2>err; echo "status $?"
            python3 - <<'EOP'
            import json, re
            report = json.loads(open("lines").readlines()[-1])
            told = {name: float(value) for name, value in re.findall(r"^(\\w+(?:\\{.*\\})?) (\\S+)$", open("x.prom").read(), re.M)}
            begin = open("begin").read()
            assert "apictrace_tracing 0\\n" in begin or "apictrace_tracing 1\\n" in begin, begin
            assert told["apictrace_tracing"] == 0
            assert told["apictrace_verdict{grade=\\"%s\\"}" % report["verdict"]] == 1
            events = {name: told["apictrace_events_total{event=\\"%s\\"}" % name] for name in report["source"]["events"]["byName"]}
            assert events == report["source"]["events"]["byName"], events
            writes = sum(vcpu["apicAccess"]["l1"]["writes"] for vm in report["vms"] for vcpu in vm["vcpus"])
            assert told['apictrace_apic_accesses_total{level="l1",path="trapped",access="write"}'] == writes > 5000, (told, writes)
            assert told["apictrace_vms_ended_total"] == len(report["vms"]) == 1, told
            assert told["apictrace_events_dropped_total"] == report["loss"]["overrun"]
            print("equal")
            EOP
            ls -A
            """)
        #expect(run.output == "status 0\nequal\nbegin\nerr\nlines\nx.prom\n", "\(run.output)\n\(run.errors)")
    }

    @Test func `a file that can't be written ends it before it traces, and one that can't be any more doesn't`() throws
    {
        let never = try shell(
            "apictrace live --metrics /no/such/x.prom -- touch ran; echo $?; ls; apictrace live --metrics /dev/null true; echo $?"
        )
        #expect(never.output == "6\nlive.err\n6\n" || never.output == "6\n6\n")
        #expect(never.errors.contains("/no/such/x.prom: can't be written: No such file or directory"))
        let late = try shell(
            "mkdir gone; apictrace live --quiet --allow-inconclusive --metrics gone/x.prom -- rm -r gone; echo $?")
        #expect(late.output.hasSuffix("\n6\n"), "\(late.output)")
        #expect(late.errors == "apictrace: gone/x.prom: can't be written: No such file or directory\n")
    }

    @Test func `counters of guests that come and go never go back, and its command has none of its descriptors`() throws
    {
        let run = try shell(
            """
            descriptors='ls -l /proc/self/fd | grep -oE "socket|eventpoll|eventfd|timerfd|signalfd|bpf"'
            sh -c "$descriptors" >usual
            serve --json -- sh -c "$descriptors >own; exec sleep 60"
            before=0
            for i in 1 2 3 4; do
                "$once" 3000 0 >/dev/null
                # Others may run guests too.
                for j in {1..200}; do
                    curl -sS "http://$at/metrics" >page; [ "$(sample apictrace_vms_ended_total page)" -ge $i ] && break; sleep 0.1
                done
                now=$(sample 'apictrace_apic_accesses_total{level="l1",path="trapped",access="write"}' page)
                [ "$now" -gt "$before" ] || echo "$now after $before"; before=$now
            done
            [ "$(sample apictrace_vms_ended_total page)" -ge 4 ] && echo ended; diff usual own && echo "as usual"
            kill -TERM $live; wait $live; echo "live $?"
            """)
        #expect(run.output.hasPrefix("ended\nas usual\nlive "), "\(run.output)\n\(run.errors)")
    }

    @Test func `a real Prometheus scrapes it while guests run`() throws {
        let run = try shell(
            """
            guest; serve --json --allow-inconclusive
            python3 "$outputs/monitoring.py" scrape "$at"; echo "ends with $?"
            kill -TERM $live; wait $live; echo "live $?"
            """)
        if run.output.contains("ends with 77\n") { return print(run.output) }
        #expect(run.output.contains("ends with 0\nlive 0\n"), "\(run.output)\n\(run.errors)")
    }

    @Test(.enabled(if: access("/usr/bin/script", X_OK) == 0, "script is not installed"))
    func `a screen, JSON lines and metrics at once`() throws {
        let run = try shell(
            """
            guest
            shown() { for i in {1..300}; do grep -qs "$1" lines && [ "$(grep -c "$1" lines)" -ge 3 ] && break; sleep 0.1; done; }
            { shown '"type":"summary"'; printf q; } | TERM=xterm script -qfec "stty rows 24 cols 80; '$tool' live --allow-inconclusive --no-color \
            --json-lines lines --metrics x.prom --listen 0" typescript >/dev/null; echo "status $?"
            grep -c '"type":"summary"' lines; tail -1 lines | grep -c '"type":"report"'; grep -c '^apictrace_tracing 0' x.prom
            grep -c 'VM, 1 vCPU' typescript >/dev/null && echo screen
            """)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "status 0", "\(run.output)\n\(run.errors)")
        #expect((3...6).contains(Int(lines[1]) ?? 0), "\(run.output)")
        #expect(lines.suffix(3) == ["1", "1", "screen"], "\(run.output)")
    }

    @Test func `what listens keeps a signal's meaning and gives up what root may`() throws {
        let run = try shell(
            """
            serve --quiet --allow-inconclusive
            cat /proc/$live/task/*/status | grep -E 'CapEff|CapPrm|NoNewPrivs' | sort | uniq -c | awk '{ print $2, $3 }'
            kill -PIPE $live; wait $live; echo $?
            """)
        #expect(
            run.output == "CapEff: 0000000000000000\nCapPrm: 0000000000000000\nNoNewPrivs: 1\n0\n",
            "\(run.output)\n\(run.errors)")
    }
}
