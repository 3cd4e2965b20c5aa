"""The template and the workflow that come with the package."""

from pathlib import Path

_HERE = Path(__file__).parent
_SOURCES = {"base.yaml": "infra/base.yaml", "traffic.yml": "examples/traffic.yml"}


def packaged(name: str) -> str:
    """Return the text of `base.yaml` or `traffic.yml`: of the wheel, or of the checkout that this runs from."""
    path = _HERE / name
    return (path if path.exists() else _HERE.parents[1] / _SOURCES[name]).read_text(encoding="utf-8")
