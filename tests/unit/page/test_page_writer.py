"""The page's frame: data, style and script in one file whose policy permits nothing else."""

import re
import shutil
import subprocess
import zipfile
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from ghtraffic_action.page.writer import write_page
from tests.support.builders import ROOT
from tests.support.page_samples import Sample, data_of, fleet, hostile, long_history
from tests.support.programs import require

PACKAGE = files("ghtraffic_action.page")
MODULES = sorted(Path(str(PACKAGE)).glob("script/*.js"))


class Elements(HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Record the text of a script or style."""
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.texts.append((self.tags[-1][0], data))


def source(text: str) -> str:
    """Return the CSP source of a text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def policy_of(page: bytes) -> dict[str, str]:
    """Return the directives of the page's policy."""
    content = next(a["content"] for t, a in Elements(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert content
    return dict(part.strip().split(" ", 1) for part in content.split(";"))


def test_the_policy_permits_the_style_and_the_script_by_hash_and_nothing_else() -> None:
    page = write_page(data_of(Sample()))
    texts = Elements(page).texts
    style = next(text for tag, text in texts if tag == "style")
    script = next(text for tag, text in reversed(texts) if tag == "script" and "use strict" in text)
    assert policy_of(page) == {
        "default-src": "'none'",
        "script-src": source(script),
        "style-src": source(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize("samples", [[], [Sample()], hostile()], ids=["nothing", "one", "hostile"])
def test_the_page_has_no_reference_handler_or_inline_style(samples: list[Sample]) -> None:
    for tag, attributes in Elements(write_page(data_of(*samples))).tags:
        assert not {"src", "srcset", "href", "style", "action"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert tag not in ("img", "iframe", "link", "object", "base", "form"), tag


def test_the_data_stand_on_the_page_as_they_are() -> None:
    data = data_of(*hostile())
    assert data in write_page(data)


def test_equal_data_give_equal_bytes() -> None:
    assert write_page(data_of(Sample())) == write_page(data_of(Sample()))


def test_without_scripts_the_page_is_a_table_of_the_newest_numbers() -> None:
    page = write_page(data_of(Sample(), Sample(repository_id=2, name="octo-lab/dark", unobserved=True, private="")))
    plain = page.split(b"<noscript>")[1].split(b"</noscript>")[0].decode()
    assert "<bdi>octo-lab/lighthouse</bdi>" in plain
    assert "<bdi>octo-lab/dark</bdi></th><td>&ndash;</td>" in plain, "an unknown number is not 0"


def test_the_private_repositories_are_counted() -> None:
    page = write_page(data_of(Sample(private="true"), Sample(repository_id=2, name="octo-lab/open")))
    assert b"Private repositories on this page: 1." in page
    assert b"Private repositories" not in write_page(data_of(Sample()))


def test_text_that_looks_like_a_placeholder_stays_text() -> None:
    page = write_page(data_of(Sample(name="octo-lab/{{script}}")))
    assert b"<title>Traffic of octo-lab/{{script}}</title>" in page


def test_every_module_of_the_script_and_the_style_is_part_of_the_page() -> None:
    page = write_page(b"").decode()
    for module in [*MODULES, *Path(str(PACKAGE)).glob("style/*.css")]:
        lines = [line.strip() for line in module.read_text().splitlines()]
        longest = max((line for line in lines if not re.match(r"//|/?\*", line)), key=len)
        assert longest in page, module.name


def test_no_module_of_the_script_is_longer_than_250_lines() -> None:
    assert not [module.name for module in MODULES if len(module.read_text().splitlines()) > 250]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("samples", "most"),
    [([Sample(days=60)], 120_000), ([long_history()], 400_000)],
    ids=["60 days", "ten years"],
)
def test_a_page_of_one_repository_is_small(samples: list[Sample], most: int) -> None:
    assert len(write_page(data_of(*samples))) <= most


@pytest.mark.e2e
def test_a_fleet_of_samples_fits_on_a_page() -> None:
    assert len(write_page(data_of(*fleet(40, 100)))) <= 120_000 + 40 * 40_000


@pytest.mark.e2e
def test_the_script_has_its_types_and_its_format() -> None:
    node_modules = ROOT / "tests/page/node_modules"
    require(shutil.which("npm") and node_modules.is_dir(), "npm ci in tests/page has not been run")
    checked = subprocess.run(
        ["npm", "run", "--silent", "check"], cwd=ROOT / "tests/page", capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.e2e
def test_the_wheel_has_the_files_of_the_page(tmp_path: Path) -> None:
    build = pytest.importorskip("hatchling.builders.wheel")
    wheel = next(build.WheelBuilder(str(ROOT)).build(directory=str(tmp_path)))
    names = set(zipfile.ZipFile(wheel).namelist())
    found = {
        str(path.relative_to(ROOT)) for path in Path(str(PACKAGE)).rglob("*") if path.suffix in (".js", ".css", ".html")
    }
    assert len(found) > 20
    assert found <= names
