// Textures: lines that distinguish states. They are paths, since a printed SVG pattern is a bitmap.

const HATCH_STEP = 5;
const RUNG_STEP = 4;

/** Return diagonal lines inside a rectangle. @param {number} left @param {number} top @param {number} width @param {number} height */
function hatch(left, top, width, height) {
  let path = "";
  for (let c = HATCH_STEP / 2; c < width + height; c += HATCH_STEP) {
    const begin = Math.max(0, c - height);
    const end = Math.min(width, c);
    path += `M${round(left + begin)} ${round(top + c - begin)}L${round(left + end)} ${round(top + c - end)}`;
  }
  return path;
}

/** Return horizontal lines inside a rectangle. @param {number} left @param {number} top @param {number} width @param {number} height */
function rungs(left, top, width, height) {
  let path = "";
  for (let y = top + height - RUNG_STEP / 2; y > top; y -= RUNG_STEP) path += `M${left} ${round(y)}h${width}`;
  return path;
}

/** Return the texture of a state's bars; most have none. @param {State} state */
function textureOf(state) {
  return state === "P" ? hatch : state === "I" ? rungs : null;
}

/** Build the mark of a state for a legend. @param {Metric} metric @param {State} state */
function stateSwatch(metric, state) {
  const texture = textureOf(state);
  const bar = s("rect", { class: `count ${state}`, x: 1.5, y: 1.5, width: 11, height: 11 });
  const lines = texture && s("path", { class: "texture", d: texture(1.5, 1.5, 11, 11) });
  return picture("0 0 14 14", { class: metric }, bar, lines);
}

/** Build the mark of something else than a state for a legend. @param {Metric} metric @param {string} look */
function swatch(metric, look) {
  /** @type {Record<string, () => Child>} */
  const shapes = {
    lost: () => s("path", { class: "lostcross", d: "M3 3L11 11M11 3L3 11" }),
    zero: () => [s("path", { class: "base", d: "M0 12H14" }), s("path", { class: "zero", d: "M2 10.5H12" })],
    release: () => s("path", { class: "release", d: "M7 2L12 7L7 12L2 7z" }),
    runs: () => s("path", { class: "runs", d: "M1 7H13" }),
    unique: () => s("rect", { class: "unique", x: 1.5, y: 1.5, width: 11, height: 11 }),
  };
  return picture("0 0 14 14", { class: metric }, shapes[look]?.());
}

/** Build the mark of a legend's entry; an empty look has none. @param {Metric} metric @param {string} look */
function legendMark(metric, look) {
  if (!look) return null;
  return look in STATE_NAMES ? stateSwatch(metric, /** @type {State} */ (look)) : swatch(metric, look);
}
