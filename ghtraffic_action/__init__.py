"""ghtraffic keeps a GitHub repository's traffic for ever."""

__version__ = "0.1.0"
