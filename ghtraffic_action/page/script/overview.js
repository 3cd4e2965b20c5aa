// The overview: all weeks, and the range as a window that is moved by pointer and keys.

const OVERVIEW_HEIGHT = 38;
const LEAST_DAYS = 7;

/** @param {View} view */
function overview(view) {
  const { first, last } = view;
  const days = last - first + 1;
  /** @param {number} day */
  const place = (day) => `${((day - first) / days) * 100}%`;
  const pane = h("div", { class: "window" });
  const begin = grip(
    "Begin of the range",
    view,
    () => view.from,
    (day) => view.setRange(Math.min(day, view.to - LEAST_DAYS + 1), view.to),
  );
  const end = grip(
    "End of the range",
    view,
    () => view.to,
    (day) => view.setRange(view.from, Math.max(day, view.from + LEAST_DAYS - 1)),
  );
  const labels = picture("", { viewBox: null });
  const track = h("div", { class: "track" }, overviewBars(view), labels, pane, begin.node, end.node);
  const drag = dragger(track, view, days);
  drag(begin.node, (by, from, to) => view.setRange(Math.min(from + by, to - LEAST_DAYS + 1), to));
  drag(end.node, (by, from, to) => view.setRange(from, Math.max(to + by, from + LEAST_DAYS - 1)));
  drag(pane, (by, from, to) => {
    const moved = clamp(by, first - from, last - to);
    view.setRange(from + moved, to + moved);
  });
  const update = () => {
    pane.style.left = begin.node.style.left = place(view.from);
    end.node.style.left = place(view.to + 1);
    pane.style.right = `calc(100% - ${place(view.to + 1)})`;
    begin.update();
    end.update();
    const ticks = dayTicks(first, last, track.clientWidth || 1000);
    const isInside = (/** @type {number} */ day) => (day - first) / days > 0.03 && (day - first) / days < 0.97;
    replace(
      labels,
      ticks
        .filter(([day]) => isInside(day))
        .map(([day, label]) => s("text", { class: "axis x", x: place(day), y: 52 }, label)),
    );
  };
  return { box: h("div", { class: "panel overview" }, track), update };
}

/** @param {View} view */
function overviewBars({ traffic, first, last }) {
  const weeks = Math.floor((monday(last) - monday(first)) / 7) + 1;
  const isShort = weeks < 30;
  const values = isShort
    ? dayBuckets(traffic, first, last).map(({ views }) => views)
    : weeklySums(traffic, "views", weeks);
  const bars = sparkBars(values, "f-soft", 1000, OVERVIEW_HEIGHT);
  bars.classList.add("weeks");
  return bars;
}

/**
 * Build an end of the window that the arrow keys move.
 * @param {string} label
 * @param {View} view
 * @param {() => number} get
 * @param {(day: number) => void} set
 */
function grip(label, view, get, set) {
  /** @type {Record<string, number>} */
  const steps = {
    ArrowLeft: -7,
    ArrowDown: -7,
    ArrowRight: 7,
    ArrowUp: 7,
    PageDown: -91,
    PageUp: 91,
    Home: -Infinity,
    End: Infinity,
  };
  /** @param {KeyboardEvent} event */
  const onkeydown = (event) => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(clamp(get() + step, view.first, view.last));
  };
  const limits = { "aria-valuemin": view.first, "aria-valuemax": view.last };
  const node = h("div", { class: "grip", role: "slider", tabindex: 0, "aria-label": label, ...limits, onkeydown });
  const update = () => {
    node.setAttribute("aria-valuenow", String(get()));
    node.setAttribute("aria-valuetext", fullDay(get()));
  };
  return { node, update };
}

/** Return a function that calls back with the days by which a node was dragged. @param {HTMLElement} track @param {View} view @param {number} days */
function dragger(track, view, days) {
  /** @param {HTMLElement} node @param {(by: number, from: number, to: number) => void} act */
  return (node, act) =>
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      node.focus();
      const { from, to } = view;
      const width = track.clientWidth;
      /** @param {PointerEvent} moved */
      const move = (moved) => act(Math.round(((moved.clientX - event.clientX) / width) * days), from, to);
      const stop = () => node.removeEventListener("pointermove", move);
      node.setPointerCapture(event.pointerId);
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", stop, { once: true });
      node.addEventListener("pointercancel", stop, { once: true });
    });
}
