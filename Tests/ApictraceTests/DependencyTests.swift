// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Package.resolved is not kept: what is built is what Package.swift names.
@Suite struct DependencyTests {
    @Test func `each dependency is one version and no other`() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Package.swift")
        let text = try String(contentsOf: package.standardized, encoding: .utf8)
        let dependencies = text.split(separator: "\n").filter { $0.contains(".package(") }
        #expect(!dependencies.isEmpty)
        for dependency in dependencies { #expect(dependency.contains(/exact: "[0-9.]+"\)/)) }
    }
}
