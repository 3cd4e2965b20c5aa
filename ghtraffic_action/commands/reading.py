"""Reads a command's settings from flags and environment."""

import logging
import os
from collections.abc import Mapping

from ghtraffic_action.settings import Command, Settings, read_settings

log = logging.getLogger("ghtraffic_action")


def read_and_warn(command: Command, flags: Mapping[str, str | None]) -> Settings:
    """Read a command's settings and log their warnings."""
    settings = read_settings(command, os.environ, flags)
    for warning in settings.warnings:
        log.warning("%s", warning)
    return settings
