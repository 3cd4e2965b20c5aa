"""The packaged template and workflow."""

from pathlib import Path

_HERE = Path(__file__).parent
_SOURCES = {"base.yaml": "infra/base.yaml", "traffic.yml": "examples/traffic.yml"}


def read_packaged(name: str) -> str:
    """Return `base.yaml` or `traffic.yml`, from the wheel or the checkout."""
    path = _HERE / name
    return (path if path.exists() else _HERE.parents[1] / _SOURCES[name]).read_text(encoding="utf-8")
