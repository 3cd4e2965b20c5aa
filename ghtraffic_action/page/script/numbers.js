// Numbers: tables of what the charts show, on the page and as CSV.

/** @typedef {{heads: string[], rows: Cell[][], text?: number[]}} Table The columns `text` hold words. */

/** @param {Table} table */
function tableNode({ heads, rows, text = [] }) {
  const look = (/** @type {number} */ at) => (text.includes(at) ? "text" : null);
  /** @param {Cell} cell @param {number} at */
  const cellNode = (cell, at) =>
    at ? h("td", { class: look(at) }, cellText(cell)) : h("th", { scope: "row" }, cellText(cell));
  const head = heads.map((name, at) => h("th", { scope: "col", class: look(at) }, name));
  const body = rows.map((row) => h("tr", {}, row.map(cellNode)));
  return h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body));
}

/** Return a file's name without characters that a file system may refuse. @param {string} name */
function fileName(name) {
  return `${name.toLowerCase().replace(/[^\p{L}\p{N}._]+/gu, "-")}.csv`;
}

/** Save a table as CSV; text that a spreadsheet takes for a formula is quoted. @param {string} name @param {Cell[][]} rows */
function saveCsv(name, rows) {
  const lines = rows.map((row) => row.map(csvCell).join(",") + "\r\n");
  const address = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** @param {Cell} cell */
function csvCell(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = cell.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
