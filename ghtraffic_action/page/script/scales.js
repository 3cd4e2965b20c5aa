// Scales: where values and days lie, and which of them are labelled.

/** @typedef {{y: (value: number) => number, ticks: number[], low: number}} Scale */

/** Return the next larger of 1, 2, 5 times a power of ten. @param {number} rough */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5].map((factor) => factor * power).find((step) => step >= rough) ?? 10 * power;
}

/** @param {number} low @param {number} high @param {number} step */
function ticksBetween(low, high, step) {
  const ticks = [];
  for (let value = low; value <= high + step * 1e-6; value += step) ticks.push(value);
  return ticks;
}

/**
 * Return the scale of values from `min` (where it may start above zero) to `max`.
 * @param {number} max
 * @param {{top: number, height: number, isLog: boolean, min?: number}} frame
 * @returns {Scale}
 */
function valueScale(max, { top, height, isLog, min = 0 }) {
  if (isLog) {
    const peak = Math.log10(1 + Math.max(max, 9));
    const ticks = [0];
    for (let value = 1; value <= Math.max(max, 9); value *= 10) ticks.push(value);
    return { y: (value) => top + height * (1 - Math.log10(1 + value) / peak), ticks, low: 0 };
  }
  if (min > max / 2) {
    const step = Math.max(1, niceStep((max - min || 1) / 4));
    const low = Math.max(0, Math.floor(min / step - 0.5) * step);
    const high = Math.max(max, low + 3 * step);
    return {
      y: (value) => top + height * (1 - (value - low) / (high - low)),
      ticks: ticksBetween(low, high, step),
      low,
    };
  }
  const peak = Math.max(max, 3) * 1.04;
  const step = Math.max(1, niceStep(peak / 6));
  return { y: (value) => top + height * (1 - value / peak), ticks: ticksBetween(0, peak, step), low: 0 };
}

/**
 * Return the labelled days of a range.
 * @param {number} from
 * @param {number} to
 * @param {number} width
 * @returns {[day: number, label: string][]}
 */
function dayTicks(from, to, width) {
  const span = to - from + 1;
  const room = Math.max(2, Math.floor(width / 74));
  const step = [1, 2, 7, 14].find((days) => span / days <= room);
  return step ? shortTicks(from, to, step) : monthTicks(from, to, room);
}

/** @param {number} from @param {number} to @param {number} step @returns {[number, string][]} */
function shortTicks(from, to, step) {
  const first = step >= 7 ? monday(from + 6) : from + step - 1;
  return ticksBetween(first, to, step).map((day) => [day, shortDay(day)]);
}

/** @param {number} from @param {number} to @param {number} room @returns {[number, string][]} */
function monthTicks(from, to, room) {
  const months = (to - from + 1) / 30.4;
  const step = [1, 2, 3, 6, 12, 24, 60].find((count) => months / count <= room) ?? 120;
  /** @type {[number, string][]} */
  const ticks = [];
  for (let day = monthStart(from); day <= to; day = monthStart(day, 1)) {
    const date = utc(day);
    if (day < from || (date.getUTCFullYear() * 12 + date.getUTCMonth()) % step) continue;
    ticks.push([day, date.getUTCMonth() === 0 || step >= 12 ? String(date.getUTCFullYear()) : monthName(day)]);
  }
  return ticks;
}

/** Build bars without axes. @param {Values} values @param {string} colour @param {number} width @param {number} height */
function sparkBars(values, colour, width, height) {
  const max = values.reduce((/** @type {number} */ most, value) => Math.max(most, value ?? 0), 1);
  const wide = width / Math.max(1, values.length);
  let bars = "";
  let gaps = "";
  values.forEach((value, at) => {
    const left = round(at * wide);
    if (value === null) gaps += `M${left} ${height - 0.5}h${round(wide)}`;
    else if (value > 0)
      bars += `M${left} ${height}v${-Math.max(1, round((value / max) * (height - 1)))}h${round(Math.max(0.5, wide - 0.6))}V${height}z`;
  });
  const shape = { preserveAspectRatio: "none" };
  return picture(
    `0 0 ${width} ${height}`,
    shape,
    s("path", { class: "gap", d: gaps }),
    s("path", { class: colour, d: bars }),
  );
}

/**
 * Build a line without axes; it has gaps between its segments.
 * @param {[day: number, value: number][][]} segments
 * @param {{from: number, to: number, min: number, max: number}} frame
 * @param {string} colour
 */
function sparkLine(segments, { from, to, min, max }, colour) {
  const path = segments.map((points) =>
    points.map(([day, value], at) => {
      const x = round(((day - from) / Math.max(1, to - from)) * 100);
      const y = round(21 - ((value - min) / Math.max(1, max - min)) * 20);
      return at ? `L${x} ${y}` : `M${x} ${y}h.5`;
    }),
  );
  const shape = { class: `line thin ${colour}`, d: path.flat().join(""), "vector-effect": "non-scaling-stroke" };
  return picture("0 0 100 22", { preserveAspectRatio: "none" }, s("path", shape));
}
