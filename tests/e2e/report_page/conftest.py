"""Fixtures that open sample pages in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from ghtraffic_action.page.writer import write_page
from tests.support.browser import Opened, chromium

_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.effectiveDirective));
"""

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path, unmeasured: None) -> Iterator[Open]:  # noqa: ARG001 - unmeasured
    """Return a function that opens a page from disk; at the end the page must have sent no request."""
    opened: list[Opened] = []

    def open_page(data: bytes | None = None, *, html: bytes = b"", fragment: str = "", **options: Any) -> Opened:  # noqa: ANN401 - Playwright's
        file = tmp_path / f"report-{len(opened)}.html"
        file.write_bytes(html or write_page(data or b""))
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(20_000)
        context.add_init_script(_VIOLATIONS)
        page = Opened(context.new_page())
        page.watch()
        page.page.goto(f"{file.as_uri()}{fragment}")
        opened.append(page)
        return page

    yield open_page
    problems = [problem for page in opened for problem in page.problems()]
    for page in opened:
        page.page.context.close()
    assert problems == []
