// The history of the stars, and the downloads of releases: running totals.

/** The view of a chart that has days of its own: all of them, whatever the page's range is. */
class WholeView extends View {
  draw() {
    for (const part of this.parts) part.draw();
  }
}

/** Return the chart of the stars that are still held, null if their history is unknown. @param {Repository} repository */
function starHistory(repository) {
  const { days, stars } = repository.held;
  const first = days[0];
  if (first === undefined) return null;
  let sum = 0;
  const values = stars.map((given) => (sum += given));
  const end = Math.max(repository.end, days.at(-1) ?? 0);
  const view = new WholeView({ ...repository, begin: first, end }, repository, Infinity);
  const lines = new Lines(
    view,
    "Stars since the first one",
    [
      {
        name: "stars",
        colour: "c-stars dash",
        days: [...days, end],
        values: [...values, sum],
        isStep: true,
        isWhole: true,
      },
    ],
    "Today's stars by the day on which they were given: a star that was removed is missing from its past day too.",
  );
  view.parts = [lines];
  return lines;
}

class DownloadLines extends Lines {
  /** @param {{start: number, end: number, values: Values}} item */
  describe(item) {
    const change = this.change(this.items.indexOf(item));
    return [...super.describe(item), ...(change === null ? [] : [`${signed(change)} since the observation before`])];
  }

  /** Return how many there were since the item before; null if a file was removed, or if it is the first. @param {number} at */
  change(at) {
    const [now, before] = [this.items[at]?.values[0] ?? null, this.items[at - 1]?.values[0] ?? null];
    return now === null || before === null || now < before ? null : now - before;
  }

  /** @returns {Table} */
  table() {
    const rows = this.items.map(({ start, values }, at) => [iso(start), ...values, this.change(at)]);
    return { heads: ["day", "downloads", "since the observation before"], rows: rows.reverse() };
  }
}

/** Return the chart of the downloads, null if there were none. @param {View} view @param {Repository} repository */
function downloadsChart(view, { series: { days, columns } }) {
  const values = columns.downloads ?? [];
  if (!values.length) return null;
  return new DownloadLines(
    view,
    "Downloads of releases",
    [{ name: "downloads", colour: "c-downloads", days, values, isStep: true }],
    "A running total of all files of all releases, as GitHub counts it. It falls if a file is removed or replaced.",
  );
}
