"""The boundary to PyGithub: its options, its exceptions as our errors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from github import GithubException
from requests.exceptions import RequestException, RetryError
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ghtraffic_action import __version__
from ghtraffic_action.github.errors import GitHubApiError, InvalidResponseError, invalid_response, server_error
from ghtraffic_action.github.network import network_error

_TIMEOUT = 20
"""Timeout of an attempt in seconds."""

CLIENT_OPTIONS: dict[str, Any] = {
    "timeout": _TIMEOUT,
    # The rate limiter retries. A 202 is an error here, since PyGithub would retry it forever.
    "retry": Retry(0, read=False, status_forcelist=(202,), allowed_methods=None, respect_retry_after_header=False),
    "seconds_between_requests": 0,
    "seconds_between_writes": 0,
    "user_agent": f"ghtraffic/{__version__}",
}
"""Options of clients that neither pause nor retry."""

_T = TypeVar("_T")
_ToError = Callable[[int, str, Mapping[str, str]], GitHubApiError]


def translate_errors(send: Callable[[], _T], to_error: _ToError, url: str) -> _T:
    """Send a request to `url`, with PyGithub's exceptions as our errors.

    Raises GitHubApiError, which `to_error` makes from the response's status and message.
    """
    try:
        return send()
    except GithubException as error:
        raise _response_error(error, to_error) from error
    except InvalidResponseError as error:
        raise invalid_response(str(error)) from error
    except RetryError as error:
        raise server_error("202, its answer is not ready yet") from error
    except (RequestException, HTTPError, OSError) as error:
        raise network_error(error, url) from error
    except RecursionError as error:  # a loop of redirects has taken hundreds of requests
        what = "it redirects the request in a loop, or its JSON is nested too deeply"
        raise replace(invalid_response(what), attempts=1) from error
    except RuntimeError as error:  # a redirect that PyGithub does not follow
        raise invalid_response("it redirects the request to another host, or in a loop") from error
    except (ValueError, OverflowError) as error:
        what = f"its JSON or one of its headers is malformed ({type(error).__name__})"
        raise invalid_response(what) from error


def _response_error(error: GithubException, to_error: _ToError) -> GitHubApiError:
    data = error.data if isinstance(error.data, Mapping) else {}
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    return to_error(error.status, str(data.get("message") or ""), headers)
