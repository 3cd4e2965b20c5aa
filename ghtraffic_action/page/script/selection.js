// Selection: the range that is drawn in a chart with the mouse.

const LEAST_PIXELS = 6;

/** Zoom into the range from where the pointer is pressed to where it is released. @param {Chart} chart @param {PointerEvent} event */
function selectRange(chart, event) {
  if (event.button || event.pointerType === "touch") return;
  const { plot, over, view } = chart;
  const { left } = plot.getBoundingClientRect();
  const begin = event.clientX - left;
  const mark = s("rect", { class: "selection", y: PLOT.top, height: chart.floor - PLOT.top });
  chart.isDragging = true;
  over.append(mark);
  plot.setPointerCapture(event.pointerId);
  /** @param {PointerEvent} moved */
  const move = (moved) => {
    const x = clamp(moved.clientX - left, PLOT.left, chart.width - PLOT.right);
    mark.setAttribute("x", String(Math.min(begin, x)));
    mark.setAttribute("width", String(Math.abs(x - begin)));
  };
  /** @param {PointerEvent} released */
  const end = (released) => {
    plot.removeEventListener("pointermove", move);
    plot.removeEventListener("pointerup", end);
    plot.removeEventListener("pointercancel", end);
    chart.isDragging = false;
    mark.remove();
    const x = released.clientX - left;
    if (released.type === "pointerup" && Math.abs(x - begin) > LEAST_PIXELS)
      view.setRange(chart.dayAt(Math.min(begin, x)), chart.dayAt(Math.max(begin, x)));
  };
  plot.addEventListener("pointermove", move);
  plot.addEventListener("pointerup", end);
  plot.addEventListener("pointercancel", end);
}
