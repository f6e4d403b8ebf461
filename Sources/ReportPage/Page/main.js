// SPDX-License-Identifier: Apache-2.0

/**
 * An event, and those beside it.
 * @param {TimeLineView} view
 * @param {Words} words
 * @param {Moment | null} moment
 */
function showEvent(view, words, moment) {
  const section = byId("event", HTMLElement);
  const title = byId("event-title", HTMLElement);
  section.hidden = moment === null;
  if (!moment) return;
  const { lane, event, finding, evidence } = moment;
  const place = words.place(lane.vm.id, lane.vcpu?.id ?? null);
  const what = evidence ? printable(evidence.text) : event ? wordsOf(event) : "";
  title.textContent = `${words.time(moment.time)}, ${place}: ${what}`;
  const about = definitions([
    ["Finding", finding ? `${finding.id} ${finding.rule}, ${finding.grade}` : null],
    ["Event", evidence?.event ?? null], ["CPU", evidence?.cpu === null || !evidence ? null : String(evidence.cpu)],
    ["Thread", evidence?.tid === null || !evidence ? null : String(evidence.tid)],
    ["Trace time", traceTime(view.report, moment.time)]]);
  const { events, index } = neighbours(moment);
  const shown = events.slice(Math.max(index - 24, 0), index + 25);
  const rows = shown.map((other) => {
    const chosen = view.moments.find((known) => known.lane === lane && known.event === other);
    const button = element("button", { type: "button", class: "link" }, [words.time(other.time)]);
    if (chosen) button.addEventListener("click", () => view.jump(chosen, view.to - view.from));
    return element("tr", { class: `${other.isEvidence ? "evidence" : ""} ${other === events[index] ? "chosen" : ""}` }, [
      element("td", {}, [button]), element("td", { class: "number" }, [words.length(other.time - moment.time)]),
      element("td", {}, [levelName(other.level)]), element("td", {}, [wordsOf(other)])]);
  });
  const table = element("table", {}, [
    element("caption", { class: "help" }, ["The events of this vCPU before and after it; those of a finding are bold"]),
    element("thead", {}, [element("tr", {}, ["Since begin", "From here", "Level", "What happened"].map((name) =>
      element("th", { scope: "col" }, [name])))]),
    element("tbody", {}, rows)]);
  section.replaceChildren(title, about, rows.length > 0 ? element("div", { class: "scroll" }, [table])
    : element("p", { class: "help" }, ["Its neighbours were not kept one by one."]));
}

/**
 * The events of a vCPU beside what was chosen, and where it is among them. Evidence that is no event of the time line stands
 * there in its own words.
 * @param {Moment} moment
 * @returns {{events: LineEvent[], index: number}}
 */
function neighbours(moment) {
  const isAround = (/** @type {LineEvent[]} */ events) =>
    events.length > 0 && events[0].time <= moment.time && events[events.length - 1].time >= moment.time;
  const events = moment.lane.line?.details.find((detail) => isAround(detail.events))?.events ?? [];
  const index = events.findIndex((other) => other === moment.event || (!moment.event && other.time >= moment.time));
  if (index < 0 || moment.event || !moment.evidence) return { events, index };
  const itself = { time: moment.time, kind: moment.evidence.text, level: "", isEvidence: true };
  return { events: [...events.slice(0, index), itself, ...events.slice(index)], index };
}

/**
 * In the trace's own clock, which other tools show.
 * @param {Report} report
 * @param {number} time
 */
function traceTime(report, time) {
  // Beyond 2^53, where a number of this language would be rounded.
  const ticks = BigInt(report.source.span.base) + BigInt(time);
  if (report.source.clock.unit !== "ns") return String(ticks);
  return `${ticks / 1000000000n}.${String(ticks % 1000000000n).padStart(9, "0")}`;
}

/** @param {TimeLineView} view @param {Words} words */
function bindControls(view, words) {
  const lanes = byId("lanes", HTMLElement);
  /** @type {Record<string, () => void>} */
  const actions = {
    "zoom-in": () => view.zoom(0.5), "zoom-out": () => view.zoom(2),
    earlier: () => view.pan(-0.25), later: () => view.pan(0.25), all: () => view.show(view.first, view.last),
    previous: () => view.step(-1), next: () => view.step(1),
  };
  for (const [id, action] of Object.entries(actions)) byId(id, HTMLButtonElement).addEventListener("click", action);
  /** @type {Record<string, string>} */
  const keys = {
    "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", ArrowLeft: "earlier", ArrowRight: "later", 0: "all", Home: "all",
    n: "next", p: "previous",
  };
  lanes.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && view.chosen) {
      byId("event", HTMLElement).querySelector("button")?.focus();
    } else if (keys[event.key]) {
      actions[keys[event.key]]();
    } else {
      return;
    }
    event.preventDefault();
  });
  const search = byId("search", HTMLInputElement);
  const result = byId("search-result", HTMLOutputElement);
  search.addEventListener("input", () => {
    const count = view.search(search.value);
    result.textContent = search.value.trim() === "" ? "" : `${count} of the events kept one by one`;
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") view.step(event.shiftKey ? -1 : 1);
  });
  view.onMove = () => {
    const shown = view.moments.filter((moment) => moment.evidence && view.isInView(moment.time)).length;
    byId("in-view", HTMLElement).textContent =
      `In view: ${words.time(view.from)} to ${words.time(view.to)}, with ${shown} events of findings.`;
  };
  view.onChoice = (moment) => showEvent(view, words, moment);
}

/**
 * Mouse, touch and wheel.
 * @param {TimeLineView} view
 */
function bindPointers(view) {
  const { canvas, minimap } = view;
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = { x: event.offsetX, y: event.offsetY };
    moved += Math.abs(now.x - before.x);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, now);
    if (other) {
      const factor = Math.max(Math.abs(before.x - other.x), 8) / Math.max(Math.abs(now.x - other.x), 8);
      view.zoom(factor, view.time((now.x + other.x) / 2));
    } else {
      view.pan((before.x - now.x) / view.width);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (down.delete(event.pointerId) && moved < 4) view.choose(event.offsetX, event.offsetY);
  });
  canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    // The page itself scrolls by the wheel as everywhere.
    if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    if (event.ctrlKey) view.zoom(event.deltaY > 0 ? 1.25 : 0.8, view.time(event.offsetX));
    else view.pan((event.deltaX || event.deltaY) / view.width);
  }, { passive: false });
  /** @param {PointerEvent} event */
  const move = (event) => {
    const time = view.first + event.offsetX / Math.max(minimap.clientWidth, 1) * (view.last - view.first);
    view.show(time - (view.to - view.from) / 2, time + (view.to - view.from) / 2);
  };
  minimap.addEventListener("pointerdown", (event) => {
    minimap.setPointerCapture(event.pointerId);
    move(event);
  });
  minimap.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) move(event);
  });
}

function main() {
  /** @type {Data} */
  const data = JSON.parse(byId("data", HTMLScriptElement).text);
  const words = new Words(data.report);
  const view = new TimeLineView(data, words);
  addVerdict(data, words);
  addFindings(data.report, words, (finding, evidence) => {
    view.showEvidence(finding, evidence);
    byId("time-line", HTMLElement).scrollIntoView();
    byId("lanes", HTMLElement).focus({ preventScroll: true });
    if (view.chosen) view.reveal(view.chosen.lane);
  });
  addTables(data.report, words);
  addRecording(data.report, words);
  for (const [colour, name] of legend) {
    byId("legend", HTMLElement).append(element("li", {}, [element("span", { style: `background: var(${colour})` }), name]));
  }
  bindControls(view, words);
  bindPointers(view);
  new ResizeObserver(() => view.draw()).observe(view.canvas);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(media).addEventListener("change", () => view.draw());
  }
  view.show(view.first, view.last);
}

main();
