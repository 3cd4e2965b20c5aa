"""The bodies of GitHub's REST answers about repositories and their traffic."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ghtraffic_action.standin.graphql_schema import Budget, privacy, write_created, write_moment
from ghtraffic_action.standin.recorded import Series, Traffic
from ghtraffic_action.standin.repositories import Repository

WEB = "https://github.com"
PATH_NAMES = ("path", "title", "count", "uniques")
REFERRER_NAMES = ("referrer", "count", "uniques")
ENDPOINTS = {
    "assignees": "{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "{/branch}",
    "collaborators": "{/collaborator}",
    "comments": "{/number}",
    "commits": "{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "",
    "deployments": "",
    "downloads": "",
    "events": "",
    "forks": "",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "{/number}",
    "keys": "{/key_id}",
    "labels": "{/name}",
    "languages": "",
    "merges": "",
    "milestones": "{/number}",
    "notifications": "{?since,all,participating}",
    "pulls": "{/number}",
    "releases": "{/id}",
    "stargazers": "",
    "statuses": "/statuses/{sha}",
    "subscribers": "",
    "subscription": "",
    "tags": "",
    "teams": "",
    "trees": "/git/trees{/sha}",
}
"""What follows the repository's address in each `…_url`: an ending that starts with a whole path, or one to append."""
OWNER_ENDPOINTS = {
    "followers": "/followers",
    "following": "/following{/other_user}",
    "gists": "/gists{/gist_id}",
    "starred": "/starred{/owner}{/repo}",
    "subscriptions": "/subscriptions",
    "organizations": "/orgs",
    "repos": "/repos",
    "events": "/events{/privacy}",
    "received_events": "/received_events",
}


def write_traffic(traffic: Traffic, what: str, now: datetime) -> Any:  # noqa: ANN401 - what becomes JSON
    """Answer one of the four traffic endpoints, named as in its address: `views`, `popular/paths` and so on."""
    match what:
        case "views":
            return write_series(what, traffic.views(now))
        case "clones":
            return write_series(what, traffic.clones(now))
        case "popular/paths":
            return [dict(zip(PATH_NAMES, row, strict=True)) for row in traffic.paths(now)]
        case _:
            return [dict(zip(REFERRER_NAMES, row, strict=True)) for row in traffic.referrers(now)]


def write_series(metric: str, series: Series) -> dict[str, Any]:
    """Write one answer of the views or the clones endpoint."""
    rows = [
        {"timestamp": f"{day.isoformat()}T00:00:00Z", "count": count, "uniques": uniques}
        for day, count, uniques in series.rows
    ]
    return {"count": series.count, "uniques": series.uniques, metric: rows}


def write_repository(repository: Repository, url: str) -> dict[str, Any]:
    """Write the full description of a repository, for the API at `url`.

    Two names mislead, as they do at GitHub: `watchers_count` is the stars, `open_issues_count` has the pull requests.
    """
    created = write_created(repository)
    pushed = write_moment(repository.pushed) if repository.pushed else created
    open_ = repository.open_issues + repository.open_pull_requests
    return {
        **_addresses(repository, url),
        **_constants(),
        "id": repository.id,
        "node_id": f"R_{repository.id}",
        "name": repository.name.partition("/")[2],
        "full_name": repository.name,
        "owner": write_owner(repository, url),
        "private": repository.private,
        "visibility": privacy(repository).lower(),
        "fork": repository.fork,
        "archived": repository.archived,
        "created_at": created,
        "updated_at": pushed,
        "pushed_at": pushed,
        **dict.fromkeys(("stargazers_count", "watchers", "watchers_count"), repository.stars),
        **dict.fromkeys(("forks", "forks_count", "network_count"), repository.forks),
        **dict.fromkeys(("open_issues", "open_issues_count"), open_),
        "subscribers_count": repository.watchers,
    }


def write_owner(repository: Repository, url: str) -> dict[str, Any]:
    """Write the short description of a repository's owner."""
    address = f"{url}/users/{repository.owner}"
    return {
        "login": repository.owner,
        "id": 1,
        "node_id": "U_1",
        "avatar_url": f"{WEB}/{repository.owner}.png",
        "gravatar_id": "",
        "url": address,
        "html_url": f"{WEB}/{repository.owner}",
        **{f"{name}_url": address + ending for name, ending in OWNER_ENDPOINTS.items()},
        "type": "User",
        "site_admin": False,
    }


def write_rate_limit(budgets: Mapping[str, Budget]) -> dict[str, Any]:
    """Write what is left of each resource's hour."""
    resources = {
        name: {
            "limit": budget.limit,
            "used": budget.limit - budget.remaining,
            "remaining": budget.remaining,
            "reset": int(budget.reset.timestamp()),
        }
        for name, budget in budgets.items()
    }
    return {"resources": {**resources, "search": resources["core"]}, "rate": resources["core"]}


def _addresses(repository: Repository, url: str) -> dict[str, str]:
    address, page = f"{url}/repos/{repository.name}", f"{WEB}/{repository.name}"
    addresses = {
        f"{name}_url": address + (ending if ending.startswith("/") else f"/{name}{ending}")
        for name, ending in ENDPOINTS.items()
    }
    return addresses | {
        "url": address,
        "archive_url": f"{address}/{{archive_format}}{{/ref}}",
        "html_url": page,
        "svn_url": page,
        "clone_url": f"{page}.git",
        "git_url": f"git://github.com/{repository.name}.git",
        "ssh_url": f"git@github.com:{repository.name}.git",
    }


def _constants() -> dict[str, Any]:
    yes = ("has_issues", "has_projects", "has_wiki", "has_downloads", "allow_forking")
    no = ("has_pages", "has_discussions", "disabled", "is_template", "web_commit_signoff_required")
    return {
        **dict.fromkeys(yes, True),
        **dict.fromkeys(no, False),
        **dict.fromkeys(("homepage", "mirror_url", "license", "language")),
        "description": "Invented",
        "size": 108,
        "default_branch": "main",
        "topics": [],
        "permissions": dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), True),
    }
