// SPDX-License-Identifier: Apache-2.0

/** @param {[string, Node | string | null][]} entries those without a value are left out @returns {HTMLElement} */
function definitions(entries) {
  const list = element("dl");
  for (const [term, value] of entries) {
    if (value !== null && value !== "") list.append(element("dt", {}, [term]), element("dd", {}, [value]));
  }
  return list;
}

/**
 * What was found comes before everything else.
 * @param {Data} data
 * @param {Words} words
 */
function addVerdict(data, words) {
  const { report } = data;
  const { source } = report;
  const header = byId("verdict", HTMLElement);
  const path = source.path ?? "standard input";
  document.title = printable(`${report.verdict}: ${path} (apictrace)`);
  header.append(
    element("p", {}, [element("span", { class: `grade ${report.verdict}` }, [report.verdict])]),
    element("h1", {}, [data.headline]),
    ...report.reasons.map((reason) => element("p", {}, [reason])),
    element("p", { class: "help name" }, [
      [path, source.format, `${source.events.total} events in ${words.length(source.span.last - source.span.first)}`,
        `${source.cpus} ${source.cpus === 1 ? "CPU" : "CPUs"}`, `clock ${source.clock.name}`,
        source.kernel || "kernel not known"].join(", ")]));
}

/**
 * @param {Report} report
 * @param {Words} words
 * @param {(finding: Finding, evidence: Evidence) => void} show shows it on the time line
 */
function addFindings(report, words, show) {
  const section = byId("findings", HTMLElement);
  if (report.findings.length === 0) section.append(element("p", {}, ["None."]));
  for (const finding of report.findings) {
    const title = `${finding.id} ${finding.rule}, ${finding.grade}: ${words.place(finding.vm, finding.vcpu)}`;
    const rows = finding.evidence.map((evidence) => {
      const button = element(
        "button", { type: "button", class: "link", "data-finding": finding.id, "data-time": String(evidence.time) },
        [words.time(evidence.time)]);
      button.addEventListener("click", () => show(finding, evidence));
      return element("tr", {}, [
        element("td", {}, [button]), element("td", { class: "number" }, [evidence.cpu === null ? "" : String(evidence.cpu)]),
        element("td", { class: "number" }, [evidence.tid === null ? "" : String(evidence.tid)]),
        element("td", {}, [evidence.event]), element("td", {}, [evidence.text])]);
    });
    const chain = element("table", {}, [
      element("caption", { class: "help" }, [`${finding.evidence.length} of ${finding.evidenceTotal} events that show it`]),
      element("thead", {}, [element("tr", {}, ["Since begin", "CPU", "Thread", "Event", "What it shows"].map((name) =>
        element("th", { scope: "col", class: name === "CPU" || name === "Thread" ? "number" : "" }, [name])))]),
      element("tbody", {}, rows)]);
    const first = finding.evidence[0];
    const jump = element("button", { type: "button", "data-finding": finding.id }, ["Show on the time line"]);
    jump.addEventListener("click", () => show(finding, first));
    section.append(element("article", { id: finding.id, "aria-label": title }, [
      element("h3", {}, [element("span", { class: `grade ${finding.grade}` }, [finding.grade]), ` ${title}`]),
      definitions([
        ["When", `${words.time(finding.first)} to ${words.time(finding.last)}, ${finding.count} times`],
        ["Why", finding.explanation], ["Do now", finding.advice], ["Vectors", finding.vectors.join(" ")],
        ["Stuck", finding.stuck.join(" ")],
        ["Crossings", finding.crossings.map((crossing) =>
          `${crossing.vector} acknowledged in ${levelName(crossing.ackLevel)}, ended in ${levelName(crossing.eoiLevel)}`
            + (crossing.inferred ? " (inferred)" : "")).join("; ")],
        ["Shown by", finding.symptoms.join(", ")],
        ["Not known", finding.unknowns.map((unknown) => unknown.text).join(" ")],
        ["Read on", element("span", {}, finding.references.flatMap((address) => [link(address), " "]))],
      ]),
      first ? jump : null, rows.length > 0 ? element("div", { class: "scroll" }, [chain]) : null]));
  }
}

/**
 * Only addresses of the web become links.
 * @param {string} address
 * @returns {Node | string}
 */
function link(address) {
  return address.startsWith("https://") ? element("a", { href: address, rel: "noreferrer" }, [address]) : address;
}

/** @param {Report} report @param {Words} words */
function addRecording(report, words) {
  const { source, loss, host } = report;
  const gaps = loss.gaps.map((gap) => [
    words.time(gap.from), words.time(gap.to), gap.process ? `process ${gap.process}` : gap.cpu === null ? "" : `CPU ${gap.cpu}`,
    counted(gap.events)]);
  const section = byId("recording", HTMLElement);
  section.append(definitions([
    ["Kernel", source.kernel], ["Fix of stale SVI", `${host.sviFix.state}: ${host.sviFix.evidence} (${host.sviFix.basis})`],
    ["Cut", source.cut ? `at byte ${source.cut.offset}: ${source.cut.expected}` : null],
    ["Events lost", loss.gapsTotal === 0 && !loss.known && !loss.overrun ? "none is known to be"
      : `${loss.known} at least; gaps: ${loss.gapsTotal}, without a count: ${loss.unknownGaps}`],
    ["Seen too", element("span", {}, report.observations.map((seen) =>
      element("span", {}, [`${words.place(seen.vm, seen.vcpu)}: ${seen.text} `])))],
    ["Not known", element("span", {}, report.unknowns.map((unknown) => `${unknown.text} `))],
    ["Record next time", report.recordCommand],
    ["Made by", `${report.tool.name} ${report.tool.version}`]]));
  if (gaps.length > 0) addTable(section, "Gaps", ["From", "To", "Of", "Events"], gaps);
  addTable(section, "APICv over time", ["VM", "From", "To", "State", "Inhibit mask", "Inhibits", "Basis"],
    report.vms.flatMap((vm) => vm.apicv.map((interval) => [
      words.vm(vm.id), words.time(interval.from), words.time(interval.to), interval.state, interval.mask,
      interval.inhibits.join(", "), interval.inferred ? "inferred" : "recorded"])));
  addTable(section, "Events by name", ["Event", "Count"], Object.entries(source.events.byName));
}
