// The page of one repository.

/** @type {Words} */
const VIEWS = {
  metric: "views",
  unique: "view_uniques",
  title: "Views",
  height: 320,
  one: "view",
  many: "views",
  oneUnique: "unique visitor",
  uniques: "unique visitors",
};
/** @type {Words} */
const CLONES = {
  metric: "clones",
  unique: "clone_uniques",
  title: "Clones",
  height: 220,
  one: "clone",
  many: "clones",
  oneUnique: "unique cloner",
  uniques: "unique cloners",
};

/** @param {Repository} repository @param {boolean} isOnly */
function repositoryPage(repository, isOnly) {
  const view = new View(repository, repository);
  const views = new Bars(view, VIEWS);
  const clones = new Bars(view, CLONES);
  const spikes = spikesPanel(view);
  const referrers = new TopList(view, repository.lists.referrers, "Referrers", "referrer");
  const paths = new TopList(view, repository.lists.paths, "Paths", "path");
  const uniques = uniquesChart(view, repository);
  const stars = heldChart(view, repository, "Stars", "stars");
  const forks = heldChart(view, repository, "Forks", "forks");
  const history = starHistory(repository);
  const downloads = downloadsChart(view, repository);
  const more = [history, downloads].filter((part) => part !== null);
  view.parts = [views, spikes, clones, referrers, paths, uniques, stars, forks, ...(downloads ? [downloads] : [])];
  if (history) view.parts.push({ draw: () => history.view.draw() });
  const page = h(
    "main",
    { class: "page", id: "main" },
    repositoryHead(repository, isOnly),
    staleNotice(repository),
    repositoryCards(repository),
    view.tools(),
    views.box,
    spikes.box,
    clones.box,
    h("div", { class: "two" }, referrers.box, paths.box),
    uniques.box,
    h("div", { class: "two" }, stars.box, forks.box),
    more.length > 1
      ? h(
          "div",
          { class: "two" },
          more.map(({ box }) => box),
        )
      : more.map(({ box }) => box),
    footer(),
  );
  return { page, view };
}

/** @param {View} view @param {Repository} repository */
function uniquesChart(view, { series: { days, columns } }) {
  /** @param {string} name @param {string} column @param {string} colour @returns {LineSeries} */
  const line = (name, column, colour) => ({ name, colour, days, values: columns[column] ?? [], isStep: false });
  const lines = [
    line("unique visitors", "view_uniques_14d", "c-view_uniques"),
    line("unique cloners", "clone_uniques_14d", "c-clone_uniques dash"),
  ];
  return new Lines(
    view,
    "Unique visitors and cloners of 14 days",
    lines,
    "As GitHub counts them: each person once in the 14 days up to that day.",
  );
}

/** @param {View} view @param {Repository} repository @param {string} title @param {"stars" | "forks"} column */
function heldChart(view, { series: { days, columns } }, title, column) {
  return new Lines(view, title, [
    { name: column, colour: `c-${column}`, days, values: columns[column] ?? [], isStep: true },
  ]);
}

/** @param {Repository} repository @param {boolean} isOnly */
function repositoryHead(repository, isOnly) {
  const back = isOnly ? null : h("p", { class: "crumb" }, h("a", { href: "#" }, "← All repositories"));
  const tags = [repository.archived ? "archived" : null, repository.isPrivate ? "private" : null];
  return h(
    "header",
    { class: "head" },
    h(
      "div",
      {},
      back,
      heading(repository.name),
      h(
        "p",
        { class: "sub" },
        known(repository),
        tags.map((tag) => tag && h("span", { class: "tag" }, tag)),
      ),
      formerNames(repository),
    ),
    themeButtons(),
  );
}

/** @param {string} name */
function heading(name) {
  const [owner = "", ...rest] = name.split("/");
  const text = [h("span", { class: "owner" }, h("bdi", {}, visible(owner)), " / "), foreign(rest.join("/"))];
  const isName = /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/.test(name);
  return h(
    "h1",
    { tabindex: -1 },
    isName ? h("a", { href: `https://github.com/${name}`, rel: "noreferrer" }, text) : text,
  );
}

/** @param {Repository} repository */
function known({ begin, end, lostDays, observed }) {
  const days = `Known from ${fullDay(begin)} to ${fullDay(end)}`;
  if (observed === null) return `${days}, imported and never observed`;
  return lostDays === null ? days : `${days}, ${lostDays ? plural(lostDays, "day", "days") : "no day"} lost`;
}

/** @param {Repository} repository */
function formerNames({ names, name }) {
  const former = names.flatMap(([, old], at) =>
    old === name || names[at + 1] === undefined ? [] : [{ old, until: (names[at + 1]?.[0] ?? 0) - 1 }],
  );
  if (!former.length) return null;
  return h(
    "p",
    { class: "sub" },
    "Formerly ",
    former.map(({ old, until }, at) => [at ? ", " : "", foreign(old), ` (to ${fullDay(until)})`]),
  );
}

/** Warn when days are at risk; the page's data end with the newest answer. @param {Repository} repository */
function staleNotice({ observed, archived }) {
  if (observed === null)
    return h("p", { class: "notice" }, "These days were imported. No run has observed this repository yet.");
  const age = today() - observed;
  if (age < 3 || archived) return null;
  const answer = `The newest answer is ${plural(age, "day", "days")} old`;
  const text =
    age >= 14
      ? `${answer}: days are being lost. Start a run today.`
      : `${answer}. A run before ${fullDay(observed + 14)} loses nothing.`;
  return h("p", { class: "notice" }, text);
}

function footer() {
  const states = /** @type {State[]} */ (["C", "P", "A", "I", "L"]);
  const terms = states.map((state) => [
    h("dt", {}, legendMark("views", state === "L" ? "lost" : state), STATE_NAMES[state]),
    h("dd", {}, STATE_MEANINGS[state]),
  ]);
  return h(
    "footer",
    { class: "foot" },
    h(
      "p",
      {},
      "Days are UTC days. GitHub counts uniques per day and per 14 days. A visitor of two days is in both days’ numbers, so uniques are never added up here. Referrers and paths are GitHub’s ten largest of 14 days: where a line has a gap, the name was not among the ten. Provisional days may still grow, so a comparison that ends with them may be a little low.",
    ),
    h("dl", {}, terms, h("dt", {}, swatch("views", "zero"), "zero"), h("dd", {}, "GitHub counted none")),
  );
}
