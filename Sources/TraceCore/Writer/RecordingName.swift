// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The name of one file in a folder of recordings: `apictrace-20261128T025028Z-000042.dat`.
///
/// The stamp is when the file was begun, in UTC. The number goes up by one from file to file, so that a missing one shows. Names in
/// the order of their letters are in the order of time.
struct RecordingName: Comparable, CustomStringConvertible {
    private static let prefix = "apictrace-"
    private static let suffix = ".dat"
    static let lastNumber: UInt32 = 999_999

    /// `20261128T025028Z`.
    let stamp: String
    let number: UInt32

    private init(stamp: String, number: UInt32) {
        self.stamp = stamp
        self.number = number
    }

    /// Nil for a name of anybody else's making.
    init?(_ name: String) {
        guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
        let middle = name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
        let parts = middle.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[1].utf8.count == 6, let number = UInt32(parts[1]),
            zip(parts[0].utf8, "00000000T000000Z".utf8).allSatisfy({ letter, model in
                model == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(letter) : letter == model
            })
        else { return nil }
        self.init(stamp: String(parts[0]), number: number)
        guard description == name else { return nil }
    }

    /// For a file that is begun now, after all that are there. A clock that was set back doesn't count until it has caught up:
    /// until then names keep the latest stamp.
    ///
    /// - Parameters:
    ///   - seconds: since 1970, in UTC.
    ///   - latest: the last name so far.
    /// - Returns: nil where no name comes after that one.
    init?(at seconds: Int64, after latest: RecordingName?) {
        let now = Self.stamp(of: seconds)
        guard let latest else {
            self.init(stamp: now, number: 1)
            return
        }
        if latest.number < Self.lastNumber {
            self.init(stamp: max(now, latest.stamp), number: latest.number + 1)
        } else {
            guard now > latest.stamp else { return nil }
            self.init(stamp: now, number: 1)
        }
    }

    var description: String { "\(Self.prefix)\(stamp)-\(Self.padded(Int(number), 6))\(Self.suffix)" }

    static func < (left: RecordingName, right: RecordingName) -> Bool {
        (left.stamp, left.number) < (right.stamp, right.number)
    }

    private static func stamp(of seconds: Int64) -> String {
        var (moment, parts) = (time_t(seconds), tm())
        gmtime_r(&moment, &parts)
        let day = [parts.tm_mon + 1, parts.tm_mday]
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec]
        return padded(Int(parts.tm_year) + 1900, 4) + day.map { padded(Int($0), 2) }.joined() + "T"
            + time.map { padded(Int($0), 2) }.joined() + "Z"
    }

    private static func padded(_ value: Int, _ digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
