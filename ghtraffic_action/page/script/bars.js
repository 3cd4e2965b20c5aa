// Bars: counts, with the uniques of a day inside; each state has a shape.

/** @typedef {{metric: Metric, unique: Unique, title: string, height: number, one: string, many: string, oneUnique: string, uniques: string}} Words */

const BAR_LOOKS = "count I,count C,count U,count A,count P,texture I,texture P,unique,zero,runs".split(",");

const WIDEST_BAR = 60;

class Bars {
  /** @param {View} view @param {Words} words */
  constructor(view, words) {
    this.view = view;
    this.words = words;
    /** @type {Bucket[]} */
    this.buckets = [];
    /** @type {Map<string, string>} */
    this.paths = new Map();
    this.chart = new Chart(view, words.title, words.height, {
      items: () => this.buckets,
      describe: (bucket) => this.describe(bucket),
      table: () => this.table(),
    });
    this.chart.box.classList.add(words.metric);
  }

  get box() {
    return this.chart.box;
  }

  draw() {
    const { chart, view, words } = this;
    this.buckets = view.buckets;
    this.paths = new Map();
    const counts = this.buckets.map((bucket) => Math.max(bucket[words.metric] ?? 0, this.runsOf(bucket) ?? 0));
    const max = counts.reduce((most, count) => Math.max(most, count), 0);
    const svg = chart.frame(max);
    const first = this.buckets[0];
    const width = first ? chart.x(first.end + 1) - chart.x(first.start) : 1;
    svg.setAttribute("class", width < 4 ? "dense" : "");
    this.drawLost(svg);
    for (const [bucket, left, right] of this.columns(width)) this.addBar(bucket, left, right);
    for (const look of BAR_LOOKS)
      if (this.paths.has(look)) svg.append(s("path", { class: look, d: this.paths.get(look) }));
    if (words.metric === "views") this.drawMarks(svg, max);
    this.caption();
    chart.show(svg);
  }

  /** Return the bars' places; where several share a pixel, the highest of them. @param {number} width @returns {Iterable<[Bucket, number, number]>} */
  columns(width) {
    const { chart, words } = this;
    const known = this.buckets.filter((bucket) => bucket[words.metric] !== null);
    if (width >= 1)
      return known.map((bucket) => [
        bucket,
        chart.x(Math.max(bucket.start, chart.from)),
        chart.x(Math.min(bucket.end, chart.to) + 1),
      ]);
    /** @type {Map<number, [Bucket, number, number]>} */
    const highest = new Map();
    for (const bucket of known) {
      const pixel = Math.floor(chart.x(bucket.start));
      const [other] = highest.get(pixel) ?? [];
      if (!other || (bucket[words.metric] ?? 0) > (other[words.metric] ?? 0))
        highest.set(pixel, [bucket, pixel, pixel + 1]);
    }
    return highest.values();
  }

  /** Return the workflow runs that stand beside the clones. @param {Bucket} bucket */
  runsOf(bucket) {
    return this.words.metric === "clones" ? bucket.workflow_runs : null;
  }

  /** @param {string} look @param {string} path */
  addPath(look, path) {
    this.paths.set(look, (this.paths.get(look) ?? "") + path);
  }

  /** @param {Bucket} bucket @param {number} begin @param {number} end */
  addBar(bucket, begin, end) {
    const { chart, words } = this;
    const gap = end - begin > 3 ? Math.min(3, (end - begin) * 0.18) : 0;
    const width = round(clamp(end - begin - gap, 0.6, WIDEST_BAR));
    const left = round((begin + end - width) / 2);
    const runs = this.runsOf(bucket);
    if (runs !== null) this.addPath("runs", `M${left} ${round(chart.y(runs))}h${width}`);
    const count = bucket[words.metric] ?? 0;
    if (count === 0) return this.addPath("zero", `M${left} ${chart.floor - 1.5}h${width}`);
    const inset = "PAI".includes(bucket.state) && width > 4 ? 0.5 : 0;
    const top = round(Math.min(chart.y(count), chart.floor - 1));
    this.addPath(
      `count ${bucket.state}`,
      `M${left + inset} ${chart.floor}V${top}h${round(width - 2 * inset)}V${chart.floor}z`,
    );
    const texture = textureOf(bucket.state);
    if (texture)
      this.addPath(`texture ${bucket.state}`, texture(left + inset, top, width - 2 * inset, chart.floor - top));
    const uniques = bucket[words.unique];
    if (!uniques) return undefined;
    const slim = width > 4 ? width / 2 : width;
    return this.addPath(
      "unique",
      `M${round(left + (width - slim) / 2)} ${chart.floor}V${round(chart.y(uniques))}h${round(slim)}V${chart.floor}z`,
    );
  }

  /** Draw a band over days that no run saw: with a word, or a cross where there is no room. @param {SVGElement} svg */
  drawLost(svg) {
    const { chart } = this;
    for (const [begin, end] of this.view.lostRuns()) {
      const left = chart.x(Math.max(begin, chart.from));
      const width = Math.max(1.5, chart.x(Math.min(end, chart.to) + 1) - left);
      svg.append(s("path", { class: "lostband", d: hatch(left, PLOT.top, width, chart.floor - PLOT.top) }));
      const middle = round(left + width / 2);
      if (width > 32) svg.append(s("text", { class: "losttext", x: middle, y: PLOT.top + 14 }, "lost"));
      else svg.append(s("path", { class: "lostcross", d: `M${middle - 3} ${PLOT.top + 5}l6 6m0 -6l-6 6` }));
    }
  }

  /** Draw the numbers of the days that stand out, and the releases. @param {SVGElement} svg @param {number} max */
  drawMarks(svg, max) {
    const { chart, view } = this;
    for (const [day] of view.releases())
      svg.append(
        s("path", { class: "release", d: `M${round(chart.x(day + 0.5))} ${chart.floor - 1}l4 4l-4 4l-4 -4z` }),
      );
    for (const spike of view.spikes) {
      const bucket = this.buckets.find(({ start, end }) => start <= spike.day && spike.day <= end);
      const x = round(chart.x(spike.day + 0.5));
      const y = round(Math.max(10, chart.y(bucket?.views ?? max) - 11));
      svg.append(
        s("circle", { class: "spikedot", cx: x, cy: y, r: 8 }),
        s("text", { class: "spike", x, y: y + 3.5 }, spike.number),
      );
    }
  }

  hasRuns() {
    return this.buckets.some((bucket) => this.runsOf(bucket) !== null);
  }

  caption() {
    const { words, buckets, view } = this;
    const { metric } = words;
    const sum = buckets.reduce((all, bucket) => all + (bucket[metric] ?? 0), 0);
    const known = buckets.reduce((all, bucket) => all + bucket.known[metric], 0);
    const lost = buckets.reduce((all, bucket) => all + (bucket.states.L ?? 0), 0);
    const parts = [known ? `${number(sum)} ${words.many}` : `no ${words.many} are known`];
    if (!view.traffic.isFleet) {
      if (known) parts[0] += ` on ${plural(known, "known day", "known days")}`;
      if (lost) parts.push(`${plural(lost, "day", "days")} lost`);
    }
    const runs = buckets.reduce((all, bucket) => all + (this.runsOf(bucket) ?? 0), 0);
    const counted = buckets.reduce(
      (all, bucket) => all + (this.runsOf(bucket) === null ? 0 : bucket.known.workflow_runs),
      0,
    );
    if (counted) parts.push(`${number(runs)} workflow runs on ${plural(counted, "counted day", "counted days")}`);
    this.chart.sum.textContent = parts.join(", ");
    replace(
      this.chart.legend,
      this.legend().map(([look, text]) => h("li", {}, legendMark(metric, look), text)),
    );
  }

  /** @returns {[look: string, text: string][]} */
  legend() {
    const { words, buckets, view } = this;
    const isDay = view.grain === "day";
    const has = (/** @type {State} */ state) =>
      buckets.some((bucket) => bucket.state === state && bucket[words.metric] !== null);
    /** @type {[boolean, string, string][]} */
    const marks = [
      [true, "C", words.many],
      [isDay && !view.traffic.isFleet, "unique", `of these, ${words.uniques}`],
      [has("P"), "P", isDay ? "provisional: may still grow" : "not over yet"],
      [has("A"), "A", isDay ? "partial: seen while growing" : "days missing or partial"],
      [has("I"), "I", "imported"],
      [view.lostRuns().length > 0, "lost", "lost: unknown"],
      [buckets.some((bucket) => bucket[words.metric] === 0), "zero", "zero"],
      [words.metric === "views" && view.releases().length > 0, "release", "release"],
      [this.hasRuns(), "runs", "workflow runs, whose clones are among these"],
      [!isDay && !view.traffic.isFleet, "", `${words.uniques}: only by day, they cannot be added up`],
      [view.traffic.isFleet, "", `${words.uniques} are not added up over repositories`],
    ];
    return marks.filter(([isShown]) => isShown).map(([, look, text]) => [look, text]);
  }

  /** @param {Bucket} bucket */
  describe(bucket) {
    const { words, view } = this;
    const count = bucket[words.metric];
    const uniques = bucket[words.unique];
    const lines = [
      bucketName(bucket, view.grain),
      count === null ? `${words.many} unknown` : plural(count, words.one, words.many),
    ];
    if (uniques !== null) lines.push(plural(uniques, words.oneUnique, words.uniques));
    const runs = this.runsOf(bucket);
    if (runs !== null) lines.push(plural(runs, "workflow run", "workflow runs"));
    lines.push(describeState(bucket, view.grain, words.metric, view.traffic));
    if (words.metric !== "views") return lines;
    const isInside = (/** @type {number} */ day) => day >= bucket.start && day <= bucket.end;
    const tags = view
      .releases()
      .filter(([day]) => isInside(day))
      .map(([, tag]) => visible(tag).slice(0, 40));
    if (tags.length) lines.push(`release ${tags.slice(0, 3).join(", ")}`);
    for (const { day, referrers, paths } of view.spikes)
      for (const { name, by } of isInside(day) ? [...referrers, ...paths] : [])
        lines.push(`${visible(name).slice(0, 60)} +${number(by)}`);
    return lines;
  }

  table() {
    const { words, view } = this;
    const isDay = view.grain === "day";
    const withUniques = isDay && !view.traffic.isFleet;
    const name = { day: "day", week: "week of", month: "month" }[view.grain];
    const withRuns = this.hasRuns();
    const middle = [...(withUniques ? [words.uniques] : []), ...(withRuns ? ["workflow runs"] : [])];
    const heads = [name, words.many, ...middle, "what is known"];
    /** @param {Bucket} bucket @returns {Cell[]} */
    const row = (bucket) => [
      iso(bucket.start).slice(0, view.grain === "month" ? 7 : 10),
      bucket[words.metric],
      ...(withUniques ? [bucket[words.unique]] : []),
      ...(withRuns ? [this.runsOf(bucket)] : []),
      withUniques ? STATE_NAMES[bucket.state] : describeState(bucket, view.grain, words.metric, view.traffic),
    ];
    return { heads, rows: this.buckets.map(row).reverse(), text: [heads.length - 1] };
  }
}
