"""The modules of the Lambda's zip."""

import subprocess
import sys
from pathlib import Path

import pytest

from ghtraffic_action.page.writer import write_page
from infra.package import HANDLER, copy_package

LISTED = {
    "__init__.py",
    "addresses.py",
    "alerts.py",
    "api_address.py",
    "aws.py",
    "aws_environment.py",
    "aws_errors.py",
    "collect.py",
    "discovery.py",
    "errors.py",
    "exports",
    "extras.py",
    "files.py",
    "fleet",
    "github",
    "heartbeat.py",
    "invocation.py",
    "job.py",
    "lambda_handler.py",
    "notification.py",
    "page",
    "plan.py",
    "redaction.py",
    "report.py",
    "results.py",
    "repository_names.py",
    "run_report.py",
    "runtime.py",
    "secrets.py",
    "setting_names.py",
    "settings",
    "stores",
    "tolerance.py",
    "typed_text.py",
    "traffic",
    "views",
}


@pytest.mark.e2e
def test_the_zip_holds_only_what_the_lambda_runs(tmp_path: Path) -> None:
    """No demonstration, doctor, backup or command line; of the views only those that a run imports."""
    copy_package(tmp_path)
    package = tmp_path / "ghtraffic_action"
    assert {path.name for path in package.iterdir()} == LISTED
    assert {path.name for path in (package / "views").iterdir()} == {"__init__.py", "plain_text.py"}
    assert not list(tmp_path.rglob("*verify*")) + list(tmp_path.rglob("*rebuild*"))


@pytest.mark.e2e
def test_the_handler_can_be_imported_from_it(tmp_path: Path) -> None:
    """Every module that the handler needs is there."""
    copy_package(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {HANDLER} as it; print(it.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(tmp_path))


@pytest.mark.e2e
def test_the_report_page_is_written_from_it(tmp_path: Path) -> None:
    """The page's frame, style and script are there: the page is the one that this checkout writes."""
    copy_package(tmp_path)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from ghtraffic_action.page.writer import write_page
sys.stdout.buffer.write(write_page(b""))
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True)
    assert done.stdout == write_page(b"")
