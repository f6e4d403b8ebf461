// SPDX-License-Identifier: Apache-2.0

extension Comparison {
    /// The JSON Schema (draft 2020-12) of an object of `diff --json`, as `apictrace schema --diff` prints it. Strict, as the report's
    /// is; what both have is the report's.
    public static let schema = #"""
        {
        \#(SchemaParts.head(
            name: "diff", title: "apictrace diff",
            description: "What changed from recording a to recording b; with --quiet the outcome alone, and where one of them can't be read an error. Counts and accesses that are the same in both are not listed. null where one of them has no counterpart or can't show it.",
            whole: "comparison", short: "outcome"
        ).indented(2))
          "$defs": {
            "comparison": {
              "type": "object",
              "additionalProperties": false,
              "required": ["type", "schemaVersion", "tool", "outcome", "reasons", "doubts", "a", "b", "findings", "vms", "observations"],
              "properties": {
                "type": { "const": "comparison" },
                "schemaVersion": { "const": "\#(version)" },
        \#(SchemaParts.tool.indented(8))
                "outcome": { "$ref": "#/$defs/outcome" },
                "reasons": { "$ref": "#/$defs/strings", "minItems": 1 },
                "doubts": { "$ref": "#/$defs/strings" },
                "a": { "$ref": "#/$defs/side" },
                "b": { "$ref": "#/$defs/side" },
                "findings": { "type": "array", "items": { "$ref": "#/$defs/findingChange" } },
                "vms": { "type": "array", "items": { "$ref": "#/$defs/vmPair" } },
                "observations": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["kind", "a", "b"],
                    "properties": {
                      "kind": { "$ref": "#/$defs/rule" },
                      "a": { "$ref": "#/$defs/natural" },
                      "b": { "$ref": "#/$defs/natural" }
                    }
                  }
                }
              }
            },
            "outcomeObject": {
              "type": "object",
              "additionalProperties": false,
              "required": ["type", "schemaVersion", "a", "b", "outcome", "text"],
              "properties": {
                "type": { "const": "outcome" },
                "schemaVersion": { "const": "\#(version)" },
                "a": { "type": ["string", "null"] },
                "b": { "type": ["string", "null"] },
                "outcome": { "$ref": "#/$defs/outcome" },
                "text": { "type": "string", "minLength": 1 }
              }
            },
        \#(SchemaParts.errorObject(version: version).indented(4))
            "outcome": { "enum": ["same", "not-worse", "better", "worse", "mixed", "incomparable"] },
            "side": {
              "type": "object",
              "additionalProperties": false,
              "required": ["path", "format", "kernel", "clock", "duration", "events", "host", "selection", "verdict", "doubts"],
              "properties": {
                "path": { "type": ["string", "null"] },
                "format": { "type": "string", "minLength": 1 },
                "kernel": { "type": "string" },
                "clock": { "$ref": "#/$defs/clock" },
                "duration": { "$ref": "#/$defs/natural" },
                "events": { "$ref": "#/$defs/natural" },
                "host": { "$ref": "#/$defs/host" },
                "selection": { "$ref": "#/$defs/selection" },
                "verdict": { "$ref": "#/$defs/grade" },
                "doubts": { "$ref": "#/$defs/strings" }
              }
            },
            "findingChange": {
              "type": "object",
              "additionalProperties": false,
              "required": ["rule", "change", "effect", "certain", "text", "a", "b"],
              "properties": {
                "rule": { "$ref": "#/$defs/rule" },
                "change": { "enum": ["new", "gone", "graver", "milder", "moved", "same"] },
                "effect": { "enum": ["better", "worse", "none"] },
                "certain": { "type": "boolean" },
                "text": { "type": "string", "minLength": 1 },
                "a": { "anyOf": [{ "$ref": "#/$defs/findingSide" }, { "type": "null" }] },
                "b": { "anyOf": [{ "$ref": "#/$defs/findingSide" }, { "type": "null" }] }
              }
            },
            "findingSide": {
              "type": "object",
              "additionalProperties": false,
              "required": ["id", "grade", "vm", "vcpu", "first", "count", "vectors", "stuck", "crossings"],
              "properties": {
                "id": { "type": "string", "minLength": 1 },
                "grade": { "$ref": "#/$defs/grade" },
                "vm": { "$ref": "#/$defs/naturalOrNull" },
                "vcpu": { "$ref": "#/$defs/naturalOrNull" },
                "first": { "$ref": "#/$defs/natural" },
                "count": { "$ref": "#/$defs/natural" },
                "vectors": { "type": "array", "items": { "$ref": "#/$defs/vector" } },
                "stuck": { "type": "array", "items": { "$ref": "#/$defs/vector" } },
                "crossings": { "type": "array", "items": { "$ref": "#/$defs/crossing" } }
              }
            },
            "vmPair": {
              "type": "object",
              "additionalProperties": false,
              "required": ["matchedBy", "a", "b", "apicv", "exits", "apicAccess", "vcpus"],
              "properties": {
                "matchedBy": { "enum": ["process", "guest", "command", "nested", "order", "number", "only", "none"] },
                "a": { "anyOf": [{ "$ref": "#/$defs/vmName" }, { "type": "null" }] },
                "b": { "anyOf": [{ "$ref": "#/$defs/vmName" }, { "type": "null" }] },
                "apicv": {
                  "type": "object",
                  "additionalProperties": false,
                  "required": ["a", "b"],
                  "properties": {
                    "a": { "anyOf": [{ "$ref": "#/$defs/apicvHistory" }, { "type": "null" }] },
                    "b": { "anyOf": [{ "$ref": "#/$defs/apicvHistory" }, { "type": "null" }] }
                  }
                },
                "exits": { "type": "array", "items": { "$ref": "#/$defs/exitChange" } },
                "apicAccess": { "type": "array", "items": { "$ref": "#/$defs/accessChange" } },
                "vcpus": { "type": "array", "items": { "$ref": "#/$defs/vcpuPair" } }
              }
            },
            "vmName": {
              "type": "object",
              "additionalProperties": false,
              "required": ["id", "pid", "command", "guest"],
              "properties": {
                "id": { "$ref": "#/$defs/natural" },
                "pid": { "$ref": "#/$defs/naturalOrNull" },
                "command": { "type": ["string", "null"] },
                "guest": { "type": ["string", "null"] }
              }
            },
            "apicvHistory": {
              "type": "object",
              "additionalProperties": false,
              "required": ["states", "changes", "intervals"],
              "properties": {
                "states": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["state", "mask", "inhibits", "inferred", "duration", "share"],
                    "properties": {
                      "state": { "enum": ["active", "inhibited", "unknown"] },
                      "mask": { "$ref": "#/$defs/hex" },
                      "inhibits": { "$ref": "#/$defs/strings" },
                      "inferred": { "type": "boolean" },
                      "duration": { "$ref": "#/$defs/natural" },
                      "share": { "type": "number", "minimum": 0, "maximum": 1 }
                    }
                  }
                },
                "changes": { "$ref": "#/$defs/natural" },
                "intervals": { "type": "array", "items": { "$ref": "#/$defs/apicv" } }
              }
            },
            "exitChange": {
              "type": "object",
              "additionalProperties": false,
              "required": ["level", "reason", "a", "b"],
              "properties": {
                "level": { "enum": ["l1", "l2", "unknown"] },
                "reason": { "type": ["string", "null"], "minLength": 1 },
                "a": { "$ref": "#/$defs/count" },
                "b": { "$ref": "#/$defs/count" }
              }
            },
            "count": {
              "type": ["object", "null"],
              "additionalProperties": false,
              "required": ["count", "perSecond"],
              "properties": {
                "count": { "$ref": "#/$defs/natural" },
                "perSecond": { "type": ["number", "null"], "minimum": 0 }
              }
            },
            "accessChange": {
              "type": "object",
              "additionalProperties": false,
              "required": ["kind", "register", "a", "b"],
              "properties": {
                "kind": { "enum": ["l1", "l2Direct", "l2Hooked", "l2Own"] },
                "register": { "type": ["string", "null"], "minLength": 1 },
                "a": { "anyOf": [{ "$ref": "#/$defs/register" }, { "type": "null" }] },
                "b": { "anyOf": [{ "$ref": "#/$defs/register" }, { "type": "null" }] }
              }
            },
            "vcpuPair": {
              "type": "object",
              "additionalProperties": false,
              "required": ["matchedBy", "a", "b", "ipisSent", "interrupts"],
              "properties": {
                "matchedBy": { "enum": ["number", "order", "none"] },
                "a": { "$ref": "#/$defs/vcpuName" },
                "b": { "$ref": "#/$defs/vcpuName" },
                "ipisSent": {
                  "type": "object",
                  "additionalProperties": false,
                  "required": ["a", "b"],
                  "properties": { "a": { "$ref": "#/$defs/naturalOrNull" }, "b": { "$ref": "#/$defs/naturalOrNull" } }
                },
                "interrupts": { "type": "array", "items": { "$ref": "#/$defs/vectorChange" } }
              }
            },
            "vcpuName": {
              "type": ["object", "null"],
              "additionalProperties": false,
              "required": ["id", "tid"],
              "properties": { "id": { "$ref": "#/$defs/naturalOrNull" }, "tid": { "$ref": "#/$defs/naturalOrNull" } }
            },
            "vectorChange": {
              "type": "object",
              "additionalProperties": false,
              "required": ["vector", "a", "b"],
              "properties": {
                "vector": { "$ref": "#/$defs/vector" },
                "a": { "$ref": "#/$defs/vectorSide" },
                "b": { "$ref": "#/$defs/vectorSide" }
              }
            },
            "vectorSide": {
              "type": ["object", "null"],
              "additionalProperties": false,
              "required": ["fate", "ledger"],
              "properties": {
                "fate": { "enum": ["lost", "stuck", "waiting", "outstanding", "delivered", "accepted", "unseen"] },
                "ledger": { "anyOf": [{ "$ref": "#/$defs/interrupt" }, { "type": "null" }] }
              }
            },
        \#(Report.definitions.indented(4))
          }
        }
        """#
}
