// Lists: the referrers and paths of a range, each with its 14-day value over time.

/** @typedef {{name: string, title: string, segments: [number, number][][], last: number, peak: number, peakDay: number, now: number | null, uniques: number | null}} Entry */

const SHOWN = 10;

/** Collect what the lists name in a range, the largest of the newest list first. @param {Lists} lists @param {number} from @param {number} to */
function listEntries(lists, from, to) {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  const newest = lists.days.findLastIndex((day) => day >= from && day <= to);
  lists.days.forEach((day, at) => {
    if (day < from || day > to) return;
    const row = lists.rows[at] ?? [];
    for (let i = 0; i < row.length; i += 3) {
      const found = lists.names[row[i] ?? 0] ?? "";
      const [name, title] = typeof found === "string" ? [found, ""] : found;
      const count = row[i + 1] ?? 0;
      const entry = entries.get(name) ?? {
        name,
        title,
        segments: [],
        last: -2,
        peak: -1,
        peakDay: day,
        now: null,
        uniques: null,
      };
      entries.set(name, entry);
      entry.title = title;
      // Where the name was not among the ten, its number is unknown: a gap.
      if (entry.last !== at - 1) entry.segments.push([]);
      entry.segments.at(-1)?.push([day, count]);
      entry.last = at;
      if (count > entry.peak) [entry.peak, entry.peakDay] = [count, day];
      if (at === newest) [entry.now, entry.uniques] = [count, row[i + 2] ?? null];
    }
  });
  const sorted = [...entries.values()].sort((a, b) => (b.now ?? -1) - (a.now ?? -1) || b.peak - a.peak);
  return { day: lists.days[newest] ?? null, entries: sorted };
}

class TopList {
  /** @param {View} view @param {Lists} lists @param {string} title @param {string} heading */
  constructor(view, lists, title, heading) {
    this.view = view;
    this.lists = lists;
    this.title = title;
    this.heading = heading;
    this.isWhole = false;
    this.sum = h("p", { class: "sum" });
    this.body = h("div");
    this.box = h(
      "section",
      { class: "panel list top-list", "aria-label": title },
      h("div", { class: "top" }, h("h2", {}, title), this.sum),
      this.body,
    );
  }

  draw() {
    const { from, to } = this.view;
    const { day, entries } = listEntries(this.lists, from, to);
    this.sum.textContent = day === null ? "" : `14 days up to ${fullDay(day)}`;
    if (day === null)
      return replace(this.body, [
        h("p", { class: "note" }, `No ${this.title.toLowerCase()} were observed in this range.`),
      ]);
    const most = Math.max(1, ...entries.map(({ now }) => now ?? 0));
    const rows = entries.slice(0, this.isWhole ? entries.length : SHOWN).map((entry) => this.row(entry, most));
    const head = h(
      "tr",
      {},
      h("th", { scope: "col", class: "name" }, this.heading),
      h("th", { scope: "col" }, "views"),
      h("th", { scope: "col", class: "wide-only" }, "uniques"),
      h("th", { scope: "col", class: "wide-only" }, "highest"),
      h("th", { scope: "col" }, "over time"),
    );
    return replace(this.body, [h("table", {}, h("thead", {}, head), h("tbody", {}, rows)), this.buttons(entries)]);
  }

  /** @param {Entry} entry @param {number} most */
  row({ name, title, segments, peak, peakDay, now, uniques }, most) {
    const { from, to } = this.view;
    const label = h("th", { scope: "row", class: "name share" }, foreign(name, title ? `${name}: ${title}` : name));
    label.style.setProperty("--share", `${((now ?? 0) / most) * 100}%`);
    const line = sparkLine(
      segments,
      { from: Math.max(from, this.lists.days[0] ?? from), to, min: 0, max: peak },
      "c-soft",
    );
    return h(
      "tr",
      {},
      label,
      h("td", {}, number(now)),
      h("td", { class: "wide-only" }, number(uniques)),
      h("td", { class: "wide-only", title: `on ${fullDay(peakDay)}` }, number(peak)),
      h("td", {}, line, spoken(`highest ${number(peak)} on ${fullDay(peakDay)}`)),
    );
  }

  /** @param {Entry[]} entries */
  buttons(entries) {
    const toggle = () => {
      this.isWhole = !this.isWhole;
      this.draw();
      this.body.querySelector("button")?.focus();
    };
    const text = this.isWhole ? `Only the first ${SHOWN}` : `All ${number(entries.length)} of this range`;
    const more = h(
      "button",
      { class: "plain-button", type: "button", "aria-expanded": String(this.isWhole), onclick: toggle },
      text,
    );
    const save = h("button", { class: "plain-button", type: "button", onclick: () => this.save() }, "Save as CSV");
    return h("p", { class: "buttons" }, entries.length > SHOWN ? more : null, save);
  }

  /** Save each observation of the range. */
  save() {
    const { from, to, traffic } = this.view;
    /** @type {Cell[][]} */
    const rows = [];
    this.lists.days.forEach((day, at) => {
      if (day < from || day > to) return;
      const row = this.lists.rows[at] ?? [];
      for (let i = 0; i < row.length; i += 3) {
        const name = this.lists.names[row[i] ?? 0] ?? "";
        rows.push([iso(day), ...(typeof name === "string" ? [name] : name), row[i + 1] ?? null, row[i + 2] ?? null]);
      }
    });
    const names = this.heading === "path" ? ["path", "title"] : ["referrer"];
    saveCsv(fileName(`${traffic.name} ${this.title}`), [["observed", ...names, "views", "uniques"], ...rows]);
  }
}
