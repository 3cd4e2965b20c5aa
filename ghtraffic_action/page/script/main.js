// The start: colours, and which page an address shows.

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const { repositories, unreadable } = readRepositories(document.getElementById("data")?.textContent ?? "");
const THEME_KEY = "ghtraffic-theme";

/** Return the chosen colours; a page from disk or in a sandbox may have no storage. */
function storedTheme() {
  try {
    return localStorage.getItem(THEME_KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

function themeButtons() {
  const root = document.documentElement;
  let theme = storedTheme();
  const group = buttonGroup(
    "Colours",
    [
      ["auto", "Auto"],
      ["light", "Light"],
      ["dark", "Dark"],
    ],
    () => theme,
    (chosen) => {
      theme = chosen;
      root.dataset.theme = theme;
      group.update();
      try {
        localStorage.setItem(THEME_KEY, theme);
      } catch {
        // Without storage the choice holds until the page is left.
      }
    },
  );
  root.dataset.theme = theme;
  group.box.classList.add("theme");
  return group.box;
}

function emptyPage() {
  const page = h(
    "main",
    { class: "page", id: "main" },
    h("h1", { tabindex: -1 }, "No traffic yet"),
    h("p", { class: "sub" }, "The first run writes the first days."),
  );
  return { page, view: null };
}

/** Return the page that the address names. */
function currentPage() {
  if (!repositories.length) return emptyPage();
  const [only] = repositories;
  if (repositories.length === 1 && only) return repositoryPage(only, true);
  const repository = repositories.find(({ link }) => link === location.hash) ?? byName(location.hash);
  return repository ? repositoryPage(repository, false) : fleetPage(repositories);
}

/** Return the repository whose present or former name is in an address. @param {string} hash */
function byName(hash) {
  let name = "";
  try {
    name = decodeURIComponent(hash.slice(1)).toLowerCase();
  } catch {
    return undefined;
  }
  const isName = (/** @type {string} */ text) => text.toLowerCase() === name;
  return (
    repositories.find((repository) => isName(repository.name)) ??
    repositories.find(({ names }) => names.some(([, old]) => isName(old)))
  );
}

/** @type {View | null} */
let shown = null;

/** @param {boolean} isFirst */
function show(isFirst) {
  const { page, view } = currentPage();
  shown = view;
  const damaged = h(
    "p",
    { class: "notice" },
    `${plural(unreadable, "repository", "repositories")} could not be read: run the report again.`,
  );
  if (unreadable) page.firstElementChild?.after(damaged);
  app.replaceChildren(page);
  const heading = page.querySelector("h1");
  const name = view?.repository?.name;
  document.title = name ? `Traffic of ${visible(name)}` : (heading?.textContent ?? "");
  view?.draw();
  if (isFirst) return;
  scrollTo(0, 0);
  heading?.focus({ preventScroll: true });
}

let width = innerWidth;
let waiting = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(() => shown?.draw(), 100);
});
addEventListener("beforeprint", () => shown?.point(null));
addEventListener("hashchange", () => show(false));

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  app.querySelector("h1")?.focus();
}
document.body.prepend(h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the numbers"));
show(true);
performance.mark("drawn");
