"""What a GitHub Actions job lacks: inputs, credentials, a checkout to keep files in."""

from collections.abc import Iterator, Mapping
from pathlib import Path

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
_REGIONS = ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE")


def why_empty(kind: str, environ: Mapping[str, str]) -> str:
    """Return why a job's secret or variable can be empty though its input is set."""
    if kind == "secret" and environ.get("GITHUB_ACTOR") == "dependabot[bot]":
        return "this run is Dependabot's, which sees none of the Actions secrets: run it on the schedule or by hand."
    if kind == "secret" and environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        return "this run is for a pull request, which sees no secrets if it comes from a fork or Dependabot."
    hidden = "a fork or Dependabot" if kind == "secret" else "a fork"
    return (
        f"check that the {kind} is set for this repository (Settings, Secrets and variables, Actions) under the name "
        f"in the workflow, that the job names its environment if it has one, and that the run is not of {hidden}."
    )


def missing_aws(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield missing inputs that AWS needs on GitHub's own runners, with explanations."""
    if environ.get("RUNNER_ENVIRONMENT") != "github-hosted":
        return  # another runner may have credentials of its own
    if not any(environ.get(name) for name in _CREDENTIALS):
        yield "role-to-assume", "it is empty, and the job has no AWS credentials"
    if not any(environ.get(name) for name in _REGIONS):
        yield "aws-region", "it is empty, and the job has no AWS region"


def is_in_checkout(path: str) -> bool:
    """Return whether a file is in a checkout, where a later step can commit it."""
    return any((folder / ".git").exists() for folder in Path(path).resolve().parents)
