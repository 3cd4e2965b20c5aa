"""Makes the README's picture of the demonstration's report page: `make pictures`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from playwright.sync_api import ViewportSize, sync_playwright

from ghtraffic_action.demo.run import collect_sample
from ghtraffic_action.page.writer import PAGE

CHROMIUM = "/usr/bin/chromium"
DAYS = 60
SIZE: ViewportSize = {"width": 1120, "height": 1022}


def main() -> None:
    """Write docs/report-light.png and docs/report-dark.png."""
    folder = Path(__file__).parent
    with TemporaryDirectory() as work, sync_playwright() as playwright:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        collect_sample(Path(work), yesterday, DAYS, Event())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(Path(work, "export", PAGE).as_uri())
            page.get_by_role("heading", name="Days that stand out").wait_for()
            page.screenshot(path=folder / f"report-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
