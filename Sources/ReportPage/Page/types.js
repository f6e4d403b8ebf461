// SPDX-License-Identifier: Apache-2.0
"use strict";

// What the page is given: the report as its schema has it (`apictrace schema`), and the time line as docs/reports.md has it.

/** @typedef {{time: number, cpu: number | null, tid: number | null, event: string, text: string}} Evidence */
/** @typedef {{reads: number | null, writes: number | null}} Access */
/** @typedef {{text: string, record: string[], standing: boolean}} Unknown */
/**
 * @typedef {object} Finding
 * @property {string} id
 * @property {string} rule
 * @property {string} grade
 * @property {number | null} vm
 * @property {number | null} vcpu
 * @property {number} first
 * @property {number} last
 * @property {number} count
 * @property {boolean} inferred
 * @property {string[]} vectors
 * @property {string[]} stuck
 * @property {{vector: string, ackLevel: string, eoiLevel: string, inferred: boolean}[]} crossings
 * @property {string[]} symptoms
 * @property {Evidence[]} evidence
 * @property {number} evidenceTotal
 * @property {string} explanation
 * @property {string} advice
 * @property {string[]} references
 * @property {Unknown[]} unknowns
 */
/** @typedef {{l1: number | null, l2: number | null, unknown: number | null}} Levels */
/**
 * @typedef {object} Interrupts
 * @property {string} vector
 * @property {Levels} accepted
 * @property {Levels} acknowledged
 * @property {Levels} ended
 * @property {number | null} reinjected
 * @property {number | null} coalesced
 * @property {number | null} outstanding
 * @property {string | null} class
 */
/** @typedef {{reads: number | null, writes: number | null, registers: Record<string, Access>}} Accesses */
/**
 * @typedef {object} VCPU
 * @property {number | null} id
 * @property {number | null} tid
 * @property {{l1: Record<string, number>, l2: Record<string, number>, unknown: Record<string, number>}} exits
 * @property {{l1: Accesses, l2Direct: Accesses, l2Hooked: Accesses, l2Own: Accesses}} apicAccess
 * @property {Interrupts[]} interrupts
 */
/** @typedef {{from: number, to: number, state: string, mask: string, inhibits: string[], inferred: boolean}} APICv */
/**
 * @typedef {object} VM
 * @property {number} id
 * @property {number | null} pid
 * @property {string | null} command
 * @property {string | null} guest
 * @property {APICv[]} apicv
 * @property {VCPU[]} vcpus
 */
/** @typedef {{cpu: number | null, process?: number, from: number, to: number, events: number | null}} Gap */
/**
 * @typedef {object} Report
 * @property {{name: string, version: string}} tool
 * @property {{path: string | null, format: string, kernel: string, clock: {name: string, unit: string}, cpus: number,
 *   cut: {offset: number, expected: string} | null, events: {total: number, byName: Record<string, number>},
 *   span: {base: string, first: number, last: number}}} source
 * @property {{known: number, unknownGaps: number, overrun: number | null, gapsTotal: number, gaps: Gap[]}} loss
 * @property {{isa: string, sviFix: {state: string, basis: string, evidence: string}}} host
 * @property {string} verdict
 * @property {string[]} reasons
 * @property {Finding[]} findings
 * @property {VM[]} vms
 * @property {{kind: string, vm: number | null, vcpu: number | null, text: string}[]} observations
 * @property {Unknown[]} unknowns
 * @property {string | null} recordCommand
 */
/**
 * @typedef {object} LineEvent
 * @property {number} time
 * @property {string} kind
 * @property {string} level
 * @property {string} [reason]
 * @property {string} [vector]
 * @property {string} [register]
 * @property {boolean} [isWrite]
 * @property {boolean} isEvidence
 */
/**
 * @typedef {object} LineInterrupt
 * @property {string} vector
 * @property {number} [requested]
 * @property {{time: number, level: string}} [accepted]
 * @property {{time: number, level: string}} [acknowledged]
 * @property {{time: number, level: string}} [ended]
 * @property {number} coalesced
 * @property {boolean} isCrossing
 * @property {string} fate
 * @property {boolean} isLost
 * @property {number} [until]
 */
/**
 * @typedef {object} Bucket Sums over a stretch of time.
 * @property {number[]} time by activity: L1, L2, guest of unknown level, L0 for each of the three, blocked, unknown
 * @property {number[]} exits by level: L1, L2, unknown
 * @property {number[]} accepted
 * @property {number[]} acknowledged
 * @property {number[]} ended
 * @property {number[]} accesses reads and writes of L1, of whoever ran, of L2 directly, of L2 handed to L1
 * @property {number} ipis
 * @property {number} longestPause
 */
/**
 * @typedef {object} LineData A vCPU's part of the time line.
 * @property {number | null} id
 * @property {number | null} tid
 * @property {number} start
 * @property {number} width
 * @property {string[]} buckets
 * @property {{events: LineEvent[], interrupts: LineInterrupt[]}[]} details
 */
/** @typedef {Omit<LineData, "buckets"> & {buckets: Bucket[]}} Line */
/** @typedef {{vms: {id: number, vcpus: LineData[]}[]}} TimeLine */
/** @typedef {{report: Report, timeline: TimeLine, headline: string}} Data */
