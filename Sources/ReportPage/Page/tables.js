// SPDX-License-Identifier: Apache-2.0

/** @typedef {string | number | null} Cell */

/**
 * A table whose columns sort and whose rows can be narrowed down.
 * @param {HTMLElement} section where it goes
 * @param {string} caption
 * @param {string[]} columns
 * @param {Cell[][]} rows
 */
function addTable(section, caption, columns, rows) {
  if (rows.length === 0) {
    section.append(element("p", {}, [`${caption}: none.`]));
    return;
  }
  const isNumber = columns.map((_, column) => rows.every((row) => typeof row[column] !== "string"));
  const body = element("tbody");
  const filter = /** @type {HTMLInputElement} */ (element("input", { type: "search", "aria-label": `Filter: ${caption}` }));
  const heads = columns.map((name, column) =>
    element("th", { scope: "col", class: isNumber[column] ? "number" : "" }, [element("button", { type: "button" }, [name])]));
  let order = rows.slice();

  function show() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = order.filter((row) => {
      const text = row.map((cell) => printable(cell)).join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    body.replaceChildren(...shown.map((row) =>
      element("tr", {}, row.map((cell, column) =>
        element("td", { class: isNumber[column] ? "number" : "" }, [cell === null ? "" : String(cell)])))));
    count.textContent = shown.length === rows.length ? `${rows.length} rows` : `${shown.length} of ${rows.length} rows`;
  }

  /** @param {number} column */
  function sort(column) {
    const before = heads[column].getAttribute("aria-sort");
    // Counts are asked for the most frequent first.
    const isUp = before === null ? !isNumber[column] : before === "descending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", isUp ? "ascending" : "descending");
    order = rows.slice().sort((left, right) => {
      const [a, b] = [left[column], right[column]];
      const difference = typeof a === "string" || typeof b === "string"
        ? String(a ?? "").localeCompare(String(b ?? ""), "en", { numeric: true }) : (a ?? -1) - (b ?? -1);
      return isUp ? difference : -difference;
    });
    show();
  }

  heads.forEach((head, column) => head.firstElementChild?.addEventListener("click", () => sort(column)));
  filter.addEventListener("input", show);
  const count = element("span", { class: "help", "aria-live": "polite" });
  section.append(
    element("p", { class: "controls" }, [element("label", {}, ["Filter ", filter]), count]),
    element("div", { class: "scroll" }, [
      element("table", {}, [
        element("caption", { class: "help" }, [caption]), element("thead", {}, [element("tr", {}, heads)]), body]),
    ]));
  show();
}

/** @param {Report} report @param {Words} words */
function addTables(report, words) {
  /** @type {Cell[][]} */
  const interrupts = [];
  /** @type {Cell[][]} */
  const accesses = [];
  /** @type {Cell[][]} */
  const exits = [];
  for (const vm of report.vms) {
    for (const vcpu of vm.vcpus) {
      const place = [words.vm(vm.id), vcpu.id];
      for (const line of vcpu.interrupts) {
        /** @type {(levels: Levels) => Cell[]} */
        const levels = (levels) => [levels.l1, levels.l2, levels.unknown];
        interrupts.push([...place, line.vector, ...levels(line.accepted), ...levels(line.acknowledged), ...levels(line.ended),
          line.reinjected, line.coalesced, line.outstanding, line.class ?? ""]);
      }
      const kinds = /** @type {const} */ ([
        ["l1", "L1"], ["l2Direct", "L2, carried out by KVM"], ["l2Hooked", "L2, handed to L1"], ["l2Own", "L2, its own APIC"]]);
      for (const [kind, name] of kinds) {
        for (const [register, access] of Object.entries(vcpu.apicAccess[kind].registers)) {
          accesses.push([...place, name, register, access.reads, access.writes]);
        }
      }
      for (const level of /** @type {const} */ (["l1", "l2", "unknown"])) {
        for (const [reason, count] of Object.entries(vcpu.exits[level])) {
          exits.push([...place, levelName(level) || "unknown", reason, count]);
        }
      }
    }
  }
  addTable(byId("interrupts", HTMLElement), "Interrupts by vector and the level that ran", [
    "VM", "vCPU", "Vector", "Accepted in L1", "Accepted in L2", "Accepted, level unknown",
    "Acknowledged in L1", "Acknowledged in L2", "Acknowledged, level unknown", "Ended in L1", "Ended in L2", "Ended, level unknown",
    "Reinjected", "Coalesced", "Outstanding", "Class"], interrupts);
  addTable(byId("accesses", HTMLElement), "Accesses by register", [
    "VM", "vCPU", "By", "Register", "Reads", "Writes"], accesses);
  addTable(byId("exits", HTMLElement), "Exits by reason", ["VM", "vCPU", "Level", "Reason", "Exits"], exits);
}
