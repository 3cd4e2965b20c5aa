"""Explains failed connections to GitHub."""

import logging
import os
import re
from urllib.parse import urlsplit

from requests.exceptions import InvalidProxyURL, InvalidSchema, ProxyError, RequestException
from urllib3.exceptions import HTTPError

from ghtraffic_action.github.errors import GitHubApiError, invalid_response

log = logging.getLogger(__name__)

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PASSWORD = re.compile(r"//[^/@\s]*@")


def network_error(error: Exception, url: str) -> GitHubApiError:
    """Return the error for a failed connection to `url`; logs the cause for `-v`."""
    words = _PASSWORD.sub("//", str(error))
    log.info("GitHub cannot be reached: %s", words)
    if isinstance(error, OSError) and not isinstance(error, RequestException):
        return _certificate_file_error()
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return _unknown_certificate_error()
    if any(sign in words for sign in ("X509", "NO_CERTIFICATE_OR_CRL", "PEM lib")):
        return _certificate_file_error()
    if isinstance(error, ProxyError | InvalidProxyURL | InvalidSchema) or "roxy" in type(error).__name__ + words:
        return _proxy_error(error, url)
    if isinstance(error, HTTPError) and (proxy := _proxy_variable(url)):
        return _fatal(f"the address in {proxy} is malformed ({type(error).__name__})", f"correct or unset {proxy}")
    return GitHubApiError(
        f"GitHub cannot be reached ({type(error).__name__})",
        "check the network, and HTTPS_PROXY if there is a proxy, and run again",
        transient=True,
    )


def library_error(error: Exception, url: str) -> GitHubApiError:
    """Return the error for an unexpected exception of the HTTP library."""
    variable = _proxy_variable(url)
    log.info("PyGithub failed: %r", error)
    if variable and not urlsplit(os.environ[variable]).hostname:
        return _proxy_error(error, url)
    return invalid_response(f"the library cannot read it ({type(error).__name__})")


def _certificate_file_error() -> GitHubApiError:
    variable = _set_variable(_CA_VARIABLES)
    if not variable:
        return _fatal("the file of trusted certificates cannot be read", "install the requirements again (certifi)")
    what = f"the file of trusted certificates that {variable} names cannot be read or has no certificates"
    return _fatal(what, f"name a PEM file that this user can read, or unset {variable}")


def _unknown_certificate_error() -> GitHubApiError:
    variable = _set_variable(_CA_VARIABLES)
    what = "this machine does not trust GitHub's certificate: a proxy in between may have replaced it"
    if variable:
        return _fatal(what, f"add the certificate of your network to the file that {variable} names")
    return _fatal(what, "set REQUESTS_CA_BUNDLE to a PEM file with the certificate of your network")


def _proxy_error(error: Exception, url: str) -> GitHubApiError:
    variable = _proxy_variable(url) or "HTTPS_PROXY"
    what = f"the proxy that {variable} names cannot be used ({type(error).__name__})"
    remedy = f"correct or unset {variable}, or add {urlsplit(url).hostname} to NO_PROXY"
    transient = isinstance(error, ProxyError)
    return GitHubApiError(what, remedy, transient=transient, fatal=not transient, subject="GitHub")


def _fatal(what: str, remedy: str) -> GitHubApiError:
    return GitHubApiError(what, remedy, fatal=True, subject="GitHub")


def _proxy_variable(url: str) -> str:
    scheme = urlsplit(url).scheme
    return _set_variable(tuple(name for kind in (scheme, "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())))


def _set_variable(names: tuple[str, ...]) -> str:
    return next((name for name in names if os.environ.get(name)), "")
