// The lines of the data: one repository each, unpacked.

/** @typedef {"views" | "clones"} Metric */
/** @typedef {"view_uniques" | "clone_uniques"} Unique */
/** @typedef {Metric | "workflow_runs"} Count */
/** @typedef {(number | null)[]} Values A number for each day; null is unknown. */

/**
 * Sums of counts over spans: each begins on a Monday or on the first of a month.
 * @typedef {object} Sums
 * @property {number[]} starts
 * @property {Record<Metric, number[]>} counts
 * @property {Record<Metric, number[]>} known How many days are known.
 * @property {number[]} expected How many days the span has.
 * @property {Record<"A" | "I" | "L", number[]>} states How many days are partial, imported, lost.
 */

/**
 * The traffic that a chart shows, of one repository or of all together.
 * @typedef {object} Traffic
 * @property {string} name
 * @property {boolean} isFleet
 * @property {number} begin The first day, of the sums or of the days.
 * @property {number} start The first of the days.
 * @property {number} end
 * @property {number | null} born The day on which the repository was created.
 * @property {Record<Count | Unique, Values>} numbers No workflow runs if none were counted.
 * @property {string} states A letter for each day.
 * @property {Sums | null} sums
 * @property {Record<Metric, number[]> | null} known How many repositories are known on each day (a fleet's).
 * @property {number[] | null} expected How many repositories there are on each day (a fleet's).
 */

/** @typedef {{days: number[], names: (string | [string, string])[], rows: number[][]}} Lists */

/**
 * @typedef {object} Details
 * @property {number} id
 * @property {string} link The fragment of the page's address that shows the repository.
 * @property {boolean | null} isPrivate
 * @property {boolean} archived
 * @property {number | null} firstDay
 * @property {number | null} lostDays
 * @property {number | null} observed
 * @property {Record<string, number | null>} newest
 * @property {[number, string][]} names
 * @property {{days: number[], columns: Record<string, Values>}} series
 * @property {Record<"referrers" | "paths", Lists>} lists
 * @property {[number, string][]} releases
 * @property {{days: number[], stars: number[]}} held The stars that are still held, by the day on which they were given.
 */
/** @typedef {Traffic & Details} Repository */

const FORMAT = 1;
const NEWEST =
  "views_14d view_uniques_14d clones_14d clone_uniques_14d stars forks watchers open_issues open_pull_requests";
const SERIES = "stars forks views_14d view_uniques_14d clones_14d clone_uniques_14d downloads";

/** Return `CCCP` for `3C1P`. @param {string} runs */
function repeatRuns(runs) {
  return runs.replace(/(\d+)([A-Za-z])/g, (_, count, letter) => letter.repeat(Number(count)));
}

/** Return the number of days of each span. @param {string} runs */
function tally(runs) {
  return Array.from(repeatRuns(runs), (letter) => letter.charCodeAt(0) - 97);
}

/** Return the sums of distances. @param {number[]} distances */
function accumulate(distances) {
  let day = 0;
  return distances.map((distance) => (day += distance));
}

/** Return the starts of the spans from `begin` to before `end`. @param {number} begin @param {number} end */
function spanStarts(begin, end) {
  const starts = [];
  for (let day = begin; day < end; day = Math.min(monday(day) + 7, monthStart(day, 1))) starts.push(day);
  return starts;
}

/** @param {any} sums @param {number} end @returns {Sums} */
function unpackSums(sums, end) {
  const starts = spanStarts(sums.begin, end);
  const expected = starts.map((start, at) => (starts[at + 1] ?? end) - start);
  const knownDays = (/** @type {string} */ unknown) => tally(unknown).map((days, at) => (expected[at] ?? 0) - days);
  return {
    starts,
    counts: { views: sums.views, clones: sums.clones },
    known: { views: knownDays(sums.views_unknown), clones: knownDays(sums.clones_unknown) },
    expected,
    states: { A: tally(sums.A), I: tally(sums.I), L: tally(sums.L) },
  };
}

/** @param {string} text */
const dayOrNull = (text) => (text ? dayOf(text) : null);

/** @param {any} lists @returns {Lists} */
const unpackLists = (lists) => ({ ...lists, days: accumulate(lists.days) });

/** @param {string} line @returns {Repository} */
function unpackLine(line) {
  const [head, body] = JSON.parse(line);
  if (head.format !== FORMAT) throw new Error("another format");
  const { days, series } = body;
  return {
    id: head.repository_id,
    name: head.name,
    link: `#${encodeURIComponent(head.name).replaceAll("%2F", "/")}`,
    isFleet: false,
    isPrivate: head.private,
    archived: head.archived,
    born: dayOrNull(head.created.slice(0, 10)),
    firstDay: dayOrNull(head.first_day),
    lostDays: head.lost_days,
    observed: dayOrNull(head.observed),
    begin: head.begin,
    end: head.end,
    start: days.start,
    newest: Object.fromEntries(NEWEST.split(" ").map((name, at) => [name, head.newest[at] ?? null])),
    numbers: {
      views: days.views,
      view_uniques: days.view_uniques,
      clones: days.clones,
      clone_uniques: days.clone_uniques,
      workflow_runs: days.workflow_runs ?? [],
    },
    states: repeatRuns(days.states),
    sums: days.sums ? unpackSums(days.sums, days.start) : null,
    known: null,
    expected: null,
    names: body.names,
    series: {
      days: accumulate(series.days),
      columns: Object.fromEntries(SERIES.split(" ").map((name) => [name, series[name] ?? []])),
    },
    lists: { referrers: unpackLists(body.referrers), paths: unpackLists(body.paths) },
    releases: body.releases,
    held: { days: accumulate(body.held.days), stars: body.held.stars },
  };
}

/** Return the repositories, and how many lines could not be read. @param {string} text */
function readRepositories(text) {
  /** @type {Repository[]} */
  const repositories = [];
  let unreadable = 0;
  for (const line of text.split("\n")) {
    if (!line) continue;
    try {
      repositories.push(unpackLine(line));
    } catch {
      unreadable += 1;
    }
  }
  linkNamesakes(repositories);
  return { repositories, unreadable };
}

/** Link all but the last seen of the repositories of one name by their id. @param {Repository[]} repositories */
function linkNamesakes(repositories) {
  const newest = new Map();
  for (const repository of [...repositories].sort((a, b) => a.end - b.end || a.id - b.id)) {
    const older = newest.get(repository.link);
    newest.set(repository.link, repository);
    if (older) older.link += `;${older.id}`;
  }
}
