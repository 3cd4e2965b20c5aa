// The table of all repositories: sorted, filtered, with a way into each of them.

/** @typedef {{repository: Repository, year: number, before: number | null, change: Change, gain: number | null}} FleetRow */
/** @typedef {{name: string, value: (row: FleetRow) => string | number | null, cell: (row: FleetRow) => Child, isWide?: boolean}} Column */

const FIRST_ROWS = 60;
const MORE_ROWS = 150;

/** @param {Repository} repository @returns {FleetRow} */
function fleetRow(repository) {
  const [now, before] = fourteenDays(repository, "views");
  return {
    repository,
    year: total(repository, "views", repository.end - 364, repository.end).sum,
    before,
    change: compare(now, before),
    gain: gained(repository, "stars", 30),
  };
}

/** @param {Repository} repository */
function repositoryLink({ name, link }) {
  return h("a", { href: link }, foreign(name));
}

/** @param {FleetRow} row @returns {Child} */
function nameCell({ repository }) {
  const tags = [repository.archived ? "archived" : null, repository.isPrivate ? "private" : null];
  return [repositoryLink(repository), tags.map((tag) => tag && h("span", { class: "tag" }, tag))];
}

/** @param {string} name @param {string} column @param {boolean} isWide @returns {Column} */
function newestColumn(name, column, isWide) {
  const value = (/** @type {FleetRow} */ { repository }) => repository.newest[column] ?? null;
  return { name, isWide, value, cell: (row) => number(value(row)) };
}

/** @type {Column[]} */
const COLUMNS = [
  { name: "repository", value: ({ repository }) => repository.name.toLowerCase(), cell: nameCell },
  {
    name: "12 months",
    value: ({ year }) => year,
    cell: ({ repository, year }) => [
      sparkBars(weeklySums(repository, "views", 52), "f-views", 130, 24),
      spoken(`${number(year)} views`),
    ],
  },
  newestColumn("views", "views_14d", false),
  newestColumn("visitors", "view_uniques_14d", true),
  {
    name: "change",
    value: ({ change }) => change.percent,
    cell: ({ change }) => changeNode(change, "the 14 days before") ?? UNKNOWN,
  },
  newestColumn("clones", "clones_14d", true),
  newestColumn("cloners", "clone_uniques_14d", true),
  newestColumn("stars", "stars", true),
  {
    name: "stars, 30 d",
    isWide: true,
    value: ({ gain }) => gain,
    cell: ({ gain }) => (gain === null ? UNKNOWN : signed(gain)),
  },
  {
    name: "lost days",
    isWide: true,
    value: ({ repository }) => repository.lostDays,
    cell: ({ repository }) => number(repository.lostDays),
  },
  {
    name: "newest answer",
    isWide: true,
    value: ({ repository }) => repository.observed,
    cell: ({ repository }) => (repository.observed === null ? UNKNOWN : iso(repository.observed)),
  },
];

/** Order values; unknown ones are the last in both directions. @param {string | number | null} a @param {string | number | null} b @param {boolean} isDown */
function order(a, b, isDown) {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return (a < b ? -1 : 1) * (isDown ? -1 : 1);
}

class FleetTable {
  /** @param {FleetRow[]} rows */
  constructor(rows) {
    this.rows = rows;
    this.sortedBy = 2;
    this.isDown = true;
    this.timer = 0;
    /** @type {Map<FleetRow, HTMLTableRowElement>} */
    this.built = new Map();
    this.body = h("tbody");
    this.count = h("p", { class: "sub", role: "status" });
    this.search = h("input", {
      type: "search",
      placeholder: "Part of a name",
      "aria-label": "Filter the repositories by name",
      oninput: () => this.draw(),
    });
    this.heads = COLUMNS.map((column, at) => this.headNode(column, at));
    const table = h("table", {}, h("thead", {}, h("tr", {}, this.heads)), this.body);
    const save = h("button", { class: "plain-button", type: "button", onclick: () => this.save() }, "Save as CSV");
    this.box = h(
      "section",
      { class: "panel list", "aria-label": "Repositories" },
      h(
        "div",
        { class: "top" },
        h("h2", {}, "Repositories"),
        h("p", { class: "sum" }, "numbers of 14 days as GitHub counts them; bars: views of 52 weeks"),
      ),
      h("div", { class: "filter" }, this.search, this.count, save),
      h(
        "div",
        { class: "repositories", tabindex: 0, role: "region", "aria-label": "Table of the repositories" },
        table,
      ),
    );
    this.draw();
  }

  /** @param {Column} column @param {number} at */
  headNode({ name, isWide }, at) {
    const button = h(
      "button",
      { type: "button", onclick: () => this.sort(at) },
      name,
      h("span", { class: "arrow", "aria-hidden": "true" }),
    );
    return h("th", { scope: "col", class: isWide ? "wide-only" : null }, button);
  }

  /** @param {number} at */
  sort(at) {
    this.isDown = at === this.sortedBy ? !this.isDown : at !== 0;
    this.sortedBy = at;
    this.draw();
  }

  /** Return the rows that the filter lets through, sorted. */
  found() {
    const wanted = this.search.value.trim().toLowerCase();
    const value = COLUMNS[this.sortedBy]?.value ?? (() => null);
    return this.rows
      .filter(({ repository }) => repository.name.toLowerCase().includes(wanted))
      .sort((a, b) => order(value(a), value(b), this.isDown) || a.repository.id - b.repository.id);
  }

  draw() {
    const rows = this.found();
    this.heads.forEach((head, at) => {
      if (at === this.sortedBy) head.setAttribute("aria-sort", this.isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.count.textContent = `${number(rows.length)} of ${plural(this.rows.length, "repository", "repositories")}`;
    clearTimeout(this.timer);
    this.body.replaceChildren(...rows.slice(0, FIRST_ROWS).map((row) => this.rowNode(row)));
    this.appendRows(rows, FIRST_ROWS);
  }

  /** Add the rest in parts, so that the first rows are there at once. @param {FleetRow[]} rows @param {number} done */
  appendRows(rows, done) {
    if (done >= rows.length) return;
    this.timer = setTimeout(() => {
      this.body.append(...rows.slice(done, done + MORE_ROWS).map((row) => this.rowNode(row)));
      this.appendRows(rows, done + MORE_ROWS);
    }, 16);
  }

  /** @param {FleetRow} row */
  rowNode(row) {
    const cells = COLUMNS.map(({ cell, isWide }, at) =>
      h(
        at ? "td" : "th",
        { scope: at ? null : "row", class: isWide ? "wide-only" : at === 1 ? "spark" : null },
        cell(row),
      ),
    );
    const node = this.built.get(row) ?? h("tr", {}, cells);
    this.built.set(row, node);
    return node;
  }

  save() {
    const heads = COLUMNS.map(({ name }) =>
      name === "12 months" ? "views of 12 months" : name === "change" ? "change in percent" : name,
    );
    const rows = this.found().map((row) =>
      COLUMNS.map(({ value }, at) =>
        at === 0
          ? row.repository.name
          : at === 10 && row.repository.observed !== null
            ? iso(row.repository.observed)
            : value(row),
      ),
    );
    saveCsv("repositories.csv", [heads, ...rows]);
  }
}
