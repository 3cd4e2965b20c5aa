// The page of all repositories.

const FLEET_DAYS = 365;
const MOVERS = 5;

/** @param {Repository[]} repositories */
function fleetPage(repositories) {
  const fleet = sumUp(repositories);
  const view = new View(fleet, null, FLEET_DAYS);
  const views = new Bars(view, { ...VIEWS, title: "Views of all repositories", height: 280 });
  const clones = new Bars(view, { ...CLONES, title: "Clones of all repositories" });
  view.parts = [views, clones];
  const rows = repositories.map(fleetRow);
  const page = h(
    "main",
    { class: "page", id: "main" },
    fleetHead(repositories, fleet),
    staleFleetNotice(repositories),
    fleetCards(repositories, fleet),
    moversPanel(rows),
    view.tools(),
    views.box,
    clones.box,
    new FleetTable(rows).box,
    footer(),
  );
  return { page, view };
}

/** @param {Repository[]} repositories @param {Traffic} fleet */
function fleetHead(repositories, { begin, end }) {
  const secret = repositories.filter(({ isPrivate }) => isPrivate).length;
  const names = secret
    ? ` ${plural(secret, "private repository is", "private repositories are")} named on this page.`
    : "";
  return h(
    "header",
    { class: "head" },
    h(
      "div",
      {},
      h("h1", { tabindex: -1 }, `Traffic of ${plural(repositories.length, "repository", "repositories")}`),
      h("p", { class: "sub" }, `Known from ${fullDay(begin)} to ${fullDay(end)}.${names}`),
    ),
    themeButtons(),
  );
}

/** Warn of the repositories whose days are at risk. @param {Repository[]} repositories */
function staleFleetNotice(repositories) {
  const ages = repositories.flatMap(({ observed, archived }) =>
    observed === null || archived ? [] : [today() - observed],
  );
  const oldest = ages.reduce((most, age) => Math.max(most, age), 0);
  const losing = ages.filter((age) => age >= 14).length;
  if (losing)
    return h(
      "p",
      { class: "notice" },
      `${plural(losing, "repository has", "repositories have")} no answer of the last 14 days: days are being lost.`,
    );
  return oldest < 3
    ? null
    : h(
        "p",
        { class: "notice" },
        `The oldest of the newest answers is ${plural(oldest, "day", "days")} old. A run before ${fullDay(today() - oldest + 14)} loses nothing.`,
      );
}

/**
 * Sum numbers of two periods up; they are compared if most repositories are known in both, by these alone.
 * @param {[now: number | null, before: number | null][]} pairs
 */
function comparePairs(pairs) {
  const both = pairs.filter(([now, before]) => now !== null && before !== null);
  const sum = (/** @type {(number | null)[]} */ values) =>
    values.reduce((/** @type {number} */ all, value) => all + (value ?? 0), 0);
  const isEnough = both.length >= KNOWN_SHARE * pairs.length;
  const before = isEnough ? sum(both.map(([, value]) => value)) : null;
  const change = compare(sum(both.map(([value]) => value)), before);
  return { now: sum(pairs.map(([now]) => now)), before, change };
}

/** @param {Repository[]} repositories @param {Traffic} fleet */
function fleetCards(repositories, fleet) {
  const sum = (/** @type {(repository: Repository) => number | null | undefined} */ value) =>
    repositories.reduce((all, repository) => all + (value(repository) ?? 0), 0);
  const count = (/** @type {(repository: Repository) => unknown} */ test) => number(repositories.filter(test).length);
  /** @param {string} title @param {Metric} metric */
  const trafficSum = (title, metric) => {
    const { now, before, change } = comparePairs(repositories.map((repository) => fourteenDays(repository, metric)));
    const year = comparePairs(repositories.map((repository) => years(repository, metric)));
    const span = Math.min(365, fleet.end - fleet.begin + 1);
    const name = span >= KNOWN_SHARE * 365 ? "12 months" : plural(span, "day", "days");
    /** @type {Fact[]} */
    const facts = [
      [`14 days before: ${number(before)}`, changeNode(change, "the 14 days before")],
      [`${name}: ${number(year.now)}`, changeNode(year.change, "the 12 months before")],
    ];
    return card(
      title,
      now,
      "all repositories together",
      facts,
      sparkBars(weeklySums(fleet, metric, 52), `f-${metric}`, 200, 30),
    );
  };
  return h(
    "div",
    { class: "cards" },
    card(
      "Repositories",
      repositories.length,
      `${count(({ archived }) => archived)} archived, ${count(({ isPrivate }) => isPrivate)} private`,
      [
        ["lost days", number(sum(({ lostDays }) => lostDays))],
        ["repositories with lost days", count(({ lostDays }) => lostDays)],
        ["newest answer", fullDay(fleet.end)],
      ],
    ),
    trafficSum("Views, 14 days", "views"),
    trafficSum("Clones, 14 days", "clones"),
    card(
      "Stars",
      sum(({ newest }) => newest.stars),
      `${number(sum(({ newest }) => newest.forks))} forks`,
      [
        ["14 days", signed(gainedByAll(repositories, "stars", 14))],
        ["90 days", signed(gainedByAll(repositories, "stars", 90))],
        ["12 months", signed(gainedByAll(repositories, "stars", 365))],
      ],
    ),
  );
}

/** Build the repositories whose views rose and fell most against the 14 days before. @param {FleetRow[]} rows */
function moversPanel(rows) {
  const moved = rows.flatMap(({ repository, before, change }) => {
    const now = repository.newest.views_14d ?? null;
    return now === null || before === null || now === before
      ? []
      : [{ repository, now, before, change, by: now - before }];
  });
  moved.sort((a, b) => b.by - a.by);
  /** @param {string} title @param {typeof moved} movers */
  const list = (title, movers) => {
    const lines = movers.map(({ repository, now, before, by }) =>
      h(
        "li",
        {},
        repositoryLink(repository),
        h("span", { class: `delta ${by > 0 ? "up" : "down"}` }, `${by > 0 ? "▲" : "▼"} ${signed(by)}`),
        h("span", { class: "sub" }, `${number(before)} → ${number(now)}`),
      ),
    );
    const none = h("p", { class: "note" }, "None.");
    return h(
      "section",
      { class: "panel list", "aria-label": title },
      h(
        "div",
        { class: "top" },
        h("h2", {}, title),
        h("p", { class: "sum" }, "views of 14 days against the 14 before"),
      ),
      movers.length ? h("ol", { class: "movers" }, lines) : none,
    );
  };
  const risen = moved.filter(({ by }) => by > 0).slice(0, MOVERS);
  const fallen = moved
    .filter(({ by }) => by < 0)
    .reverse()
    .slice(0, MOVERS);
  return h("div", { class: "two" }, list("Rose most", risen), list("Fell most", fallen));
}
