// Words: how numbers and days are written.

/** @typedef {string | number | null} Cell A table's cell; null is unknown. */

const UNKNOWN = "–";
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const DAY_MS = 864e5;
const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number | null | undefined} value */
function number(value) {
  return value === null || value === undefined ? UNKNOWN : NUMBER.format(value);
}

/** @param {number | null} value */
function signed(value) {
  if (value === null) return "unknown";
  return value > 0 ? `+${number(value)}` : value < 0 ? `−${number(-value)}` : "±0";
}

/** @param {number} count @param {string} one @param {string} many */
function plural(count, one, many) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** @param {Cell} cell */
function cellText(cell) {
  return typeof cell === "string" ? cell : number(cell);
}

/** @param {number} day */
const utc = (day) => new Date(day * DAY_MS);
/** @param {number} day */
const iso = (day) => utc(day).toISOString().slice(0, 10);
/** @param {string} text */
const dayOf = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
const today = () => Math.floor(Date.now() / DAY_MS);

/** @param {number} day */
const monthName = (day) => MONTHS[utc(day).getUTCMonth()] ?? "";
/** @param {number} day */
const shortDay = (day) => `${utc(day).getUTCDate()} ${monthName(day)}`;
/** @param {number} day */
const fullDay = (day) => `${shortDay(day)} ${utc(day).getUTCFullYear()}`;
/** @param {number} day */
const longDay = (day) => `${WEEKDAYS[utc(day).getUTCDay()]}, ${fullDay(day)}`;

/** Return the Monday of the day's ISO week. @param {number} day */
const monday = (day) => day - ((((day + 3) % 7) + 7) % 7);
/** Return the first day of the month that lies `months` after the day's month. @param {number} day @param {number} months */
function monthStart(day, months = 0) {
  const date = utc(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / DAY_MS;
}

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
