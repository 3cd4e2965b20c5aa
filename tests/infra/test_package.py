"""The modules of the Lambda's zip."""

import subprocess
import sys
from pathlib import Path

import pytest

from ghtraffic_action.page.writer import write_page
from infra.package import HANDLER, copy_package

LISTED = {
    "": """
        collect discovery errors extras files invocation lambda_handler plan report repository_names results run_report
        runtime secrets
    """,
    "alerting": "alerts heartbeat notification",
    "aws": "clients environment errors",
    "exports": """
        catalogue csvfile destination directory incremental layout page_files parts pictures recent rounds rows
        run_export s3 spool
    """,
    "fleet": "batches choice credentials exporting listing steps summary",
    "github": """
        app client connection errors fields headers known_errors lists lookup network pace queries quota rate_limit
        release_downloads responses selection session star_history workflow_runs
    """,
    "page": "badge data day_numbers days held_stars line line_checks picture snapshots writer",
    "settings": """
        actions_job addresses api_url credentials model names read reading repositories secret_detection storage
        tolerance typed_text values
    """,
    "stores": """
        base dynamodb dynamodb_imports dynamodb_items jsonl jsonl_imports sqlite sqlite_imports sqlite_rows
        sqlite_schema validation
    """,
    "traffic": """
        coverage downloads encodings import_records merge model news observation periods provenance record_file records
        serialization stars workflow_runs
    """,
    "views": "plain_text report_log",
}
"""The modules in the zip by their folder, each folder with its `__init__`."""


@pytest.mark.e2e
def test_the_zip_holds_only_what_the_lambda_runs(tmp_path: Path) -> None:
    """The zip has no demonstration, doctor, backup, rebuild or command line, and one module of the views."""
    copy_package(tmp_path)
    package = tmp_path / "ghtraffic_action"
    expected = {Path(folder, f"{name}.py") for folder, names in LISTED.items() for name in [*names.split(), "__init__"]}
    assert {path.relative_to(package) for path in package.rglob("*.py")} == expected


@pytest.mark.e2e
def test_the_handler_can_be_imported_from_it(tmp_path: Path) -> None:
    """The zip has every module that the handler imports."""
    copy_package(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {HANDLER} as it; print(it.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(tmp_path))


@pytest.mark.e2e
def test_the_report_page_is_written_from_it(tmp_path: Path) -> None:
    """The zip has the page's frame, style and script: it writes the same page as this checkout."""
    copy_package(tmp_path)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from ghtraffic_action.page.writer import write_page
sys.stdout.buffer.write(write_page(b""))
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True)
    assert done.stdout == write_page(b"")
