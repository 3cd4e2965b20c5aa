// A chart's frame: axes, cursor, keyboard, tooltip, the same in numbers.

const PLOT = { left: 46, right: 12, top: 24, bottom: 24 };

/** @typedef {{start: number, end: number}} Item */

/**
 * What a kind of chart adds to the frame.
 * @typedef {object} Content
 * @property {() => Item[]} items What the cursor moves along, sorted.
 * @property {(item: any) => string[]} describe The lines of the tooltip; the first one is the heading.
 * @property {() => Table} table
 */

class Chart {
  /** @param {View} view @param {string} title @param {number} height @param {Content} content */
  constructor(view, title, height, content) {
    this.view = view;
    this.title = title;
    this.height = height;
    this.content = content;
    /** @type {number | null} */
    this.index = null;
    this.isDragging = false;
    this.width = 0;
    this.from = 0;
    this.to = 0;
    this.floor = height - PLOT.bottom;
    this.over = s("g");
    this.plot = h("div", {
      class: "plot",
      tabindex: 0,
      role: "slider",
      "aria-label": `${title}: arrow keys move along the time`,
    });
    this.sum = h("p", { class: "sum" });
    this.legend = h("ul", { class: "legend" });
    this.tip = h("div", { class: "tip", "aria-hidden": "true" });
    this.rows = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${title} in numbers` });
    this.details = this.buildDetails();
    const heading = h("div", { class: "top" }, h("h2", {}, title), this.sum);
    this.box = h(
      "section",
      { class: "panel chart", "aria-label": title },
      heading,
      this.legend,
      this.plot,
      this.details,
    );
    this.listen();
  }

  buildDetails() {
    const save = h("button", { class: "plain-button", type: "button", onclick: () => this.save() }, "Save as CSV");
    const toggle = () => this.showNumbers();
    return h("details", { ontoggle: toggle }, h("summary", {}, "The same in numbers"), this.rows, save);
  }

  listen() {
    const { plot, view } = this;
    plot.addEventListener("pointermove", (event) => this.hover(event));
    plot.addEventListener("pointerleave", () => view.point(null));
    plot.addEventListener("pointerdown", (event) => selectRange(this, event));
    plot.addEventListener("dblclick", () => view.setRange(view.first, view.last));
    plot.addEventListener("keydown", (event) => this.key(event));
    plot.addEventListener("focus", () => this.announce(this.index ?? this.content.items().length - 1));
    plot.addEventListener("blur", () => view.point(null));
  }

  /**
   * Build the axes of the view's range.
   * @param {number} max
   * @param {number} [min]
   */
  frame(max, min = 0) {
    this.from = this.view.from;
    this.to = this.view.to;
    this.width = Math.max(250, this.plot.clientWidth || 1000);
    const { width, height, floor } = this;
    const frame = { top: PLOT.top, height: floor - PLOT.top, isLog: this.view.isLog, min };
    const scale = valueScale(max, frame);
    this.y = scale.y;
    const svg = picture(`0 0 ${width} ${height}`, { height });
    const isFine = new Set(scale.ticks.map((tick) => COMPACT.format(tick))).size < scale.ticks.length;
    for (const tick of scale.ticks) {
      const y = Math.round(scale.y(tick)) + 0.5;
      const line = `M${PLOT.left} ${y}H${width - PLOT.right}`;
      svg.append(s("path", { class: tick > scale.low ? "gridline" : "base", d: line }));
      svg.append(
        s("text", { class: "axis y", x: PLOT.left - 7, y: y + 3.5 }, isFine ? number(tick) : COMPACT.format(tick)),
      );
    }
    for (const [day, label] of dayTicks(this.from, this.to, width - PLOT.left - PLOT.right)) {
      const x = this.x(day);
      svg.append(s("path", { class: "gridline", d: `M${Math.round(x) + 0.5} ${floor}v5` }));
      const middle = clamp(x, PLOT.left + 8, width - PLOT.right - 14);
      svg.append(s("text", { class: "axis x", x: middle, y: height - 6 }, label));
    }
    this.over = s("g");
    return svg;
  }

  /** @type {(value: number) => number} */
  y = (value) => value;

  /** @param {number} day */
  x(day) {
    const inner = this.width - PLOT.left - PLOT.right;
    return PLOT.left + ((day - this.from) / (this.to - this.from + 1)) * inner;
  }

  /** @param {number} x */
  dayAt(x) {
    const inner = this.width - PLOT.left - PLOT.right;
    return clamp(Math.floor(this.from + ((x - PLOT.left) / inner) * (this.to - this.from + 1)), this.from, this.to);
  }

  /** @param {SVGElement} svg */
  show(svg) {
    svg.append(this.over);
    this.plot.replaceChildren(svg, this.tip);
    this.index = null;
    const items = this.content.items();
    this.plot.setAttribute("aria-valuemin", "0");
    this.plot.setAttribute("aria-valuemax", String(Math.max(0, items.length - 1)));
    this.describeAt(items.length - 1);
    this.showNumbers();
  }

  /** Hide the plot and its numbers if there is nothing to show. @param {boolean} isEmpty */
  setEmpty(isEmpty) {
    this.plot.hidden = this.details.hidden = this.legend.hidden = isEmpty;
  }

  /** @param {number} index */
  describeAt(index) {
    const item = this.content.items()[index];
    this.plot.setAttribute("aria-valuenow", String(Math.max(0, index)));
    this.plot.setAttribute(
      "aria-valuetext",
      item ? this.content.describe(item).join(", ") : "nothing is known in this range",
    );
  }

  /** @param {PointerEvent} event */
  hover(event) {
    if (this.isDragging) return;
    this.view.point(this.dayAt(event.clientX - this.plot.getBoundingClientRect().left), this);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowDown: -1,
      ArrowUp: 1,
      PageDown: -7,
      PageUp: 7,
      Home: -Infinity,
      End: Infinity,
    };
    const items = this.content.items();
    const step = steps[event.key];
    if (event.key === "Escape") this.view.point(null);
    if (event.key === "+" || event.key === "-") {
      event.preventDefault();
      this.zoom(event.key === "+" ? 0.5 : 2, items[this.index ?? items.length - 1]);
    }
    if (step === undefined || !items.length) return;
    event.preventDefault();
    this.announce(clamp((this.index ?? items.length - 1) + step, 0, items.length - 1));
  }

  /** @param {number} factor @param {Item | undefined} item */
  zoom(factor, item) {
    const middle = item?.start ?? this.to;
    const half = Math.ceil(((this.to - this.from + 1) * factor) / 2);
    this.view.setRange(middle - half, middle + half);
  }

  /** @param {number} index */
  announce(index) {
    const item = this.content.items()[index];
    if (!item) return;
    this.index = index;
    this.describeAt(index);
    this.view.point(item.start, this);
  }

  /** Mark a day; the chart that has the pointer or the focus shows the tooltip. @param {number | null} day @param {Chart} [source] */
  mark(day, source) {
    this.over.replaceChildren();
    this.tip.style.visibility = "hidden";
    if (day === null) return;
    const items = this.content.items();
    const index = items.findLastIndex((item) => item.start <= day);
    const item = items[Math.max(0, index)];
    if (!item || item.end < this.from || (source !== this && item.end < day)) return;
    const left = this.x(Math.max(item.start, this.from));
    const width = Math.max(1, this.x(Math.min(item.end, this.to) + 1) - left);
    this.over.append(s("rect", { class: "cursor", x: left, y: PLOT.top, width, height: this.floor - PLOT.top }));
    if (source !== this) return;
    if (document.activeElement === this.plot) this.index = Math.max(0, index);
    this.showTip(this.content.describe(item), left + width / 2);
  }

  /** @param {string[]} lines @param {number} middle */
  showTip([heading, ...lines], middle) {
    replace(this.tip, [h("b", {}, heading), lines.map((line) => h("p", {}, line))]);
    const width = this.tip.offsetWidth;
    const left = middle + 14 + width > this.width ? middle - width - 14 : middle + 14;
    this.tip.style.transform = `translate(${Math.max(0, left)}px, 4px)`;
    this.tip.style.visibility = "visible";
  }

  showNumbers() {
    if (this.details.open) replace(this.rows, [tableNode(this.content.table())]);
  }

  save() {
    const { heads, rows } = this.content.table();
    saveCsv(fileName(`${this.view.traffic.name || "all repositories"} ${this.title}`), [heads, ...rows]);
  }
}
