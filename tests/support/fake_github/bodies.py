"""The bodies of GitHub's REST answers about repositories and rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ghtraffic_action.demo.fake_github import description, write_moment

from .catalogue import Release, Repository

WEB = "https://github.com"
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


@dataclass(frozen=True)
class Budget:
    """The points of an hour and what is left of them."""

    limit: int
    remaining: int
    reset: datetime


def visibility(repository: Repository) -> str:
    """Return a repository's visibility as GraphQL spells it."""
    return "PRIVATE" if repository.private else "PUBLIC"


def write_repository(repository: Repository, url: str) -> dict[str, Any]:
    """Write the full description of a repository, for the API at `url`.

    Two names mislead, as they do at GitHub: `watchers_count` is the stars, `open_issues_count` has the pull requests.
    """
    described = description(repository)
    open_ = repository.open_issues + repository.open_pull_requests
    return {
        **_addresses(repository, url),
        **_constants(),
        **described,
        "node_id": f"R_{repository.id}",
        "owner": write_owner(repository, url),
        "visibility": visibility(repository).lower(),
        "fork": repository.fork,
        "topics": list(repository.topics),
        "updated_at": described["pushed_at"],
        **dict.fromkeys(("watchers", "watchers_count"), repository.stars),
        **dict.fromkeys(("forks", "network_count"), repository.forks),
        **dict.fromkeys(("open_issues", "open_issues_count"), open_),
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


def write_release(repository: Repository, release: Release, url: str) -> dict[str, Any]:
    """Write a release with its assets."""
    number = repository.releases.index(release) + 1
    address, page = f"{url}/repos/{repository.name}/releases", f"{WEB}/{repository.name}/releases"
    created = write_moment(release.created)
    return {
        "url": f"{address}/{number}",
        "html_url": f"{page}/tag/{release.tag}",
        "assets_url": f"{address}/{number}/assets",
        "upload_url": f"{address}/{number}/assets{{?name,label}}",
        "tarball_url": None,
        "zipball_url": None,
        "id": number,
        "node_id": f"RE_{number}",
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.tag,
        "body": "",
        "draft": release.published is None,
        "prerelease": False,
        "created_at": created,
        "published_at": write_moment(release.published) if release.published else None,
        "author": write_owner(repository, url),
        "assets": [
            {
                "url": f"{address}/assets/{place}",
                "browser_download_url": f"{page}/download/{release.tag}/{name}",
                "id": place,
                "node_id": f"RA_{place}",
                "name": name,
                "label": None,
                "state": "uploaded",
                "content_type": "application/zip",
                "size": 1024,
                "digest": None,
                "download_count": count,
                "created_at": created,
                "updated_at": created,
                "uploader": write_owner(repository, url),
            }
            for place, (name, count) in enumerate(release.assets, 1)
        ],
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
