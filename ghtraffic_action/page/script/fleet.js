// All repositories together: sums of counts by day and span. Uniques are not summed.

/** @param {Repository[]} repositories @returns {Traffic} */
function sumUp(repositories) {
  const begin = Math.min(...repositories.map((repository) => repository.begin));
  const end = Math.max(...repositories.map((repository) => repository.end));
  const summed = repositories.filter(({ sums }) => sums).map(({ start }) => start);
  const start = summed.length ? Math.max(...summed) : begin;
  const size = end - start + 1;
  /** @type {Traffic} */
  const fleet = {
    name: "",
    isFleet: true,
    begin,
    start,
    end,
    born: null,
    numbers: {
      views: emptyDays(size),
      clones: emptyDays(size),
      view_uniques: emptyDays(size),
      clone_uniques: emptyDays(size),
      workflow_runs: [],
    },
    states: "",
    sums: start > begin ? emptySums(begin, start) : null,
    known: { views: new Array(size).fill(0), clones: new Array(size).fill(0) },
    expected: new Array(size).fill(0),
  };
  /** @type {Set<string>[]} */
  const seen = Array.from({ length: size }, () => new Set());
  for (const repository of repositories) {
    addDays(fleet, repository);
    addSums(fleet, repository);
    for (let at = Math.max(0, start - repository.start); at < repository.states.length; at++)
      seen[repository.start + at - start]?.add(repository.states[at] ?? "");
  }
  fleet.states = seen.map((states, at) => fleetState(fleet, at, states)).join("");
  fleet.sums?.known.views.forEach((known, at) => {
    if (known && fleet.sums) fleet.sums.states.L[at] = 0;
  });
  return fleet;
}

/** @param {number} size @returns {Values} */
const emptyDays = (size) => new Array(size).fill(null);

/** @param {number} begin @param {number} end @returns {Sums} */
function emptySums(begin, end) {
  const starts = spanStarts(begin, end);
  const zeros = () => new Array(starts.length).fill(0);
  return {
    starts,
    counts: { views: zeros(), clones: zeros() },
    known: { views: zeros(), clones: zeros() },
    expected: zeros(),
    states: { A: zeros(), I: zeros(), L: zeros() },
  };
}

/** Return the state of a sum: lost if no repository is known. @param {Traffic} fleet @param {number} at @param {Set<string>} states @returns {State} */
function fleetState({ known, expected }, at, states) {
  const least = Math.min(known?.views[at] ?? 0, known?.clones[at] ?? 0);
  if (states.has("P")) return "P";
  if (!known?.views[at] && !known?.clones[at]) return states.has("L") ? "L" : "U";
  return least < KNOWN_SHARE * (expected?.[at] ?? 0) ? "A" : "C";
}

/** Return the position of the span in which a day lies. @param {number[]} starts @param {number} day */
function spanAt(starts, day) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= day) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @param {number[] | Values | undefined} numbers @param {number} at @param {number} value */
function increase(numbers, at, value) {
  if (numbers) numbers[at] = (numbers[at] ?? 0) + value;
}

/** Add a repository's days; those before the fleet's days belong to its spans. @param {Traffic} fleet @param {Repository} repository */
function addDays(fleet, repository) {
  for (let day = repository.start; day <= repository.end; day++) {
    const isDay = day >= fleet.start;
    const at = isDay ? day - fleet.start : spanAt(fleet.sums?.starts ?? [], day);
    increase((isDay ? fleet.expected : fleet.sums?.expected) ?? undefined, at, 1);
    for (const metric of /** @type {Metric[]} */ (["views", "clones"])) {
      const count = repository.numbers[metric][day - repository.start] ?? null;
      if (count === null) continue;
      increase(isDay ? fleet.numbers[metric] : fleet.sums?.counts[metric], at, count);
      increase((isDay ? fleet.known : fleet.sums?.known)?.[metric], at, 1);
    }
  }
}

/** Add a repository's spans; those of all repositories begin on the same days, but for the first of each. @param {Traffic} fleet @param {Repository} repository */
function addSums(fleet, { sums }) {
  sums?.starts.forEach((start, from) => {
    const at = spanAt(fleet.sums?.starts ?? [], start);
    increase(fleet.sums?.expected, at, sums.expected[from] ?? 0);
    increase(fleet.sums?.states.L, at, sums.states.L[from] ?? 0);
    for (const metric of /** @type {Metric[]} */ (["views", "clones"])) {
      increase(fleet.sums?.counts[metric], at, sums.counts[metric][from] ?? 0);
      increase(fleet.sums?.known[metric], at, sums.known[metric][from] ?? 0);
    }
  });
}
