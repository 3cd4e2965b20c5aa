"""Opens sample pages from disk in a real Chromium, and records what happens there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Locator, Page, sync_playwright

from tests.support.programs import require

CHROMIUM = Path("/usr/bin/chromium")
FEATURES = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),  # two more pages for each window, which take half a second of CPU
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "OptimizationHints", "PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning"),
)
"""What Chromium does without: the address bar's pages, and what Playwright's own list, which this replaces, has."""

ARGUMENTS = [
    f"--disable-features={','.join(FEATURES)}",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, which can reach no other host."""
    require(CHROMIUM.exists(), f"{CHROMIUM} is missing: install Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Opened:
    """An opened page, and what it did that it must not do: log, fail, open dialogs, send requests."""

    page: Page
    events: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Record what the page does."""
        self.page.on("console", lambda message: self.events.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.events.append(f"request: {request.url[:200]}"))
        self.page.on("popup", lambda _: self.events.append("popup"))

    def _dismiss(self, dialog: Dialog) -> None:
        self.events.append("dialog")
        dialog.dismiss()

    def problems(self) -> list[str]:
        """Return everything that happened except the request of the page itself."""
        violations: list[str] = self.page.evaluate("window.violations ?? []")
        return [event for event in self.events if not event.startswith("request: file:")] + violations

    def section(self, title: str) -> Locator:
        """Return a chart or a list by its title."""
        return self.page.locator(f'section[aria-label="{title}"]')

    def click(self, name: str) -> None:
        """Click a button."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def rows(self, title: str) -> list[list[str]]:
        """Return the rows of a chart's numbers, the head first."""
        section = self.section(title)
        if not section.locator("details").evaluate("node => node.open"):
            section.locator("summary").click()
        section.locator("details tbody").wait_for(state="attached")
        rows: list[list[str]] = section.locator("details tr").evaluate_all(
            "rows => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
        )
        return rows

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - what the expression returns
        """Evaluate JavaScript on the page."""
        return self.page.evaluate(expression)
