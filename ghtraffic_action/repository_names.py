"""The form of the names that owners and repositories have on GitHub."""

import re

OWNER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
NAME_PATTERN = r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}"
REPOSITORY_NAME = re.compile(rf"{OWNER_PATTERN}/{NAME_PATTERN}")
"""A repository's full name."""
