"""What the tests of `ghtraffic doctor` share: findings by their texts, and a proxy that denies rights."""

import re
from dataclasses import replace

from ghtraffic_action.doctor import Finding
from tests.support.fault_proxy import FaultProxy, Reply, Request, dynamodb_error, s3_error

Findings = dict[str, Finding]


class Front:
    """A proxy before AWS that records each request as a line, and denies those that `denied` matches."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.asked: list[str] = []
        self.denied = ""
        proxy.fault = self._answer

    def _answer(self, request: Request) -> Reply | None:
        service = request.headers.get("Authorization", "////").split("/")[3]
        line = f"{service} {request.method} {request.path} {request.headers.get('X-Amz-Target', '')}".strip()
        self.asked.append(line)
        if not self.denied or not re.search(self.denied, line):
            return None
        if service == "dynamodb":
            return dynamodb_error("AccessDeniedException")
        denied = s3_error("AccessDenied")
        return (
            denied
            if service == "s3"
            else replace(denied, content=b"<ErrorResponse>%b</ErrorResponse>" % denied.content)
        )


def problems(found: Findings) -> list[str]:
    """Return the texts of the problems."""
    return [what for what, finding in found.items() if finding.state == "problem"]


def unknown(found: Findings) -> list[str]:
    """Return the texts of what is unknown."""
    return [what for what, finding in found.items() if finding.state == "unknown"]
