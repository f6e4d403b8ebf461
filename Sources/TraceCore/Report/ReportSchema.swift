// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// The JSON Schema (draft 2020-12) of version 1, as `apictrace schema` prints it.
    ///
    /// Strict, so that a test notices what a reader of reports would stumble on. A change to it is a change of version.
    /// Rule ids are left open: a new rule is no new version.
    public static let schema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "apictrace report",
          "description": "Times count from source.span.base in the clock's unit. A count is null where the trace can't show it.",
        \#(report(LineType()).indented(2)),
          "$defs": {
            "finding": {
        \#(finding(LineType()).indented(6))
            },
        \#(definitions.indented(4))
          }
        }
        """#

    /// The JSON Schema of one line of `live --json`: the report's with a `type`, and what comes before it.
    public static let lineSchema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "a line of apictrace live --json",
          "description": "The last line is of type report. Times count from its source.span.base, in nanoseconds. A finding comes again when its grade has risen; its id stays.",
          "type": "object",
          "required": ["type"],
          "oneOf": [
            { "$ref": "#/$defs/findingLine" },
            { "$ref": "#/$defs/summaryLine" },
            { "$ref": "#/$defs/reportLine" }
          ],
          "$defs": {
            "findingLine": {
        \#(finding(LineType("finding")).indented(6))
            },
            "summaryLine": {
              "type": "object",
              "additionalProperties": false,
              "required": ["type", "time", "verdict", "events", "perSecond", "dropped", "vms", "vcpus"],
              "properties": {
                "type": { "const": "summary" },
                "time": { "$ref": "#/$defs/natural" },
                "verdict": { "$ref": "#/$defs/grade" },
                "events": { "$ref": "#/$defs/natural" },
                "perSecond": { "$ref": "#/$defs/natural" },
                "dropped": { "$ref": "#/$defs/natural" },
                "vms": { "$ref": "#/$defs/natural" },
                "vcpus": { "$ref": "#/$defs/natural" }
              }
            },
            "reportLine": {
        \#(report(LineType("report")).indented(6))
            },
            "finding": {
        \#(finding(LineType()).indented(6))
            },
        \#(definitions.indented(4))
          }
        }
        """#

    /// The `type` that tells the lines of `live --json` apart, and that a file's report lacks.
    private struct LineType {
        /// In a list of required names.
        var name = ""
        var property = ""

        init() {}

        init(_ type: String) {
            name = #""type", "#
            property = "\n    \"type\": { \"const\": \"\(type)\" },"
        }
    }

    private static func report(_ type: LineType) -> String {
        #"""
        "type": "object",
        "additionalProperties": false,
        "required": [\#(type.name)"schemaVersion", "tool", "source", "loss", "host", "verdict", "findings", "vms", "limits"],
        "properties": {\#(type.property)
          "schemaVersion": { "const": "1.0" },
          "tool": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "version"],
            "properties": { "name": { "const": "apictrace" }, "version": { "type": "string", "minLength": 1 } }
          },
          "source": { "$ref": "#/$defs/source" },
          "loss": { "$ref": "#/$defs/loss" },
          "host": { "$ref": "#/$defs/host" },
          "verdict": { "$ref": "#/$defs/grade" },
          "findings": { "type": "array", "items": { "$ref": "#/$defs/finding" } },
          "vms": { "type": "array", "items": { "$ref": "#/$defs/vm" } },
          "limits": { "$ref": "#/$defs/strings" }
        }
        """#
    }

    private static func finding(_ type: LineType) -> String {
        #"""
        "type": "object",
        "additionalProperties": false,
        "required": [\#(type.name)
          "id", "rule", "grade", "vm", "vcpu", "first", "last", "count", "inferred", "registers", "vectors", "crossings",
          "symptoms", "evidenceTotal", "evidence", "explanation", "advice", "references", "limits"
        ],
        "properties": {\#(type.property)
          "id": { "type": "string", "minLength": 1 },
          "rule": { "$ref": "#/$defs/rule" },
          "grade": { "$ref": "#/$defs/grade" },
          "vm": { "$ref": "#/$defs/naturalOrNull" },
          "vcpu": { "$ref": "#/$defs/naturalOrNull" },
          "first": { "$ref": "#/$defs/natural" },
          "last": { "$ref": "#/$defs/natural" },
          "count": { "$ref": "#/$defs/natural" },
          "inferred": { "type": "boolean" },
          "registers": { "$ref": "#/$defs/registers" },
          "vectors": { "type": "array", "items": { "$ref": "#/$defs/vector" } },
          "crossings": {
            "type": "array",
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": ["vector", "ackLevel", "eoiLevel", "inferred"],
              "properties": {
                "vector": { "$ref": "#/$defs/vector" },
                "ackLevel": { "$ref": "#/$defs/level" },
                "eoiLevel": { "$ref": "#/$defs/level" },
                "inferred": { "type": "boolean" }
              }
            }
          },
          "symptoms": { "type": "array", "items": { "$ref": "#/$defs/rule" } },
          "evidenceTotal": { "$ref": "#/$defs/natural" },
          "evidence": {
            "type": "array",
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": ["time", "cpu", "tid", "event", "text"],
              "properties": {
                "time": { "$ref": "#/$defs/natural" },
                "cpu": { "$ref": "#/$defs/natural" },
                "tid": { "$ref": "#/$defs/natural" },
                "event": { "type": "string", "minLength": 1 },
                "text": { "type": "string" }
              }
            }
          },
          "explanation": { "type": "string", "minLength": 1 },
          "advice": { "type": "string", "minLength": 1 },
          "references": { "$ref": "#/$defs/strings" },
          "limits": { "$ref": "#/$defs/strings" }
        }
        },
        "registers": {
        "type": "object",
        "additionalProperties": {
          "type": "object",
          "additionalProperties": false,
          "required": ["reads", "writes"],
          "properties": { "reads": { "$ref": "#/$defs/natural" }, "writes": { "$ref": "#/$defs/natural" } }
        }
        """#
    }

    private static let definitions = #"""
        "natural": { "type": "integer", "minimum": 0 },
        "naturalOrNull": { "type": ["integer", "null"], "minimum": 0 },
        "hex": { "type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]{0,15})$" },
        "vector": { "type": "string", "pattern": "^0x[0-9a-f]{2}$" },
        "strings": { "type": "array", "items": { "type": "string", "minLength": 1 } },
        "counts": { "type": "object", "additionalProperties": { "$ref": "#/$defs/natural" } },
        "grade": { "enum": ["clean", "inconclusive", "exposed", "hazard", "suspect", "confirmed"] },
        "rule": { "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" },
        "level": { "enum": ["l1", "l2"] },
        "source": {
          "type": "object",
          "additionalProperties": false,
          "required": ["path", "format", "kernel", "clock", "cpus", "eventsSelected", "cut", "events", "span"],
          "properties": {
            "path": { "type": ["string", "null"] },
            "format": { "type": "string", "minLength": 1 },
            "kernel": { "type": "string" },
            "clock": {
              "type": "object",
              "additionalProperties": false,
              "required": ["name", "unit"],
              "properties": { "name": { "type": "string" }, "unit": { "enum": ["ns", "ticks", "none"] } }
            },
            "cpus": { "$ref": "#/$defs/natural" },
            "eventsSelected": { "type": ["array", "null"], "items": { "type": "string", "minLength": 1 } },
            "cut": {
              "type": ["object", "null"],
              "additionalProperties": false,
              "required": ["offset", "expected"],
              "properties": {
                "offset": { "$ref": "#/$defs/natural" },
                "expected": { "type": "string", "minLength": 1 }
              }
            },
            "events": {
              "type": "object",
              "additionalProperties": false,
              "required": ["total", "byName"],
              "properties": { "total": { "$ref": "#/$defs/natural" }, "byName": { "$ref": "#/$defs/counts" } }
            },
            "span": {
              "type": "object",
              "additionalProperties": false,
              "required": ["base", "first", "last"],
              "properties": {
                "base": { "type": "string", "pattern": "^(0|[1-9][0-9]*)$" },
                "first": { "$ref": "#/$defs/natural" },
                "last": { "$ref": "#/$defs/natural" }
              }
            }
          }
        },
        "loss": {
          "type": "object",
          "additionalProperties": false,
          "required": ["known", "unknownGaps", "overrun", "gapsTotal", "gaps"],
          "properties": {
            "known": { "$ref": "#/$defs/natural" },
            "unknownGaps": { "$ref": "#/$defs/natural" },
            "overrun": { "$ref": "#/$defs/naturalOrNull" },
            "gapsTotal": { "$ref": "#/$defs/natural" },
            "gaps": {
              "type": "array",
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["instance", "cpu", "from", "to", "events"],
                "properties": {
                  "instance": { "$ref": "#/$defs/natural" },
                  "cpu": { "$ref": "#/$defs/natural" },
                  "from": { "$ref": "#/$defs/natural" },
                  "to": { "$ref": "#/$defs/natural" },
                  "events": { "$ref": "#/$defs/naturalOrNull" }
                }
              }
            }
          }
        },
        "host": {
          "type": "object",
          "additionalProperties": false,
          "required": ["isa", "sviFix"],
          "properties": {
            "isa": { "enum": ["vmx", "svm", "pvm", "unknown"] },
            "sviFix": {
              "type": "object",
              "additionalProperties": false,
              "required": ["state", "basis", "evidence"],
              "properties": {
                "state": { "enum": ["present", "absent", "unknown"] },
                "basis": { "enum": ["kallsyms", "btf", "behaviour", "format", "release"] },
                "evidence": { "type": "string" }
              }
            }
          }
        },
        "vm": {
          "type": "object",
          "additionalProperties": false,
          "required": ["id", "pid", "command", "apicv", "vcpus"],
          "properties": {
            "id": { "$ref": "#/$defs/natural" },
            "pid": { "$ref": "#/$defs/naturalOrNull" },
            "command": { "type": ["string", "null"] },
            "apicv": { "type": "array", "items": { "$ref": "#/$defs/apicv" } },
            "vcpus": { "type": "array", "items": { "$ref": "#/$defs/vcpu" } }
          }
        },
        "apicv": {
          "type": "object",
          "additionalProperties": false,
          "required": ["from", "to", "state", "mask", "inhibits", "inferred", "setBy"],
          "properties": {
            "from": { "$ref": "#/$defs/natural" },
            "to": { "$ref": "#/$defs/natural" },
            "state": { "enum": ["active", "inhibited", "unknown"] },
            "mask": { "$ref": "#/$defs/hex" },
            "inhibits": { "$ref": "#/$defs/strings" },
            "inferred": { "type": "boolean" },
            "setBy": {
              "type": ["object", "null"],
              "additionalProperties": false,
              "required": ["tid"],
              "properties": { "tid": { "$ref": "#/$defs/natural" } }
            }
          }
        },
        "vcpu": {
          "type": "object",
          "additionalProperties": false,
          "required": ["id", "tid", "exits", "apicAccess", "ipisSent", "ipis", "interrupts"],
          "properties": {
            "id": { "$ref": "#/$defs/naturalOrNull" },
            "tid": { "$ref": "#/$defs/natural" },
            "exits": {
              "type": "object",
              "additionalProperties": false,
              "required": ["l1", "l2", "unknown"],
              "properties": {
                "l1": { "$ref": "#/$defs/counts" },
                "l2": { "$ref": "#/$defs/counts" },
                "unknown": { "$ref": "#/$defs/counts" }
              }
            },
            "apicAccess": {
              "type": "object",
              "additionalProperties": false,
              "required": ["l1", "l2Direct", "l2Hooked"],
              "properties": {
                "l1": { "$ref": "#/$defs/accesses" },
                "l2Direct": { "$ref": "#/$defs/accesses" },
                "l2Hooked": { "$ref": "#/$defs/accesses" }
              }
            },
            "ipisSent": { "$ref": "#/$defs/naturalOrNull" },
            "ipis": {
              "type": "array",
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["dest", "vector", "mode", "count"],
                "properties": {
                  "dest": { "$ref": "#/$defs/natural" },
                  "vector": { "$ref": "#/$defs/vector" },
                  "mode": { "enum": ["fixed", "lowest", "smi", "remrd", "nmi", "init", "sipi", "extint"] },
                  "count": { "$ref": "#/$defs/natural" }
                }
              }
            },
            "interrupts": { "type": "array", "items": { "$ref": "#/$defs/interrupt" } }
          }
        },
        "accesses": {
          "type": "object",
          "additionalProperties": false,
          "required": ["reads", "writes", "registers"],
          "properties": {
            "reads": { "$ref": "#/$defs/naturalOrNull" },
            "writes": { "$ref": "#/$defs/naturalOrNull" },
            "registers": { "$ref": "#/$defs/registers" }
          }
        },
        "interrupt": {
          "type": "object",
          "additionalProperties": false,
          "required": ["vector", "accepted", "acknowledged", "reinjected", "ended", "coalesced", "outstanding", "class"],
          "properties": {
            "vector": { "$ref": "#/$defs/vector" },
            "accepted": { "$ref": "#/$defs/levels" },
            "acknowledged": { "$ref": "#/$defs/levels" },
            "reinjected": { "$ref": "#/$defs/naturalOrNull" },
            "ended": { "$ref": "#/$defs/levels" },
            "coalesced": { "$ref": "#/$defs/naturalOrNull" },
            "outstanding": { "$ref": "#/$defs/naturalOrNull" },
            "class": {
              "enum": [
                "pending at end of trace", "masked or lower priority", "silent by design", "blocked on purpose",
                "touched by a gap", "unexplained", null
              ]
            }
          }
        },
        "levels": {
          "type": "object",
          "additionalProperties": false,
          "required": ["l1", "l2", "unknown"],
          "properties": {
            "l1": { "$ref": "#/$defs/naturalOrNull" },
            "l2": { "$ref": "#/$defs/naturalOrNull" },
            "unknown": { "$ref": "#/$defs/naturalOrNull" }
          }
        }
        """#
}

extension String {
    fileprivate func indented(_ columns: Int) -> String {
        let lead = String(repeating: " ", count: columns)
        return split(separator: "\n", omittingEmptySubsequences: false).map { lead + $0 }.joined(separator: "\n")
    }
}
