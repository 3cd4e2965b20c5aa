"""Programs that tests need and that a machine may lack."""

import os

import pytest


def require(found: object, missing: str) -> None:
    """Skip a test that lacks a program; in CI that is a failure."""
    if not found:
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
