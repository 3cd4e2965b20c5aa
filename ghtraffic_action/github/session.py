"""How PyGithub's clients are made, and what its errors mean."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from github import GithubException
from requests.exceptions import RequestException

from ghtraffic_action import __version__
from ghtraffic_action.github.errors import GitHubApiError, error_from_response
from ghtraffic_action.github.responses import InvalidResponseError

_TIMEOUT = 20
"""Seconds until an attempt is given up."""

CLIENT_OPTIONS: dict[str, Any] = {
    "timeout": _TIMEOUT,
    "retry": None,
    "seconds_between_requests": 0,
    "seconds_between_writes": 0,
    "user_agent": f"ghtraffic/{__version__}",
}
"""Clients that neither pause nor try again, since the pacer does."""

_T = TypeVar("_T")
_Refuse = Callable[[int, str, Mapping[str, str]], GitHubApiError]


def translate_errors(request: Callable[[], _T], refuse: _Refuse) -> _T:
    """Send a request, and say in our words what went wrong with it."""
    try:
        return request()
    except GithubException as error:
        raise _refused(error, refuse) from error
    except InvalidResponseError as error:
        raise _nonsense(str(error)) from error
    except RequestException as error:
        raise GitHubApiError(
            f"GitHub cannot be reached ({type(error).__name__})",
            "check the network and GITHUB_API_URL, and run again",
            transient=True,
        ) from error
    except (ValueError, RuntimeError) as error:
        raise _nonsense(f"it is no whole JSON ({type(error).__name__})") from error


def _refused(error: GithubException, refuse: _Refuse) -> GitHubApiError:
    data = error.data if isinstance(error.data, Mapping) else {}
    errors = data.get("errors")
    first = errors[0] if errors and isinstance(errors, list) else {}
    message = str(data.get("message") or first.get("message") or "")
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    if first.get("type") in ("RATE_LIMITED", "RATE_LIMIT"):  # of GraphQL alone, told as a 200: REST has its own hour
        return replace(error_from_response(429, message, headers), transient=False, wait=0.0)
    return refuse(error.status, message, headers)


def _nonsense(what: str) -> GitHubApiError:
    return GitHubApiError(
        f"GitHub's answer makes no sense: {what}; nothing of it was kept",
        "run again later; if it stays, report it",
        transient=True,
    )
