// Buckets: the days, weeks or months of a range.

/** @typedef {"day" | "week" | "month"} Grain */
/** @typedef {"C" | "P" | "A" | "I" | "L" | "U"} State */

/**
 * @typedef {object} Bucket
 * @property {number} start
 * @property {number} end
 * @property {number | null} views
 * @property {number | null} clones
 * @property {number | null} workflow_runs Of the days that are on the page one by one.
 * @property {number | null} view_uniques Of days alone.
 * @property {number | null} clone_uniques
 * @property {number} expected How many days there are to know (a fleet's: of all repositories).
 * @property {Record<Count, number>} known How many of them are known.
 * @property {Record<string, number>} states How many days have which state.
 * @property {State} state
 */

/** @type {Record<State, string>} */
const STATE_NAMES = {
  C: "complete",
  P: "provisional",
  A: "partial",
  I: "imported",
  L: "lost",
  U: "unknown",
};
/** @type {Record<State, string>} */
const STATE_MEANINGS = {
  C: "GitHub listed the finished day",
  P: "may still grow",
  A: "seen only while it was growing",
  I: "came from an import, not from a run",
  L: "no run saw it in time: unknown, not zero",
  U: "nothing is known",
};

/** @param {number} start @param {number} end @returns {Bucket} */
function emptyBucket(start, end) {
  return {
    start,
    end,
    views: null,
    clones: null,
    workflow_runs: null,
    view_uniques: null,
    clone_uniques: null,
    expected: 0,
    known: { views: 0, clones: 0, workflow_runs: 0 },
    states: {},
    state: "C",
  };
}

/** @param {Bucket} bucket @param {string} state @param {number} days */
function addState(bucket, state, days) {
  if (days) bucket.states[state] = (bucket.states[state] ?? 0) + days;
}

/** @param {Bucket} bucket @param {Count} metric @param {number | null} count @param {number} known */
function addCount(bucket, metric, count, known) {
  if (count === null || !known) return;
  bucket[metric] = (bucket[metric] ?? 0) + count;
  bucket.known[metric] += known;
}

/** @param {Bucket} bucket @param {Traffic} traffic @param {number} at */
function addDay(bucket, traffic, at) {
  bucket.expected += traffic.expected?.[at] ?? 1;
  addState(bucket, traffic.states[at] ?? "U", 1);
  for (const metric of /** @type {Metric[]} */ (["views", "clones"])) {
    const count = traffic.numbers[metric][at] ?? null;
    addCount(bucket, metric, count, count === null ? 0 : (traffic.known?.[metric][at] ?? 1));
  }
  addCount(bucket, "workflow_runs", traffic.numbers.workflow_runs[at] ?? null, 1);
}

/** @param {Bucket} bucket @param {Sums} sums @param {number} at */
function addSpan(bucket, sums, at) {
  bucket.expected += sums.expected[at] ?? 0;
  for (const state of /** @type {("A" | "I" | "L")[]} */ (["A", "I", "L"]))
    addState(bucket, state, sums.states[state][at] ?? 0);
  for (const metric of /** @type {Metric[]} */ (["views", "clones"]))
    addCount(bucket, metric, sums.counts[metric][at] ?? 0, sums.known[metric][at] ?? 0);
}

/** Return the buckets that overlap the range. @param {Traffic} traffic @param {number} from @param {number} to @param {Grain} grain */
function buckets(traffic, from, to, grain) {
  return grain === "day" ? dayBuckets(traffic, from, to) : longBuckets(traffic, from, to, grain);
}

/** @param {Traffic} traffic @param {number} from @param {number} to */
function dayBuckets(traffic, from, to) {
  const days = [];
  for (let day = Math.max(from, traffic.start); day <= Math.min(to, traffic.end); day++) {
    const at = day - traffic.start;
    const bucket = emptyBucket(day, day);
    addDay(bucket, traffic, at);
    bucket.view_uniques = traffic.numbers.view_uniques[at] ?? null;
    bucket.clone_uniques = traffic.numbers.clone_uniques[at] ?? null;
    bucket.state = /** @type {State} */ (traffic.states[at]);
    days.push(bucket);
  }
  return days;
}

/** @param {Traffic} traffic @param {number} from @param {number} to @param {Grain} grain */
function longBuckets(traffic, from, to, grain) {
  const first = grain === "week" ? monday : monthStart;
  /** @param {number} start */
  const after = (start) => (grain === "week" ? start + 7 : monthStart(start, 1));
  const { sums } = traffic;
  const found = [];
  let span = 0;
  for (let start = first(from); start <= Math.min(to, traffic.end); start = after(start)) {
    const bucket = emptyBucket(start, after(start) - 1);
    for (; sums && (sums.starts[span] ?? Infinity) <= bucket.end; span++)
      if ((sums.starts[span] ?? 0) >= start) addSpan(bucket, sums, span);
    for (let day = Math.max(start, traffic.start); day <= Math.min(bucket.end, traffic.end); day++)
      addDay(bucket, traffic, day - traffic.start);
    if (!traffic.isFleet)
      bucket.expected = bucket.end - Math.max(start, Math.min(traffic.born ?? start, traffic.begin)) + 1;
    bucket.state = stateOf(bucket, traffic);
    if (bucket.end >= traffic.begin) found.push(bucket);
  }
  return found;
}

/** Return what is known about a week or a month. @param {Bucket} bucket @param {Traffic} traffic @returns {State} */
function stateOf({ end, expected, known, states }, traffic) {
  const least = Math.min(known.views, known.clones);
  if (end > traffic.end || states.P) return "P";
  if (!known.views && !known.clones) return states.L ? "L" : "U";
  if (traffic.isFleet) return least < KNOWN_SHARE * expected ? "A" : "C";
  if ((states.I ?? 0) > expected / 2) return "I";
  return least < expected || states.A ? "A" : "C";
}

/** @param {Bucket} bucket @param {Grain} grain */
function bucketName(bucket, grain) {
  if (grain === "day") return longDay(bucket.start);
  return grain === "week"
    ? `Week of ${fullDay(bucket.start)}`
    : `${monthName(bucket.start)} ${iso(bucket.start).slice(0, 4)}`;
}

/** Say what is known of a bucket. @param {Bucket} bucket @param {Grain} grain @param {Metric} metric @param {Traffic} traffic */
function describeState(bucket, grain, metric, traffic) {
  const ofDays = traffic.isFleet ? (grain === "day" ? "repositories" : "days of repositories") : "days";
  const known = `${number(bucket.known[metric])} of ${number(bucket.expected)} ${ofDays} known`;
  if (traffic.isFleet) return bucket.state === "P" ? `${known}, may still grow` : known;
  if (grain === "day") return `${STATE_NAMES[bucket.state]}: ${STATE_MEANINGS[bucket.state]}`;
  const parts = /** @type {State[]} */ (["P", "A", "I", "L"])
    .filter((state) => bucket.states[state])
    .map((state) => `${bucket.states[state]} ${STATE_NAMES[state]}`);
  return [known, ...parts].join(", ");
}
