"""The Actions variables and secrets of repositories, kept as they are sent."""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from nacl.public import PrivateKey, SealedBox

from .refusals import Answer, Refusal

ADDRESS = re.compile(r"/repos/(?P<name>[^/]+/[^/]+)/actions/(?P<kind>variables|secrets)(?:/(?P<key>[A-Za-z0-9_-]+))?")
_WHEN = "2026-11-23T00:00:00Z"


@dataclass
class ActionsSettings:
    """The variables and secrets by repository and name; `secrets` are decrypted with the key that was given out."""

    variables: dict[tuple[str, str], str] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    _key: PrivateKey = field(default_factory=PrivateKey.generate)

    def answer(self, method: str, address: "re.Match[str]", body: bytes) -> Answer:
        """Answer a request for a repository that exists."""
        repository, kind, name = address["name"].lower(), address["kind"], address["key"]
        if method == "GET":
            return self._read(repository, kind, name)
        return Answer(201, {}) if self._write(method, repository, name, json.loads(body)) else Refusal.NOT_FOUND.value

    def _read(self, repository: str, kind: str, name: str | None) -> Answer:
        if kind == "secrets" and name == "public-key":
            return Answer(200, {"key_id": "1", "key": b64encode(bytes(self._key.public_key)).decode()})
        return Refusal.NOT_FOUND.value if name else Answer(200, self._list(repository, kind))

    def _write(self, method: str, repository: str, name: str | None, given: dict[str, Any]) -> bool:
        """Create or change what a request names; return whether it may be created, or exists to be changed."""
        if method == "PUT" and name and given["key_id"] == "1":
            clear = SealedBox(self._key).decrypt(b64decode(given["encrypted_value"])).decode()
            self.secrets[repository, name] = clear
            return True
        exists = (repository, given["name"]) in self.variables
        if method == ("PATCH" if exists else "POST") and name == (given["name"] if exists else None):
            self.variables[repository, given["name"]] = given["value"]
            return True
        return False

    def _list(self, repository: str, kind: str) -> dict[str, Any]:
        kept = self.variables if kind == "variables" else self.secrets
        dates = {"created_at": _WHEN, "updated_at": _WHEN}
        found = [
            {"name": name, **dates, **({"value": value} if kind == "variables" else {})}
            for (owner, name), value in kept.items()
            if owner == repository
        ]
        return {"total_count": len(found), kind: found}
