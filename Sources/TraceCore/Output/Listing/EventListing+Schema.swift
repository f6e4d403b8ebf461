// SPDX-License-Identifier: Apache-2.0

extension EventListing {
    /// The JSON Schema (draft 2020-12) of a line of `events --json`, as `apictrace schema --events` prints it. The names of an
    /// event's fields are those of KVM's own formats and are left open.
    public static let schema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\#(Report.schemaHome)events",
          "title": "a line of apictrace events --json",
          "description": "The first line is of type trace: times count from its base, in the clock's unit.",
          "type": "object",
          "required": ["type"],
          "oneOf": [
            {
              "additionalProperties": false,
              "required": ["type", "base", "clock"],
              "properties": {
                "type": { "const": "trace" },
                "base": { "type": "string", "pattern": "^(0|[1-9][0-9]*)$" },
                "clock": {
                  "type": "object",
                  "additionalProperties": false,
                  "required": ["name", "unit"],
                  "properties": { "name": { "type": "string" }, "unit": { "enum": ["ns", "ticks", "none"] } }
                }
              }
            },
            {
              "additionalProperties": false,
              "required": ["type", "time", "cpu", "tid", "vm", "vcpu", "level", "event", "fields"],
              "properties": {
                "type": { "const": "event" },
                "time": { "$ref": "#/$defs/natural" },
                "cpu": { "$ref": "#/$defs/naturalOrNull" },
                "tid": { "$ref": "#/$defs/naturalOrNull" },
                "vm": { "$ref": "#/$defs/naturalOrNull" },
                "vcpu": { "$ref": "#/$defs/naturalOrNull" },
                "level": { "enum": ["l1", "l2", "unknown"] },
                "event": { "type": "string", "minLength": 1 },
                "fields": {
                  "type": "object",
                  "additionalProperties": {
                    "anyOf": [
                      { "type": ["integer", "string", "boolean"] },
                      { "type": "array", "items": { "type": "string" } }
                    ]
                  }
                }
              }
            },
            {
              "additionalProperties": false,
              "required": ["type", "instance", "cpu", "from", "to", "events"],
              "properties": {
                "type": { "const": "lost" },
                "instance": { "$ref": "#/$defs/natural" },
                "cpu": { "$ref": "#/$defs/naturalOrNull" },
                "process": { "type": "integer" },
                "from": { "$ref": "#/$defs/naturalOrNull" },
                "to": { "$ref": "#/$defs/naturalOrNull" },
                "events": { "$ref": "#/$defs/naturalOrNull" }
              }
            }
          ],
          "$defs": {
            "natural": { "type": "integer", "minimum": 0 },
            "naturalOrNull": { "type": ["integer", "null"], "minimum": 0 }
          }
        }
        """#
}
