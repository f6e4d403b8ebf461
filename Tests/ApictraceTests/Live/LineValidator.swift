// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Validates lines of JSON as a user would: with the schema that the command prints and Python's `jsonschema`.
enum LineValidator {
    /// The complaints, one a line; empty where all lines are valid.
    static func complaints(about lines: String, schema option: String = "--live") throws -> String {
        let program = """
            import json, sys
            from jsonschema import Draft202012Validator
            validator = Draft202012Validator(json.loads(sys.argv[1]))
            for line in sys.stdin:
                for error in validator.iter_errors(json.loads(line)):
                    print(error.json_path + ": " + error.message)
            """
        let input = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(lines.utf8).write(to: input)
        defer { try? FileManager.default.removeItem(at: input) }
        let schema = try Command("schema", option).output
        let run = try Command(
            running: URL(fileURLWithPath: "/usr/bin/env"), ["python3", "-c", program, schema], input: input)
        return run.output + run.errors
    }
}
