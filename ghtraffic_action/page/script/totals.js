// Sums and comparisons: counts are summed up, uniques never.

const KNOWN_SHARE = 0.9;

/** @typedef {{sum: number, known: number, days: number}} Total */

/** Sum a count up over days. @param {Traffic} traffic @param {Metric} metric @param {number} from @param {number} to @returns {Total} */
function total(traffic, metric, from, to) {
  const { start, end, sums } = traffic;
  const values = traffic.numbers[metric];
  let sum = 0;
  let known = 0;
  for (let day = Math.max(from, start); day <= Math.min(to, end); day++) {
    const value = values[day - start] ?? null;
    if (value !== null) {
      sum += value;
      known += 1;
    }
  }
  if (sums && from < start) {
    sums.starts.forEach((first, at) => {
      const last = (sums.starts[at + 1] ?? start) - 1;
      if (first < from || last > to) return;
      sum += sums.counts[metric][at] ?? 0;
      known += sums.known[metric][at] ?? 0;
    });
  }
  return { sum, known, days: to - from + 1 };
}

/** Return whether enough days are known to compare. @param {Total} total */
const isKnown = ({ known, days }) => known >= KNOWN_SHARE * days;

/** Return a number of the series as observed on a day; null if it was not. @param {Repository} repository @param {string} column @param {number} day */
function observedOn(repository, column, day) {
  const at = repository.series.days.lastIndexOf(day);
  return at < 0 ? null : (repository.series.columns[column]?.[at] ?? null);
}

/** Return the value observed next to a day, at most half a week away; null if none was. @param {Repository} repository @param {string} column @param {number} day */
function observedAround(repository, column, day) {
  const { days, columns } = repository.series;
  let nearest = null;
  let distance = 3;
  days.forEach((observed, at) => {
    const value = columns[column]?.[at] ?? null;
    if (value === null || Math.abs(observed - day) > distance) return;
    nearest = value;
    distance = Math.abs(observed - day);
  });
  return /** @type {number | null} */ (nearest);
}

/**
 * Return a count of 14 days, now and 14 days before: as GitHub counted it, else summed up from the known days.
 * @param {Repository} repository
 * @param {Metric} metric
 * @returns {[now: number | null, before: number | null]}
 */
function fourteenDays(repository, metric) {
  const { end } = repository;
  const days = total(repository, metric, end - 13, end);
  const daysBefore = total(repository, metric, end - 27, end - 14);
  const now = repository.newest[`${metric}_14d`] ?? null;
  const before = observedOn(repository, `${metric}_14d`, end - 14);
  if (now !== null && before !== null) return [now, isKnown(days) && isKnown(daysBefore) ? before : null];
  if (!isKnown(days)) return [now, null];
  return [now ?? days.sum, isKnown(daysBefore) ? daysBefore.sum : null];
}

/** Return by how much a held number has risen, from 0 since the repository was created. @param {Repository} repository @param {string} column @param {number} days */
function gained(repository, column, days) {
  const { newest, born, end } = repository;
  const now = newest[column] ?? null;
  const before = born !== null && born > end - days ? 0 : observedAround(repository, column, end - days);
  return now === null || before === null ? null : now - before;
}

/** Return by how much a number of all has risen; null if it is not known of most. @param {Repository[]} repositories @param {string} column @param {number} days */
function gainedByAll(repositories, column, days) {
  const gains = repositories.flatMap((repository) => gained(repository, column, days) ?? []);
  return gains.length < KNOWN_SHARE * repositories.length ? null : gains.reduce((all, gain) => all + gain, 0);
}

/** @typedef {{text: string, kind: "up" | "down" | "none", percent: number | null}} Change */

/** Compare a number with that of the period before. @param {number | null} now @param {number | null} before @returns {Change} */
function compare(now, before) {
  if (now === null || before === null) return { text: UNKNOWN, kind: "none", percent: null };
  if (before === 0 && now > 0) return { text: "from 0", kind: "up", percent: Infinity };
  const percent = now === before ? 0 : Math.round((now / before - 1) * 100);
  if (percent === 0) return { text: "as before", kind: "none", percent };
  const kind = percent > 0 ? "up" : "down";
  return { text: `${kind === "up" ? "▲" : "▼"} ${number(Math.abs(percent))} %`, kind, percent };
}

/** Build the change against the period before. @param {Change} change @param {string} before */
function changeNode(change, before) {
  if (change.percent === null) return null;
  const words = { up: ` more than ${before}`, down: ` less than ${before}`, none: "" }[change.kind];
  return h("span", { class: `delta ${change.kind}` }, change.text, spoken(words));
}

/** Return the sums of the newest weeks; null where no day is known. @param {Traffic} traffic @param {Metric} metric @param {number} weeks */
function weeklySums(traffic, metric, weeks) {
  /** @type {Values} */
  const sums = [];
  for (let start = monday(traffic.end) - 7 * (weeks - 1); start <= traffic.end; start += 7) {
    const { sum, known } = total(traffic, metric, start, start + 6);
    sums.push(known ? sum : null);
  }
  return sums;
}
