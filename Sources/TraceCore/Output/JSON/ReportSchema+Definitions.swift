// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What the schemas of a report, of a line of `live --json` and of a comparison share.
    static let definitions = #"""
        "natural": { "type": "integer", "minimum": 0 },
        "naturalOrNull": { "type": ["integer", "null"], "minimum": 0 },
        "hex": { "type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]{0,15})$" },
        "vector": { "type": "string", "pattern": "^0x[0-9a-f]{2}$" },
        "strings": { "type": "array", "items": { "type": "string", "minLength": 1 } },
        "unknowns": {
          "type": "array",
          "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["text", "record", "standing"],
            "properties": {
              "text": { "type": "string", "minLength": 1 },
              "record": { "type": "array", "items": { "type": "string", "pattern": "^[a-z0-9_]+:[a-z0-9_]+$" } },
              "standing": { "type": "boolean" }
            }
          }
        },
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
            "clock": { "$ref": "#/$defs/clock" },
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
        "clock": {
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "unit"],
          "properties": { "name": { "type": "string" }, "unit": { "enum": ["ns", "ticks", "none"] } }
        },
        "loss": {
          "type": "object",
          "additionalProperties": false,
          "required": ["known", "unknownGaps", "overrun", "gapsTotal", "gaps"],
          "properties": {
            "known": { "$ref": "#/$defs/natural" },
            "unknownGaps": { "$ref": "#/$defs/natural" },
            "overrun": { "$ref": "#/$defs/naturalOrNull" },
            "ofVMs": { "$ref": "#/$defs/natural" },
            "gapsTotal": { "$ref": "#/$defs/natural" },
            "gaps": {
              "type": "array",
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["instance", "cpu", "from", "to", "events"],
                "properties": {
                  "instance": { "$ref": "#/$defs/natural" },
                  "cpu": { "$ref": "#/$defs/naturalOrNull" },
                  "process": { "type": "integer" },
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
            },
            "inhibitOnL2Access": {
              "type": "object",
              "additionalProperties": false,
              "required": ["name", "bit"],
              "properties": {
                "name": { "type": "string", "minLength": 1 },
                "bit": { "type": "integer", "minimum": 0, "maximum": 63 }
              }
            }
          }
        },
        "evidence": {
          "type": "object",
          "additionalProperties": false,
          "required": ["time", "cpu", "tid", "event", "text"],
          "properties": {
            "time": { "$ref": "#/$defs/natural" },
            "cpu": { "$ref": "#/$defs/naturalOrNull" },
            "tid": { "$ref": "#/$defs/naturalOrNull" },
            "event": { "type": "string", "minLength": 1 },
            "text": { "type": "string" }
          }
        },
        "whatIf": {
          "type": "object",
          "additionalProperties": false,
          "required": ["policy", "vms", "limits"],
          "properties": {
            "policy": { "enum": ["inhibit-on-l2-access"] },
            "vms": {
              "type": "array",
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["vm", "outcome", "trigger", "isLate", "l2Direct", "findings", "cost"],
                "properties": {
                  "vm": { "$ref": "#/$defs/natural" },
                  "outcome": { "enum": ["inhibited", "not-reached", "already-inhibited", "unknown"] },
                  "trigger": { "oneOf": [{ "type": "null" }, { "$ref": "#/$defs/evidence" }] },
                  "isLate": { "type": "boolean" },
                  "l2Direct": { "$ref": "#/$defs/accesses" },
                  "findings": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "additionalProperties": false,
                      "required": ["id", "path"],
                      "properties": {
                        "id": { "type": "string", "minLength": 1 },
                        "path": { "enum": ["emulated", "before", "unknown"] }
                      }
                    }
                  },
                  "cost": {
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "required": ["duration", "exits", "accepted", "coalesced", "eoiExits", "deliveryExits"],
                    "properties": {
                      "duration": { "$ref": "#/$defs/naturalOrNull" },
                      "exits": { "$ref": "#/$defs/natural" },
                      "accepted": { "$ref": "#/$defs/natural" },
                      "coalesced": { "$ref": "#/$defs/natural" },
                      "eoiExits": { "$ref": "#/$defs/natural" },
                      "deliveryExits": { "$ref": "#/$defs/natural" }
                    }
                  }
                }
              }
            },
            "limits": { "$ref": "#/$defs/strings" }
          }
        },
        "selection": {
          "type": ["object", "null"],
          "additionalProperties": false,
          "required": ["vm", "vcpu", "vms", "vcpus", "from", "to"],
          "properties": {
            "vm": { "type": ["integer", "null"] },
            "vcpu": { "$ref": "#/$defs/naturalOrNull" },
            "vms": { "$ref": "#/$defs/strings" },
            "vcpus": { "type": "array", "items": { "$ref": "#/$defs/natural" } },
            "from": { "$ref": "#/$defs/naturalOrNull" },
            "to": { "$ref": "#/$defs/naturalOrNull" }
          }
        },
        "observation": {
          "type": "object",
          "additionalProperties": false,
          "required": ["kind", "vm", "vcpu", "vector", "first", "last", "count", "text"],
          "properties": {
            "kind": { "$ref": "#/$defs/rule" },
            "vm": { "$ref": "#/$defs/naturalOrNull" },
            "vcpu": { "$ref": "#/$defs/naturalOrNull" },
            "vector": { "anyOf": [{ "$ref": "#/$defs/vector" }, { "type": "null" }] },
            "first": { "$ref": "#/$defs/natural" },
            "last": { "$ref": "#/$defs/natural" },
            "count": { "$ref": "#/$defs/natural" },
            "text": { "type": "string", "minLength": 1 }
          }
        },
        "vm": {
          "type": "object",
          "additionalProperties": false,
          "required": ["id", "pid", "command", "guest", "apicv", "apicOfL2", "vcpus"],
          "properties": {
            "id": { "$ref": "#/$defs/natural" },
            "pid": { "$ref": "#/$defs/naturalOrNull" },
            "command": { "type": ["string", "null"] },
            "guest": { "type": ["string", "null"] },
            "apicv": { "type": "array", "items": { "$ref": "#/$defs/apicv" } },
            "apicOfL2": { "enum": ["l1s", "virtualised", "unknown"] },
            "eventsLost": { "$ref": "#/$defs/natural" },
            "vcpus": { "type": "array", "items": { "$ref": "#/$defs/vcpu" } }
          }
        },
        "endedVMs": {
          "type": "object",
          "additionalProperties": false,
          "required": ["vms", "vcpus", "exits", "apicAccess", "ipisSent", "accepted", "acknowledged", "ended"],
          "properties": {
            "vms": { "$ref": "#/$defs/natural" },
            "vcpus": { "$ref": "#/$defs/natural" },
            "exits": { "$ref": "#/$defs/exits" },
            "apicAccess": { "$ref": "#/$defs/apicAccess" },
            "ipisSent": { "$ref": "#/$defs/naturalOrNull" },
            "accepted": { "$ref": "#/$defs/levels" },
            "acknowledged": { "$ref": "#/$defs/levels" },
            "ended": { "$ref": "#/$defs/levels" }
          }
        },
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
          "required": ["l1", "l2Direct", "l2Hooked", "l2Own"],
          "properties": {
            "l1": { "$ref": "#/$defs/accesses" },
            "l2Direct": { "$ref": "#/$defs/accesses" },
            "l2Hooked": { "$ref": "#/$defs/accesses" },
            "l2Own": { "$ref": "#/$defs/accesses" }
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
            "tid": { "$ref": "#/$defs/naturalOrNull" },
            "exits": { "$ref": "#/$defs/exits" },
            "apicAccess": { "$ref": "#/$defs/apicAccess" },
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
        "registers": { "type": "object", "additionalProperties": { "$ref": "#/$defs/register" } },
        "register": {
          "type": "object",
          "additionalProperties": false,
          "required": ["reads", "writes"],
          "properties": { "reads": { "$ref": "#/$defs/natural" }, "writes": { "$ref": "#/$defs/natural" } }
        },
        "crossing": {
          "type": "object",
          "additionalProperties": false,
          "required": ["vector", "ackLevel", "eoiLevel", "inferred"],
          "properties": {
            "vector": { "$ref": "#/$defs/vector" },
            "ackLevel": { "$ref": "#/$defs/level" },
            "eoiLevel": { "$ref": "#/$defs/level" },
            "inferred": { "type": "boolean" }
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
