// SPDX-License-Identifier: Apache-2.0

/**
 * Names come from a file that nobody vouches for: what doesn't print is shown as an escape, as the text report has it.
 * @param {unknown} value
 * @returns {string}
 */
function printable(value) {
  return String(value ?? "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16).padStart(4, "0")}}`;
  });
}

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string | null)[]} [content]
 * @returns {HTMLElement}
 */
function element(name, attributes = {}, content = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const part of content) if (part !== null) made.append(typeof part === "string" ? printable(part) : part);
  return made;
}

/** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

/** @param {number | null | undefined} count @returns {string} */
function counted(count) {
  return count === null || count === undefined ? "not known" : String(count);
}

/** Times and names as the text report has them. */
class Words {
  /** @param {Report} report */
  constructor(report) {
    this.report = report;
    this.inSeconds = report.source.clock.unit === "ns";
  }

  /** @param {number} time since the trace began @returns {string} */
  time(time) {
    return this.inSeconds ? `+${(time / 1e9).toFixed(6)} s` : `+${time}`;
  }

  /** @param {number} length @returns {string} */
  length(length) {
    if (!this.inSeconds) return String(Math.round(length));
    if (length < 0) return `-${this.length(-length)}`;
    if (length >= 1e9) return `${(length / 1e9).toFixed(3)} s`;
    if (length >= 1e6) return `${(length / 1e6).toFixed(3)} ms`;
    return length >= 1e3 ? `${(length / 1e3).toFixed(1)} µs` : `${Math.round(length)} ns`;
  }

  /** @param {number | null} id @returns {string} */
  vm(id) {
    const vm = this.report.vms.find((vm) => vm.id === id);
    const name = vm?.guest ?? vm?.command;
    return (name ? `${printable(name)} (VM ${id})` : `VM ${id}`) + (vm?.pid ? `, process ${vm.pid}` : "");
  }

  /** @param {number | null} vm @param {number | null} vcpu @returns {string} */
  place(vm, vcpu) {
    if (vm === null) return "the whole trace";
    return vcpu === null ? this.vm(vm) : `vCPU ${vcpu} of ${this.vm(vm)}`;
  }
}

/**
 * What the time line calls its events.
 * @type {Record<string, string>}
 */
const eventNames = {
  exit: "exit", entry: "entry", woke: "woken from HLT", accepted: "accepted", refused: "refused", placed: "put into the APIC",
  acknowledged: "acknowledged", ended: "EOI", crossed: "crossing", missedEOI: "its EOI went to another",
  reflectedInterrupt: "interrupt handed to L1", interruptWindow: "interrupt window", injectedByL1: "injected by L1",
  accessed: "APIC access", accessedDirectly: "APIC access by L2, carried out by KVM",
  accessHooked: "APIC access by L2, handed to L1", sentIPI: "IPI sent", pageChanged: "APIC page changed", offered: "offered",
  reset: "APIC reset", initTaken: "INIT", sipiTaken: "SIPI", inhibitsChanged: "APICv inhibits changed",
  toldIOAPIC: "EOI told to the IO-APIC", faultInDiffers: "fault handled differently", gap: "events may be lost here",
};

/** @param {LineEvent} event @returns {string} */
function wordsOf(event) {
  const parts = [eventNames[event.kind] ?? event.kind];
  if (event.reason) parts.push(event.reason);
  if (event.vector) parts.push(event.vector);
  if (event.register) parts.push(`${event.isWrite ? "write" : "read"} ${event.register}`);
  return printable(parts.join(" "));
}

/** @param {string} level @returns {string} */
function levelName(level) {
  return level === "l1" ? "L1" : level === "l2" ? "L2" : "";
}
