"""How one file is written while others write it too: compare-and-swap, again and again until it holds."""

import time
from collections.abc import Callable

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from ghtraffic_action.errors import DestinationError
from ghtraffic_action.exports.destination import Conflict, Destination, File, digest

_ATTEMPTS = 12

Render = Callable[[File | None], bytes]
"""Makes the new content from the file as it was read (None: there is none)."""


class Unread:
    """Stands for a file that nobody has read yet."""


UNREAD = Unread()


def compare_and_swap(  # noqa: PLR0913 - what is written, and how it is waited
    destination: Destination,
    key: str,
    render: Render,
    *,
    known: File | Unread | None = UNREAD,
    refresh: Callable[[File], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Write what `render` makes over the very version it was made from; return whether a write was needed.

    `known` is the file as it was read before the store was. One that is read later, also after somebody else was
    faster, may hold what the store was told in the meantime: `refresh` then has the occasion to ask the store again.
    Raises DestinationError.
    """

    def attempt() -> bool:
        nonlocal known
        current = known
        known = UNREAD
        if isinstance(current, Unread):
            current = destination.read(key)
            if current:
                refresh(current)
        content = render(current)
        if current and current.digest == digest(content):
            return False
        destination.write(key, content, current.version if current else None)
        return True

    retrying = Retrying(
        retry=retry_if_exception_type(Conflict),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_attempt(_ATTEMPTS),
        sleep=sleep,
    )
    try:
        return retrying(attempt)
    except RetryError as error:
        raise DestinationError(
            f"export-to {destination.uri(key)}: others kept writing it for {_ATTEMPTS} attempts: run again later"
        ) from error
