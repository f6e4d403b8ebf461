// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Glibc
import TraceCore

/// `apictrace-attack [--seed N] [--events N] [--attack NAME]... [--truth TABLE FOLDER] [--healthy PATH...]
/// [--crossing PATH...] [--lossy PATH...] [--list N] [--replay RECORDING ATTACK NUMBER [--write FILE]]`: changes each recording
/// in many ways and checks that the verdicts keep their promises (docs/attack.md). Exit status 1 where one doesn't.
@main
enum Main {
    static func main() async {
        var options = Options()
        if let complaint = options.parse(CommandLine.arguments.dropFirst()) {
            print(complaint)
            exit(2)
        }
        var corpus = Corpus()
        for line in options.lines {
            do {
                try corpus.add(path: options.path(of: line), name: line.path, truth: line.truth)
            } catch {
                print("\(line.path): \(error)")
                exit(2)
            }
        }
        if let replay = options.replay {
            exit(run(replay, corpus, options) ? 0 : 2)
        }
        print("seed \(options.seed), \(corpus.recordings.count) recordings")
        let campaign = await run(corpus, options)
        Summary(campaign, shown: options.shown).print()
        exit(campaign.violations == 0 ? 0 : 1)
    }

    /// Recordings side by side, as many as there are cores.
    private static func run(_ corpus: Corpus, _ options: Options) async -> Campaign {
        let start = Campaign(corpus, seed: options.seed, budget: options.events)
        let attacks = Attack.all.filter { options.attacks.isEmpty || options.attacks.contains($0.name) }
        return await withTaskGroup(of: Campaign.self) { parts in
            for recording in corpus.recordings {
                parts.addTask {
                    var part = start
                    part.run(attacks, on: recording)
                    print("\(recording.name): \(part.analyses) analyses, \(part.violations) violations")
                    fflush(nil)
                    return part
                }
            }
            return await parts.reduce(into: start) { $0.add($1) }
        }
    }

    /// One variant again, in full.
    private static func run(_ replay: Options.Replay, _ corpus: Corpus, _ options: Options) -> Bool {
        guard let recording = corpus.recording(named: replay.recording),
            let attack = Attack.all.first(where: { $0.name == replay.attack }),
            let changed = attack.changed(recording, number: replay.number, seed: options.seed, corpus: corpus)
        else {
            print("no such recording, attack or variant: the recording needs its --truth or --healthy too")
            return false
        }
        var campaign = Campaign(corpus, seed: options.seed, budget: 0)
        let judgement = campaign.replay(changed, attack: replay.attack, number: replay.number)
        print(campaign.groups.flatMap(\.examples).map(\.line).joined(separator: "\n"))
        print(judgement.report.text(style: TextStyle()))
        if let path = options.written {
            do {
                try changed.write(to: path)
            } catch {
                print(error)
                return false
            }
        }
        return true
    }
}
