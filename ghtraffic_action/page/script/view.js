// The view: which days are shown, in which grain and scale, by all charts of a page.

const DEFAULT_DAYS = 90;

/** @typedef {{draw: () => void, chart?: Chart}} Drawn */

class View {
  /** @param {Traffic} traffic @param {Repository | null} repository @param {number} days */
  constructor(traffic, repository, days = DEFAULT_DAYS) {
    this.traffic = traffic;
    this.repository = repository;
    this.first = traffic.begin;
    this.last = traffic.end;
    this.to = this.last;
    this.from = Math.max(this.first, this.last - days + 1);
    /** @type {Grain | "auto"} */
    this.choice = "auto";
    this.isLog = false;
    /** @type {Drawn[]} */
    this.parts = [];
    /** @type {Bucket[]} */
    this.buckets = [];
    /** @type {Spike[]} */
    this.spikes = [];
    /** @type {() => void} */
    this.updateTools = () => undefined;
  }

  /** @returns {Grain} */
  get grain() {
    const span = this.to - this.from + 1;
    const share = innerWidth < 600 ? 0.46 : 1;
    const fitting = span <= 200 * share ? "day" : span <= 1300 * share ? "week" : "month";
    const grain = this.choice === "auto" ? fitting : this.choice;
    return grain === "day" && this.from < this.traffic.start ? "week" : grain;
  }

  /** @param {number} from @param {number} to */
  setRange(from, to) {
    const begin = clamp(Math.min(from, to), this.first, this.last);
    const end = clamp(Math.max(from, to), this.first, this.last);
    this.from = Math.max(this.first, Math.min(begin, end - LEAST_DAYS + 1));
    this.to = Math.min(this.last, Math.max(end, this.from + LEAST_DAYS - 1));
    this.draw();
  }

  /** Mark a day in all charts. @param {number | null} day @param {Chart} [source] */
  point(day, source) {
    for (const { chart } of this.parts) chart?.mark(day, source);
  }

  draw() {
    this.buckets = buckets(this.traffic, this.from, this.to, this.grain);
    this.spikes = this.repository ? findSpikes(this.repository, this.from, this.to) : [];
    for (const part of this.parts) part.draw();
    this.updateTools();
  }

  releases() {
    return (this.repository?.releases ?? []).filter(([day]) => day >= this.from && day <= this.to);
  }

  /** Return the runs of lost days in the range. @returns {[begin: number, end: number][]} */
  lostRuns() {
    const { traffic, from, to } = this;
    /** @type {[number, number][]} */
    const runs = [];
    traffic.sums?.starts.forEach((start, at) => {
      const end = start + (traffic.sums?.expected[at] ?? 1) - 1;
      if (traffic.sums?.states.L[at] && end >= from && start <= to) runs.push([start, end]);
    });
    for (let day = Math.max(from, traffic.start); day <= Math.min(to, traffic.end); day++) {
      if (traffic.states[day - traffic.start] !== "L") continue;
      const last = runs.at(-1);
      if (last && last[1] === day - 1) last[1] = day;
      else runs.push([day, day]);
    }
    return runs;
  }

  /** Build the tools that choose what is shown. */
  tools() {
    const span = () => (this.to < this.last ? 0 : this.from === this.first ? Infinity : this.to - this.from + 1);
    const presets = /** @type {[number, string, string][]} */ ([
      [14, "14 d", "14 days"],
      [90, "90 d", "90 days"],
      [365, "1 y", "1 year"],
      [1096, "3 y", "3 years"],
    ]).filter(([days]) => days < this.last - this.first + 1);
    const range = buttonGroup("Range", [...presets, [Infinity, "All", "all days"]], span, (days) =>
      this.setRange(this.last - Math.min(days, this.last - this.first + 1) + 1, this.last),
    );
    const grain = buttonGroup(
      "Grain",
      [
        ["auto", "Auto"],
        ["day", "Days"],
        ["week", "Weeks"],
        ["month", "Months"],
      ],
      () => this.choice,
      (choice) => {
        this.choice = /** @type {Grain | "auto"} */ (choice);
        this.draw();
      },
    );
    const scale = buttonGroup(
      "Scale",
      [
        [false, "Linear"],
        [true, "Log"],
      ],
      () => this.isLog,
      (isLog) => {
        this.isLog = isLog;
        this.draw();
      },
    );
    const from = this.dateField("From", (day) => this.setRange(day, Math.max(this.to, day)));
    const to = this.dateField("To", (day) => this.setRange(Math.min(this.from, day), day));
    const window = overview(this);
    const note = h("p", { class: "note", role: "status" });
    this.updateTools = () => {
      for (const tool of [range, grain, scale, window]) tool.update();
      from.value = iso(this.from);
      to.value = iso(this.to);
      const isCoarser = this.choice === "day" && this.grain !== "day";
      note.textContent = isCoarser
        ? `Days are on this page from ${fullDay(this.traffic.start)} on; before, weeks and months.`
        : "";
    };
    const dates = h("span", { class: "dates" }, from, "to", to);
    const bar = h(
      "div",
      { class: "bar", role: "group", "aria-label": "What the charts show" },
      range.box,
      dates,
      grain.box,
      scale.box,
    );
    return [bar, window.box, note];
  }

  /** @param {string} label @param {(day: number) => void} set */
  dateField(label, set) {
    const limits = { min: iso(this.first), max: iso(this.last) };
    const field = h("input", {
      type: "date",
      "aria-label": label,
      ...limits,
      onchange: () => field.value && set(dayOf(field.value)),
    });
    return field;
  }
}
