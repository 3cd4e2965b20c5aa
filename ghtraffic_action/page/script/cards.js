// Cards: the newest numbers, and how they compare with the period before.

/** @typedef {[term: string, value: Child]} Fact */

/** @param {string} title @param {number | null} value @param {string} words @param {Fact[]} facts @param {Child} [spark] */
function card(title, value, words, facts, spark) {
  const terms = facts.map(([term, fact]) => h("div", {}, h("dt", {}, term), h("dd", {}, fact)));
  return h(
    "div",
    { class: "card" },
    h("h2", {}, title),
    h("p", { class: "big" }, number(value)),
    h("p", { class: "by" }, words),
    h("dl", {}, terms),
    spark,
  );
}

/** @param {Repository} repository */
function repositoryCards(repository) {
  return h(
    "div",
    { class: "cards" },
    trafficCard(repository, "Views, 14 days", "views", "view_uniques", "unique visitors"),
    trafficCard(repository, "Clones, 14 days", "clones", "clone_uniques", "unique cloners"),
    heldCard(repository, "Stars", "stars", watching(repository)),
    heldCard(repository, "Forks", "forks", openWork(repository)),
  );
}

/** @param {Repository} repository @param {string} title @param {Metric} metric @param {Unique} unique @param {string} uniques */
function trafficCard(repository, title, metric, unique, uniques) {
  const { end, newest } = repository;
  const [now, before] = fourteenDays(repository, metric);
  const uniqueNow = newest[`${unique}_14d`] ?? null;
  const uniqueBefore = observedOn(repository, `${unique}_14d`, end - 14);
  const period = "the 14 days before";
  /** @type {Fact[]} */
  const facts = [
    [`14 days before: ${number(before)}`, changeNode(compare(now, before), period)],
    [
      `${uniques}: ${number(uniqueBefore)}`,
      changeNode(compare(uniqueNow, before === null ? null : uniqueBefore), period),
    ],
    yearFact(repository, metric),
  ];
  const weeks = clamp(Math.ceil((end - repository.begin + 1) / 7), 8, 52);
  const spark = sparkBars(weeklySums(repository, metric, weeks), `f-${metric}`, 200, 30);
  return card(title, now, `${number(uniqueNow)} ${uniques} in 14 days`, facts, spark);
}

/**
 * Return the sum of 12 months, and what as many days had in the 12 months before, by the mean of the days known then;
 * null if one of the years is not known well enough.
 * @param {Repository} repository
 * @param {Metric} metric
 * @returns {[now: number, before: number | null]}
 */
function years(repository, metric) {
  const { end } = repository;
  const year = total(repository, metric, end - 364, end);
  const before = total(repository, metric, end - 729, end - 365);
  return [year.sum, isKnown(year) && isKnown(before) ? (before.sum / before.known) * year.known : null];
}

/** @param {Repository} repository @param {Metric} metric @returns {Fact} */
function yearFact(repository, metric) {
  const { end } = repository;
  const year = total(repository, metric, end - 364, end);
  if (!year.known) return ["12 months: nothing is known", null];
  const name = isKnown(year) ? "12 months" : plural(year.known, "day", "days");
  return [`${name}: ${number(year.sum)}`, changeNode(compare(...years(repository, metric)), "the 12 months before")];
}

/** @param {Repository} repository @param {string} title @param {"stars" | "forks"} column @param {string} words */
function heldCard(repository, title, column, words) {
  const { end, series, newest } = repository;
  const values = series.columns[column] ?? [];
  /** @type {[number, number][]} */
  const points = [];
  series.days.forEach((day, at) => {
    const value = values[at] ?? null;
    if (day > end - 365 && value !== null) points.push([day, value]);
  });
  const numbers = points.map(([, value]) => value);
  const frame = {
    from: points[0]?.[0] ?? end,
    to: end,
    min: Math.min(...numbers),
    max: Math.max(...numbers),
  };
  const facts = [14, 90, 365].map(
    (days) =>
      /** @type {Fact} */ ([days === 365 ? "12 months" : `${days} days`, signed(gained(repository, column, days))]),
  );
  return card(
    title,
    newest[column] ?? null,
    words,
    facts,
    points.length > 1 ? sparkLine([points], frame, `c-${column}`) : null,
  );
}

/** @param {Repository} repository */
function watching({ newest }) {
  return `${number(newest.watchers)} watching`;
}

/** @param {Repository} repository */
function openWork({ newest: { open_issues: issues = null, open_pull_requests: pulls = null } }) {
  const requests = pulls === null ? "" : `, ${plural(pulls, "pull request", "pull requests")}`;
  return issues === null ? "open issues unknown" : `${plural(issues, "open issue", "open issues")}${requests}`;
}
