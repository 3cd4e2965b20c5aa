"""Actions variables and secrets of a repository, for `setup`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from github import Auth, Github
from github.Repository import Repository

from ghtraffic_action.errors import GitHubError
from ghtraffic_action.github.errors import GitHubApiError
from ghtraffic_action.github.session import CLIENT_OPTIONS, translate_errors

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RepositoryFound:
    """A repository's Actions variables and secret names; `refused` lists missing permissions."""

    name: str
    id: int
    owner_id: int
    branch: str
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)


class RepositorySettings:
    """A repository's settings, with a token that can change them."""

    def __init__(self, name: str, token: str, url: str) -> None:
        """Use the API at `url`; sends no request."""
        self._name = name
        self._url = url
        self._github = Github(auth=Auth.Token(token), base_url=url, **CLIENT_OPTIONS)

    def look(self) -> RepositoryFound:
        """Read the settings. Raises GitHubError."""
        found = self._send(self._repository, "check the name, and that GH_TOKEN may read this repository")
        refused: dict[str, str] = {}
        variables: dict[str, str] = {}
        secrets: frozenset[str] = frozenset()
        try:
            variables = self._send(lambda: {one.name: one.value for one in found.get_variables()}, "")
        except GitHubError as error:
            refused["variable"] = str(error)
        try:
            secrets = self._send(lambda: frozenset(one.name for one in found.get_secrets()), "")
        except GitHubError as error:
            refused["secret"] = str(error)
        branch, owner = found.default_branch, found.owner.id
        return RepositoryFound(found.full_name, found.id, owner, branch, variables, secrets, refused)

    def set_variable(self, name: str, value: str, *, exists: bool) -> None:
        """Create or change a variable. Raises GitHubError."""

        def send() -> None:
            repository = self._repository()
            if not exists:
                repository.create_variable(name, value)
                return
            address = f"{repository.url}/actions/variables/{name}"
            repository.requester.requestJsonAndCheck("PATCH", address, input={"name": name, "value": value})

        self._send(send, "let GH_TOKEN write Variables")

    def set_secret(self, name: str, value: str) -> None:
        """Encrypt and set a secret. Raises GitHubError."""
        self._send(lambda: self._repository().create_secret(name, value), "let GH_TOKEN write Secrets")

    def close(self) -> None:
        """Close the connection."""
        self._github.close()

    def _repository(self) -> Repository:
        return self._github.get_repo(self._name)

    def _send(self, request: Callable[[], _T], remedy: str) -> _T:
        def to_error(status: int, message: str, _: Mapping[str, str]) -> GitHubApiError:
            known = status != 401  # noqa: PLR2004 - Unauthorized
            what = f"GitHub answered {status} {message[:200]!r}" if known else "GitHub does not know GH_TOKEN (401)"
            return GitHubApiError(what, remedy if known else "set GH_TOKEN to a token that has not ended")

        try:
            return translate_errors(request, to_error, self._url)
        except GitHubApiError as error:
            text = f"{error.what}: {error.remedy}" if error.remedy else error.what
            raise GitHubError(f"{self._name}: {text}", transient=error.transient) from error
