// SPDX-License-Identifier: Apache-2.0

extension Examination {
    /// The JSON Schema (draft 2020-12) of `doctor --json`, as `apictrace schema --doctor` prints it. Checks may be added: their
    /// names are left open.
    static let schema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "urn:apictrace:schema:1.3:doctor",
          "title": "apictrace doctor --json",
          "type": "object",
          "additionalProperties": false,
          "required": ["schemaVersion", "canTrace", "checks"],
          "properties": {
            "schemaVersion": { "const": "1.0" },
            "canTrace": { "type": "boolean" },
            "checks": {
              "type": "array",
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "state", "finding"],
                "properties": {
                  "name": { "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" },
                  "state": { "enum": ["ok", "note", "failed"] },
                  "finding": { "type": "string", "minLength": 1 },
                  "advice": { "type": "string", "minLength": 1 }
                }
              }
            }
          }
        }
        """#
}
