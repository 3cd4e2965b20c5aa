// Days that stand out, and the referrers, paths and release that go with them.

/** @typedef {{name: string, by: number, isNew: boolean}} Rise */
/** @typedef {{day: number, views: number, usual: number, number: number, referrers: Rise[], paths: Rise[], releases: string[]}} Spike */

const SPIKE_FACTOR = 3;
const LEAST_VIEWS = 20;
const LEAST_USUAL = 4;
const USUAL_DAYS = 28;
const MOST_SPIKES = 6;
const DAYS_APART = 5;

/** Return the days of a range that stand out, in order. @param {Repository} repository @param {number} from @param {number} to */
function findSpikes(repository, from, to) {
  const { views } = repository.numbers;
  const found = [];
  for (let day = Math.max(from, repository.start + 7); day <= Math.min(to, repository.end); day++) {
    const at = day - repository.start;
    const value = views[at] ?? null;
    if (value === null || value < LEAST_VIEWS || value < (views[at - 1] ?? 0) || value < (views[at + 1] ?? 0)) continue;
    const usual = usualViews(views, at);
    if (usual !== null && value >= SPIKE_FACTOR * Math.max(usual, LEAST_USUAL))
      found.push({ day, views: value, usual });
  }
  found.sort((a, b) => b.views - b.usual - (a.views - a.usual));
  /** @type {typeof found} */
  const kept = [];
  for (const spike of found)
    if (kept.length < MOST_SPIKES && kept.every(({ day }) => Math.abs(day - spike.day) > DAYS_APART)) kept.push(spike);
  return kept.sort((a, b) => a.day - b.day).map((spike, at) => explain(repository, spike, at + 1));
}

/** Return the median of the known days before; null if there are too few. @param {Values} views @param {number} at */
function usualViews(views, at) {
  const before = [];
  for (let i = at - 1; i >= 0 && i > at - 60 && before.length < USUAL_DAYS; i--) {
    const value = views[i] ?? null;
    if (value !== null) before.push(value);
  }
  before.sort((a, b) => a - b);
  return before.length < 7 ? null : (before[before.length >> 1] ?? null);
}

/** @param {Repository} repository @param {{day: number, views: number, usual: number}} spike @param {number} place @returns {Spike} */
function explain(repository, spike, place) {
  const near = repository.releases.filter(([day]) => day <= spike.day + 1 && day >= spike.day - 3);
  return {
    ...spike,
    number: place,
    referrers: risen(repository.lists.referrers, spike),
    paths: risen(repository.lists.paths, spike),
    releases: near.map(([, tag]) => tag),
  };
}

/** Return what rose in a list from before the day to after it. @param {Lists} lists @param {{day: number, views: number, usual: number}} spike @returns {Rise[]} */
function risen(lists, { day, views, usual }) {
  const before = lists.days.findLastIndex((observed) => observed < day);
  const after = lists.days.findIndex((observed) => observed > day);
  if (before < 0 || after < 0 || day - (lists.days[before] ?? 0) > 10 || (lists.days[after] ?? 0) - day > 10) return [];
  const old = listValues(lists, before);
  const smallest = Math.min(...old.values());
  // A name that was not among the ten had at most the smallest value of the ten.
  const limit = old.size >= 10 ? smallest : 0;
  return [...listValues(lists, after)]
    .map(([name, value]) => ({ name, by: value - (old.get(name) ?? limit), isNew: !old.has(name) }))
    .filter(({ by }) => by > 5 && by >= (views - usual) * 0.15)
    .sort((a, b) => b.by - a.by)
    .slice(0, 2);
}

/** Return the counts of one observation by name. @param {Lists} lists @param {number} at */
function listValues(lists, at) {
  const row = lists.rows[at] ?? [];
  /** @type {Map<string, number>} */
  const values = new Map();
  for (let i = 0; i < row.length; i += 3) {
    const name = lists.names[row[i] ?? 0] ?? "";
    values.set(typeof name === "string" ? name : name[0], row[i + 1] ?? 0);
  }
  return values;
}

/** Build the panel of the days that stand out. @param {View} view */
function spikesPanel(view) {
  const list = h("ol", { class: "days" });
  const title = h(
    "div",
    { class: "top" },
    h("h2", {}, "Days that stand out"),
    h("p", { class: "sum" }, "at least three times the usual views"),
  );
  const box = h("section", { class: "panel list", "aria-label": "Days that stand out" }, title, list);
  const draw = () => {
    box.hidden = !view.spikes.length;
    replace(list, view.spikes.map(spikeNode));
  };
  return { box, draw };
}

/** @param {Spike} spike */
function spikeNode(spike) {
  /** @param {string} label @param {Rise[]} rises @returns {Child} */
  const risenNode = (label, rises) =>
    rises.length
      ? h(
          "p",
          {},
          h("span", { class: "label" }, label),
          rises.map(({ name, by, isNew }, at) => [
            at ? ", " : " ",
            foreign(name),
            ` +${number(by)}${isNew ? " (new)" : ""}`,
          ]),
        )
      : null;
  /** @type {Child[]} */
  const causes = [risenNode("Referrers", spike.referrers), risenNode("Paths", spike.paths)];
  if (spike.releases.length)
    causes.push(
      h(
        "p",
        {},
        h("span", { class: "label" }, "Release"),
        spike.releases.map((tag, at) => [at ? ", " : " ", foreign(tag)]),
      ),
    );
  if (!causes.some(Boolean))
    causes.push(h("p", { class: "sub" }, "No referrer, path or release is known to go with it."));
  return h(
    "li",
    {},
    h("span", { class: "num" }, spike.number),
    h("span", {}, fullDay(spike.day)),
    h(
      "div",
      {},
      h("p", {}, h("b", {}, `${number(spike.views)} views`), `, usually about ${number(spike.usual)}`),
      causes,
    ),
  );
}
