// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
public import TraceCore

// A wrong value's message then lists the right ones, and shells complete them.
extension Grade: ExpressibleByArgument {}
extension RuleID: ExpressibleByArgument {}
