// SPDX-License-Identifier: Apache-2.0
import Foundation
import TraceCore

/// Validates JSON against ``Report/schema`` with Python's `jsonschema`, an implementation that is not ours.
enum SchemaValidator {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Keys that an object may lack. Each of them must be written by somebody, or it has no business in a schema.
    static func optionalKeys(of schema: String) throws -> Set<String> {
        func keys(_ value: Any) -> Set<String> {
            guard let object = value as? [String: Any] else {
                return (value as? [Any] ?? []).reduce(into: []) { $0.formUnion(keys($1)) }
            }
            let required = Set(object["required"] as? [String] ?? [])
            let properties = Set((object["properties"] as? [String: Any] ?? [:]).keys)
            let own = object["additionalProperties"] as? Bool == false ? properties.subtracting(required) : []
            return object.values.reduce(into: own) { $0.formUnion(keys($1)) }
        }
        return keys(try JSONSerialization.jsonObject(with: Data(schema.utf8)))
    }

    /// Nil where the JSON is valid, else the validator's complaints, one a line.
    static func complaints(about json: String, schema: String = Report.schema) throws -> String? {
        try complaints(about: [json], schema: schema)
    }

    static func complaints(about instances: [String], schema: String = Report.schema) throws -> String? {
        let program = """
            import json, sys
            from jsonschema import Draft202012Validator
            schema, *instances = json.load(sys.stdin)
            Draft202012Validator.check_schema(schema)
            for instance in instances:
                for error in Draft202012Validator(schema).iter_errors(instance):
                    print(error.json_path + ": " + error.message)
            """
        let process = Process()
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try input.fileHandleForWriting.write(
            contentsOf: Data("[\(([schema] + instances).joined(separator: ","))]".utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let failure = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: failure) }
        return text.isEmpty ? nil : text
    }
}
