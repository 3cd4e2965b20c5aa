"""Standard streams that survive failed writes, unencodable characters and progress bars."""

import io
import logging
import sys
from typing import Any, TextIO

from ghtraffic_action.errors import UserError


class OutputError(UserError):
    """The standard output cannot be written."""


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Logs to the current standard error, as progress bars replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler. Without a standard error nothing is logged."""
        if sys.stderr:
            self.setStream(sys.stderr)
            super().emit(record)


class _Output(io.FileIO):
    """Raises OutputError for the first failed write only."""

    _failed = False

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever has a buffer
        """See FileIO. A closed pipe, as of `head`, is fine."""
        if self._failed:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self._failed = True
            return len(data)
        except OSError as error:
            self._failed = True
            what = f"the standard output cannot be written ({error.strerror})"
            raise OutputError(f"{what}: send it elsewhere") from error


def prepare_standard_streams() -> None:
    """Raise OutputError for failed writes; replace unencodable characters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and isinstance(getattr(out.buffer, "raw", None), io.FileIO):
        raw = _Output(out.fileno(), "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=out.encoding, errors="replace", line_buffering=out.line_buffering
        )
