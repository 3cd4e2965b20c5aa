"""Resolves to which repository the rows of a file belong."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ghtraffic_action.errors import ForeignFileError, UserError
from ghtraffic_action.importing.model import Claim
from ghtraffic_action.repository_names import NAME_PATTERN, OWNER_PATTERN, REPOSITORY_NAME
from ghtraffic_action.traffic.model import History

_GHRS = re.compile(rf"(?:^|/)({OWNER_PATTERN}/{NAME_PATTERN})/ghrs-data(?=/|$)")
_BADGE = re.compile(rf"(?:^|/)traffic-({NAME_PATTERN})(?=/|$)")

_NAME_IT = "add --repository OWNER/NAME, or --repository-id ID"


@dataclass(frozen=True, slots=True)
class Identity:
    """A repository's GitHub id and its latest known name."""

    id: int
    name: str


LookUp = Callable[[str], Identity]
"""Looks a repository up by its name, also a former one. Raises UserError if GitHub does not know it."""


@dataclass(slots=True)
class KnownNames:
    """The repository names in a store: the newest by id, and ids by any name."""

    newest: dict[int, str] = field(default_factory=dict)
    ids: dict[str, set[int]] = field(default_factory=dict)

    def add(self, history: History) -> None:
        """Add the names of a history."""
        days, snapshots = ([record.repository for record in found] for found in (history.days, history.snapshots))
        for name in {name.lower() for name in (*days, *snapshots)}:
            self.ids.setdefault(name, set()).add(history.repository_id)
        if named := snapshots or days:
            self.newest[history.repository_id] = named[-1]


def name_in_path(path: Path) -> str:
    """Return a path's repository: OWNER/NAME, NAME, or nothing."""
    found = _GHRS.findall(path.as_posix()) or _BADGE.findall(path.as_posix())
    return str(found[-1]) if found else ""


class Ownership:
    """Resolves files' claims by store, GitHub and user."""

    def __init__(self, repository: str, repository_id: int | None, known: KnownNames, look_up: LookUp) -> None:
        """Use the user's `repository` and `repository_id`, if set. Raises ForeignFileError."""
        if repository and not REPOSITORY_NAME.fullmatch(repository):
            raise ForeignFileError(f"repository: {repository!r} is not a repository: write OWNER/NAME")
        self._repository = repository
        self._id = repository_id
        self._known = known
        self._look_up = look_up
        self._looked_up: dict[str, Identity] = {}

    def resolve(self, claims: Iterable[Claim]) -> Mapping[Claim, Identity]:
        """Return the repository of each claim, without repositories that the user excludes.

        Raises ForeignFileError if one cannot be known, or if the store knows a name under another id.
        """
        claims = sorted(claims, key=lambda claim: (claim.name.lower(), claim.id or 0))
        target = self._target(claims)
        found = {claim: who for claim in claims if (who := self._of(claim, target, claims))}
        return {claim: who for claim, who in found.items() if target is None or who.id == target.id}

    def _target(self, claims: Iterable[Claim]) -> Identity | None:
        if self._id is None:
            return self._by_name(self._repository) if self._repository else None
        names = {claim.name for claim in claims if "/" in claim.name}
        only = names.pop() if len(names) == 1 else ""
        name = self._repository or self._known.newest.get(self._id) or only
        if not name:
            raise ForeignFileError("repository-id: the repository's name is not known: add --repository OWNER/NAME")
        return self._checked(Identity(self._id, name))

    def _of(self, claim: Claim, target: Identity | None, claims: Iterable[Claim]) -> Identity | None:
        if claim.id is not None:
            return self._checked(Identity(claim.id, self._known.newest.get(claim.id, claim.name)))
        if not claim.name:
            if target is None:
                raise ForeignFileError(f"the files do not name a repository: {_NAME_IT}")
            return target
        if target is not None:
            return self._as_target_or_other(claim, target, claims)
        if "/" not in claim.name:
            raise ForeignFileError(f"the files name {claim.name!r} without an owner: {_NAME_IT}")
        return self._by_name(claim.name)

    def _as_target_or_other(self, claim: Claim, target: Identity, claims: Iterable[Claim]) -> Identity | None:
        """Return the user's repository if the claim matches it, else the claimed one.

        Return None if the claimed repository is unknown.
        """
        name = claim.name if "/" in claim.name else f"{target.name.partition('/')[0]}/{claim.name}"
        same = name.lower() in (target.name.lower(), self._repository.lower())
        former = target.id in self._known.ids.get(name.lower(), ())
        alone = len({other.name.lower() for other in claims if other.by_path == claim.by_path and other.name}) == 1
        if same or former or (alone and (claim.by_path or self._id is not None)):
            return target
        return self._elsewhere(name)

    def _elsewhere(self, name: str) -> Identity | None:
        """Look up a name other than the user's repository's, which can be a former one."""
        if self._id is not None:
            return None
        try:
            return self._by_name(name)
        except UserError:
            return None

    def _by_name(self, name: str) -> Identity:
        ids = self._known.ids.get(name.lower(), set())
        if len(ids) > 1:
            which = " and ".join(map(str, sorted(ids)))
            raise ForeignFileError(f"{name}: the store knows the ids {which} under this name: add --repository-id ID")
        if ids:
            (known,) = ids
            return Identity(known, self._known.newest[known])
        if name.lower() not in self._looked_up:
            self._looked_up[name.lower()] = self._checked(self._look_up(name))
        return self._looked_up[name.lower()]

    def _checked(self, who: Identity) -> Identity:
        if not REPOSITORY_NAME.fullmatch(who.name):
            raise ForeignFileError(f"{who.name!r} of id {who.id} is not a repository's name: {_NAME_IT}")
        ids = self._known.ids.get(who.name.lower(), set())
        if ids and who.id not in ids:
            others = " and ".join(map(str, sorted(ids)))
            what = f"it has the id {who.id}, but the store knows the name under {others}"
            raise ForeignFileError(f"{who.name}: {what}: another repository has had this name, so check whose it is")
        return who
