"""ghtraffic keeps a GitHub repository's traffic forever."""

__version__ = "0.1.0"
