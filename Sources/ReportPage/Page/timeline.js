// SPDX-License-Identifier: Apache-2.0

/** The colours of what a vCPU did, in the order of a bucket's times. */
const activities = ["--l1", "--l2", "--hatch", "--l0", "--l0", "--l0", "--blocked", "--hatch"];
const legend = [
  ["--l1", "L1 runs"], ["--l2", "L2 runs"], ["--l0", "L0 handles an exit"], ["--blocked", "blocked in HLT"],
  ["--waits", "interrupt waits"], ["--service", "interrupt in service"],
  ["--lost", "lost or stuck interrupt; event of a finding"],
  ["--faint", "pale bars: interrupts accepted, how many"],
  ["--access", "APIC accesses, how many; circle: direct, diamond: handed to L1, square: L1's"],
  ["--hatch", "hatched: events lost, or not known"],
];
const rowHeights = { vm: 30, level: 24, interrupts: 34, accesses: 18, space: 22 };

/**
 * A lane of the picture.
 * @typedef {object} Lane
 * @property {"vm" | "vcpu"} kind
 * @property {VM} vm
 * @property {VCPU | null} vcpu
 * @property {Line | null} line
 * @property {LineEvent[]} events one by one, in order of time
 * @property {LineInterrupt[]} interrupts
 * @property {{finding: Finding, evidence: Evidence}[]} evidence
 * @property {number} top
 * @property {number} height
 */
/** @typedef {{lane: Lane, time: number, event: LineEvent | null, finding: Finding | null, evidence: Evidence | null}} Moment */

class TimeLineView {
  /** @param {Data} data @param {Words} words */
  constructor(data, words) {
    this.report = data.report;
    this.words = words;
    this.canvas = byId("canvas", HTMLCanvasElement);
    this.minimap = byId("minimap", HTMLCanvasElement);
    const { span } = data.report.source;
    this.first = span.first;
    this.last = Math.max(span.last, span.first + 1);
    /** What is in view. */
    this.from = this.first;
    this.to = this.last;
    /** @type {Moment | null} */
    this.chosen = null;
    /** @type {Moment[]} those that the search found */
    this.found = [];
    this.lanes = lanesOf(data);
    this.height = this.lanes.reduce((sum, lane) => sum + lane.height, 24);
    /** @type {Moment[]} everything that can be chosen, in order of time */
    this.moments = this.lanes.flatMap(momentsOf).sort((left, right) => left.time - right.time);
    this.isSearching = false;
    /** @type {(moment: Moment | null) => void} */
    this.onChoice = () => {};
    /** @type {() => void} */
    this.onMove = () => {};
  }

  // What is in view

  /** @param {number} from @param {number} to */
  show(from, to) {
    const least = 100;
    const length = Math.min(Math.max(to - from, least), this.last - this.first);
    this.from = Math.min(Math.max(from, this.first), this.last - length);
    this.to = this.from + length;
    this.draw();
    this.onMove();
  }

  /** @param {number} factor @param {number} [around] the time that stays where it is */
  zoom(factor, around = this.chosen && this.isInView(this.chosen.time) ? this.chosen.time : (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  /** @param {number} part of what is in view */
  pan(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  /** @param {number} time */
  isInView(time) {
    return time >= this.from && time <= this.to;
  }

  /** @param {Moment} moment @param {number} [length] of time around it */
  jump(moment, length = 4e6) {
    this.chosen = moment;
    this.show(moment.time - length / 2, moment.time + length / 2);
    this.onChoice(moment);
  }

  /**
   * The next moment that can be chosen, or the one before.
   * @param {1 | -1} direction
   */
  step(direction) {
    const moments = this.isSearching ? this.found : this.moments;
    const now = this.chosen?.time ?? (direction > 0 ? this.from - 1 : this.to + 1);
    const index = this.chosen ? moments.indexOf(this.chosen) : -1;
    const beside = index < 0 ? undefined : moments[index + direction];
    const next = index >= 0 ? beside ?? (this.isSearching ? moments.at(direction > 0 ? 0 : -1) : undefined)
      : direction > 0 ? moments.find((moment) => moment.time > now) : moments.filter((moment) => moment.time < now).pop();
    if (!next) return;
    this.chosen = next;
    if (!this.isInView(next.time)) this.show(next.time - (this.to - this.from) / 2, next.time + (this.to - this.from) / 2);
    this.draw();
    this.reveal(next.lane);
    this.onChoice(next);
  }

  /**
   * Scrolls to a lane that is not on the screen.
   * @param {Lane} lane
   */
  reveal(lane) {
    const top = this.canvas.getBoundingClientRect().top + lane.top;
    if (top < 0 || top + lane.height > window.innerHeight) window.scrollBy(0, top - window.innerHeight / 3);
  }

  /** @param {Finding} finding @param {Evidence} evidence */
  showEvidence(finding, evidence) {
    const moment = this.moments.find((moment) => moment.finding === finding && moment.evidence === evidence);
    if (moment) this.jump(moment);
  }

  /** @param {string} text a vector, a register, or a thread */
  search(text) {
    const wanted = text.trim().toLowerCase();
    this.isSearching = wanted !== "";
    this.found = wanted === "" ? [] : this.moments.filter((moment) => isFound(moment, wanted));
    this.draw();
    return this.found.length;
  }

  /**
   * What lies nearest to a point of the picture.
   * @param {number} x
   * @param {number} y
   */
  choose(x, y) {
    const lane = this.lanes.find((lane) => y >= lane.top && y < lane.top + lane.height);
    const near = 8 * (this.to - this.from) / this.width;
    const time = this.time(x);
    /** @type {Moment | null} */
    let best = null;
    for (const moment of this.moments) {
      if (moment.lane !== lane || Math.abs(moment.time - time) > near) continue;
      const isNearer = !best || Math.abs(moment.time - time) < Math.abs(best.time - time);
      if (isNearer || (moment.evidence && !best?.evidence)) best = moment;
    }
    this.chosen = best;
    this.draw();
    this.onChoice(best);
  }

  // Drawing

  get width() { return Math.max(this.canvas.clientWidth, 1); }
  /** @param {number} time */
  x(time) { return (time - this.from) / (this.to - this.from) * this.width; }
  /** @param {number} x */
  time(x) { return this.from + x / this.width * (this.to - this.from); }

  draw() {
    const pen = new Pen(this.canvas, this.width, this.height);
    this.drawScale(pen);
    for (const lane of this.lanes) {
      if (lane.kind === "vm") this.drawAPICv(pen, lane);
      else this.drawVCPU(pen, lane);
    }
    this.drawGaps(pen);
    for (const moment of this.found) {
      if (this.isInView(moment.time)) pen.mark(this.x(moment.time), moment.lane.top + 14, "--ink", "down");
    }
    if (this.chosen && this.isInView(this.chosen.time)) {
      pen.line(this.x(this.chosen.time), this.chosen.lane.top, this.chosen.lane.height, "--ink", 2);
    }
    this.drawMinimap();
  }

  /** @param {Pen} pen */
  drawScale(pen) {
    const step = niceStep((this.to - this.from) / Math.max(2, this.width / 140));
    for (let time = Math.ceil(this.from / step) * step; time <= this.to; time += step) {
      pen.line(this.x(time), 0, this.height, "--line", 1);
      pen.text(this.words.time(time), this.x(time) + 3, 12, "--faint");
    }
  }

  /** @param {Pen} pen @param {Lane} lane */
  drawAPICv(pen, lane) {
    pen.text(this.words.vm(lane.vm.id), 4, lane.top + 11, "--ink", true);
    for (const interval of lane.vm.apicv) {
      const [left, right] = [Math.max(this.x(interval.from), 0), Math.min(this.x(interval.to), this.width)];
      if (right <= left) continue;
      const colour = interval.state === "active" ? "--service" : interval.state === "inhibited" ? "--lost" : "--hatch";
      if (interval.state === "active" || interval.state === "inhibited") pen.box(left, lane.top + 15, right - left, 12, colour);
      else pen.hatch(left, lane.top + 15, right - left, 12, colour);
      const words = `APICv ${interval.state}${interval.inhibits.length > 0 ? `: ${interval.inhibits.join(", ")}` : ""}`;
      if (right - left > 60) pen.text(words, left + 4, lane.top + 25, "--band-ink", false, right - left - 8);
    }
    for (const { evidence } of lane.evidence) {
      if (this.isInView(evidence.time)) pen.mark(this.x(evidence.time), lane.top + 15, "--lost", "down");
    }
  }

  /** @param {Pen} pen @param {Lane} lane */
  drawVCPU(pen, lane) {
    const { line } = lane;
    const thread = lane.vcpu?.tid === null || lane.vcpu?.tid === undefined ? "" : `, thread ${lane.vcpu.tid}`;
    const level = lane.top + rowHeights.space;
    const interrupts = level + rowHeights.level + 2;
    const accesses = interrupts + rowHeights.interrupts + 2;
    if (line) {
      this.drawBuckets(pen, line, level, interrupts, accesses);
      this.drawEvents(pen, lane, level, accesses);
    }
    this.drawInterrupts(pen, lane, interrupts);
    for (const { evidence } of lane.evidence) {
      if (this.isInView(evidence.time)) pen.mark(this.x(evidence.time), level - 1, "--lost", "down");
    }
    pen.text(`vCPU ${lane.vcpu?.id ?? "?"}${thread}`, 4, lane.top + 12, "--ink", true);
  }

  /**
   * @param {Pen} pen
   * @param {Line} line
   * @param {number} level
   * @param {number} interrupts
   * @param {number} accesses tops of the rows
   */
  drawBuckets(pen, line, level, interrupts, accesses) {
    const most = { interrupts: 1, accesses: 1 };
    for (const bucket of line.buckets) {
      most.interrupts = Math.max(most.interrupts, sum(bucket.accepted));
      most.accesses = Math.max(most.accesses, sum(bucket.accesses));
    }
    line.buckets.forEach((bucket, index) => {
      const begin = line.start + index * line.width;
      if (begin > this.to || begin + line.width < this.from) return;
      const [left, right] = [this.x(begin), this.x(begin + line.width)];
      const width = Math.max(right - left, 0.5);
      let top = level;
      bucket.time.forEach((time, activity) => {
        const height = time / line.width * rowHeights.level;
        if (height <= 0) return;
        const colour = activities[activity];
        if (colour === "--hatch") pen.hatch(left, top, width, height, colour);
        else pen.box(left, top, width, height, colour);
        top += height;
      });
      const accepted = sum(bucket.accepted);
      if (accepted > 0) {
        const height = 3 + (rowHeights.interrupts - 3) * Math.log1p(accepted) / Math.log1p(most.interrupts);
        pen.box(left, interrupts + rowHeights.interrupts - height, width, height, "--faint", 0.25);
      }
      const reached = sum(bucket.accesses);
      if (reached > 0) {
        const height = 3 + (rowHeights.accesses - 3) * Math.log1p(reached) / Math.log1p(most.accesses);
        pen.box(left, accesses + rowHeights.accesses - height, width, height, "--access", 0.45);
      }
    });
  }

  /**
   * Where events were kept one by one they are drawn over the sums.
   * @param {Pen} pen
   * @param {Lane} lane
   * @param {number} level
   * @param {number} accesses
   */
  drawEvents(pen, lane, level, accesses) {
    for (const detail of lane.line?.details ?? []) {
      const { events } = detail;
      if (events.length === 0 || events[0].time > this.to || events[events.length - 1].time < this.from) continue;
      events.forEach((event, index) => {
        const x = this.x(event.time);
        const next = events.slice(index + 1, index + 64).find((later) => later.kind === "exit" || later.kind === "entry");
        if (next && (event.kind === "exit" || event.kind === "entry")) {
          const guest = event.level === "l1" ? "--l1" : event.level === "l2" ? "--l2" : "--hatch";
          const colour = event.kind === "exit" ? "--l0" : guest;
          pen.box(x, level, Math.max(this.x(next.time) - x, 0.5), rowHeights.level, colour);
          const [left, right] = [Math.max(x, 0), Math.min(this.x(next.time), this.width)];
          if (event.kind === "exit" && right - left > 50) {
            pen.text(event.reason ?? "", left + 3, level + 15, "--ink", false, right - left - 6);
          }
        }
        const shape = event.kind === "accessedDirectly" ? "circle" : event.kind === "accessHooked" ? "diamond"
          : event.kind === "accessed" ? "square" : null;
        if (shape && this.isInView(event.time)) pen.mark(x, accesses + rowHeights.accesses / 2, "--access", shape);
      });
    }
  }

  /** @param {Pen} pen @param {Lane} lane @param {number} top */
  drawInterrupts(pen, lane, top) {
    const rows = 3;
    const height = rowHeights.interrupts / rows;
    const vectors = [...new Set(lane.interrupts.map((interrupt) => interrupt.vector))].sort();
    for (const interrupt of lane.interrupts) {
      const y = top + (vectors.indexOf(interrupt.vector) % rows) * height;
      const end = interrupt.until ?? this.last;
      const isTrouble = interrupt.isLost || interrupt.fate === "stuck";
      const waitsFrom = interrupt.accepted?.time ?? interrupt.acknowledged?.time ?? end;
      const waitsUntil = interrupt.acknowledged?.time ?? (interrupt.fate === "unseen" ? waitsFrom : end);
      const waits = isTrouble && !interrupt.acknowledged ? "--lost" : "--waits";
      this.drawSpan(pen, waitsFrom, waitsUntil, y, height - 2, waits, isTrouble);
      if (interrupt.acknowledged) {
        this.drawSpan(pen, interrupt.acknowledged.time, end, y, height - 2, isTrouble ? "--lost" : "--service", isTrouble);
      }
      const [left, right] = [Math.max(this.x(waitsFrom), 0), Math.min(this.x(end), this.width)];
      if (right - left > 34) {
        const state = interrupt.isLost ? " lost" : interrupt.fate === "stuck" ? " stuck"
          : interrupt.isCrossing ? " crossing" : "";
        const ink = isTrouble ? "--ink" : "--band-ink";
        pen.text(interrupt.vector + state, left + 2, y + height - 3, ink, false, right - left - 4);
      }
      if (interrupt.isCrossing && interrupt.ended && this.isInView(interrupt.ended.time)) {
        pen.line(this.x(interrupt.ended.time), y - 2, height + 2, "--lost", 3);
      }
    }
  }

  /**
   * @param {Pen} pen
   * @param {number} from
   * @param {number} to
   * @param {number} y
   * @param {number} height
   * @param {string} colour
   * @param {boolean} isHatched
   */
  drawSpan(pen, from, to, y, height, colour, isHatched) {
    const [left, right] = [Math.max(this.x(from), 0), Math.min(this.x(to), this.width)];
    if (right < 0 || left > this.width || right < left) return;
    pen.box(left, y, Math.max(right - left, 1), height, colour, isHatched ? 0.35 : 1);
    if (isHatched) pen.hatch(left, y, Math.max(right - left, 1), height, colour);
  }

  /** @param {Pen} pen */
  drawGaps(pen) {
    for (const gap of this.report.loss.gaps) {
      const left = Math.max(this.x(gap.from), 0);
      const right = Math.min(Math.max(this.x(gap.to), this.x(gap.from) + 2), this.width);
      if (right <= left) continue;
      for (const lane of this.lanes) {
        const mayBeIts = gap.process === undefined || gap.process === lane.vm.pid;
        if (mayBeIts) pen.hatch(left, lane.top, right - left, lane.height, "--hatch");
      }
    }
  }

  drawMinimap() {
    const width = Math.max(this.minimap.clientWidth, 1);
    const pen = new Pen(this.minimap, width, 34);
    /** @param {number} time */
    const x = (time) => (time - this.first) / (this.last - this.first) * width;
    pen.box(0, 0, width, 34, "--panel");
    const lines = this.lanes.flatMap((lane) => lane.line ? [lane.line] : []);
    // By the square root, so that a busy boot doesn't make the rest look idle.
    /**
     * @param {Line} line
     * @param {Bucket} bucket
     */
    const busy = (line, bucket) => Math.sqrt(sum(bucket.exits) / line.width);
    const most = Math.max(Number.MIN_VALUE, ...lines.flatMap((line) => line.buckets.map((bucket) => busy(line, bucket))));
    for (const line of lines) {
      line.buckets.forEach((bucket, index) => {
        const height = 24 * busy(line, bucket) / most;
        const wide = Math.max(line.width / (this.last - this.first) * width, 1);
        if (height > 0) pen.box(x(line.start + index * line.width), 34 - height, wide, height, "--l0", 0.6);
      });
    }
    for (const gap of this.report.loss.gaps) pen.hatch(x(gap.from), 0, Math.max(x(gap.to) - x(gap.from), 2), 34, "--hatch");
    for (const finding of this.report.findings) pen.mark(x(finding.first), 9, "--lost", "down");
    pen.frame(x(this.from), 0.5, Math.max(x(this.to) - x(this.from), 3), 33, "--link");
  }
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * The next of 1, 2, 5, 10, ...
 * @param {number} least
 */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

/** @param {Data} data @returns {Lane[]} */
function lanesOf(data) {
  /** @type {Lane[]} */
  const lanes = [];
  let top = 20;
  /** @param {Omit<Lane, "top">} lane */
  const add = (lane) => {
    lanes.push({ ...lane, top });
    top += lane.height;
  };
  for (const vm of data.report.vms) {
    const known = data.timeline.vms.find((line) => line.id === vm.id)?.vcpus ?? [];
    const lines = known.map((line) => ({ ...line, buckets: line.buckets.map(bucketOf) }));
    /** @param {(finding: Finding) => boolean} isOfLane */
    const evidenceOf = (isOfLane) => data.report.findings.filter((finding) => finding.vm === vm.id && isOfLane(finding))
      .flatMap((finding) => finding.evidence.map((evidence) => ({ finding, evidence })));
    add({ kind: "vm", vm, vcpu: null, line: null, events: [], interrupts: [], height: rowHeights.vm,
      evidence: evidenceOf((finding) => finding.vcpu === null) });
    for (const vcpu of vm.vcpus) {
      const line = lines.find((line) => line.id === vcpu.id && line.tid === vcpu.tid) ?? null;
      /** @type {Map<string, LineInterrupt>} one may be on its way in several stretches */
      const interrupts = new Map();
      for (const interrupt of line?.details.flatMap((detail) => detail.interrupts) ?? []) {
        const times = [interrupt.accepted?.time, interrupt.acknowledged?.time, interrupt.ended?.time];
        interrupts.set([interrupt.vector, ...times].join(" "), interrupt);
      }
      add({ kind: "vcpu", vm, vcpu, line, events: line?.details.flatMap((detail) => detail.events) ?? [],
        interrupts: [...interrupts.values()], evidence: evidenceOf((finding) => finding.vcpu === vcpu.id),
        height: rowHeights.space + rowHeights.level + rowHeights.interrupts + rowHeights.accesses + 10 });
    }
  }
  return lanes;
}

/** @param {string} text the numbers of a bucket, in the order of its properties @returns {Bucket} */
function bucketOf(text) {
  const numbers = text.split(" ").map(Number);
  /** @param {number} count */
  const take = (count) => numbers.splice(0, count);
  return { time: take(8), exits: take(3), accepted: take(3), acknowledged: take(3), ended: take(3), accesses: take(8),
    ipis: numbers[0], longestPause: numbers[1] };
}

/** @param {Lane} lane @returns {Moment[]} */
function momentsOf(lane) {
  /** @type {Moment[]} */
  const moments = lane.evidence.map(({ finding, evidence }) => ({
    lane, time: evidence.time, finding, evidence,
    event: lane.events.find((event) => event.isEvidence && event.time === evidence.time) ?? null }));
  return moments.concat(lane.events.filter((event) => !event.isEvidence).map((event) =>
    ({ lane, time: event.time, event, finding: null, evidence: null })));
}

/** @param {Moment} moment @param {string} wanted in lower case */
function isFound(moment, wanted) {
  const { event, evidence, lane, finding } = moment;
  const words = [event?.vector, event?.register, event?.reason, evidence?.event, finding?.id];
  return words.some((word) => word?.toLowerCase() === wanted)
    || (evidence?.text.toLowerCase().split(/[^0-9a-z_]+/).includes(wanted) ?? false)
    || String(evidence?.tid ?? lane.vcpu?.tid ?? "") === wanted;
}
