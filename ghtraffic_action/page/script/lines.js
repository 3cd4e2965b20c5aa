// Lines: what was observed on single days, as it was observed.

/**
 * @typedef {object} LineSeries
 * @property {string} name
 * @property {string} colour
 * @property {number[]} days
 * @property {Values} values
 * @property {boolean} isStep A step holds until the next value.
 * @property {boolean} [isWhole] Nothing is unknown between two values, however far they are apart.
 */

// An observation a week is kept of older days (of some reports one in four weeks).
const LINE_GAP = 36;
const FEW_POINTS = 8;

class Lines {
  /** @param {View} view @param {string} title @param {LineSeries[]} series @param {string} [note] */
  constructor(view, title, series, note) {
    this.view = view;
    this.series = series;
    /** @type {{start: number, end: number, values: Values}[]} */
    this.items = [];
    this.chart = new Chart(view, title, 190, {
      items: () => this.items,
      describe: (item) => this.describe(item),
      table: () => this.table(),
    });
    if (note) this.chart.box.insertBefore(h("p", { class: "note" }, note), this.chart.plot);
  }

  get box() {
    return this.chart.box;
  }

  draw() {
    const { chart, series } = this;
    this.collect();
    const values = this.items.flatMap((item) => item.values).filter((value) => value !== null);
    const max = values.reduce((most, value) => Math.max(most, value), 0);
    const min = values.reduce((least, value) => Math.min(least, value), max);
    const svg = chart.frame(max, series.every(({ isStep }) => isStep) ? min : 0);
    series.forEach((one, at) => svg.append(s("path", { class: `line ${one.colour}`, d: this.path(one, at) })));
    const marks = series.map(({ name, colour }) =>
      h("li", {}, picture("0 0 14 14", {}, s("path", { class: `line ${colour}`, d: "M0 7H14" })), name),
    );
    replace(chart.legend, series.length > 1 ? marks : []);
    chart.sum.textContent = this.summary();
    chart.setEmpty(!this.items.length);
    chart.show(svg);
  }

  /** Collect the days of the range on which anything was observed. */
  collect() {
    const { from, to } = this.view;
    /** @type {Map<number, Values>} */
    const found = new Map();
    this.series.forEach(({ days, values }, place) =>
      days.forEach((day, at) => {
        const value = values[at] ?? null;
        if (day < from || day > to || value === null) return;
        const row = found.get(day) ?? this.series.map(() => null);
        row[place] = value;
        found.set(day, row);
      }),
    );
    this.items = [...found].sort(([a], [b]) => a - b).map(([day, values]) => ({ start: day, end: day, values }));
  }

  /** @param {LineSeries} series @param {number} place */
  path({ isStep, isWhole }, place) {
    const { chart } = this;
    let path = "";
    let dots = "";
    let last = -Infinity;
    for (const { start, values } of this.items) {
      const value = values[place] ?? null;
      if (value === null) continue;
      const [x, y] = [round(chart.x(start + 0.5)), round(chart.y(value))];
      const isNew = last === -Infinity || (start - last > LINE_GAP && !isWhole);
      path += isNew ? `M${x} ${y}h1` : isStep ? `H${x}V${y}` : `L${x} ${y}`;
      dots += `M${x - 2} ${y}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
      last = start;
    }
    // Few points would not be seen as a line.
    return this.items.length < FEW_POINTS ? path + dots : path;
  }

  summary() {
    if (!this.items.length) return "nothing was observed in this range";
    const first = this.items[0]?.values[0] ?? null;
    const last = this.items.at(-1)?.values[0] ?? null;
    if (first === null || last === null || !this.series[0]?.isStep) return "";
    return `${number(last)}, ${signed(last - first)} in this range`;
  }

  /** @param {{start: number, values: Values}} item */
  describe({ start, values }) {
    const known = this.series.map(({ name }, at) =>
      values[at] === null ? `${name} unknown` : `${number(values[at])} ${name}`,
    );
    return [longDay(start), ...known];
  }

  /** @returns {Table} */
  table() {
    const rows = this.items.map(({ start, values }) => [iso(start), ...values]);
    return { heads: ["day", ...this.series.map(({ name }) => name)], rows: rows.reverse() };
  }
}
