"""Finds what would keep a run from working, and changes nothing."""

import base64
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Literal

import requests
from botocore.exceptions import BotoCoreError, ClientError

from ghtraffic_action import aws
from ghtraffic_action.collect import credentials, select
from ghtraffic_action.errors import UserError
from ghtraffic_action.github_api import GitHub
from ghtraffic_action.machine import Machine, utc_now
from ghtraffic_action.pacing import Pacer
from ghtraffic_action.settings import Settings
from ghtraffic_action.stores.dynamodb import CREATE
from ghtraffic_action.stores.sqlite import APPLICATION

State = Literal["ok", "problem", "unknown"]

_SIGNS: Mapping[State, str] = {"ok": "✓", "problem": "✗", "unknown": "?"}
_TIMEOUT = 20
_AUDIENCE = "sts.amazonaws.com"

_TOKENS: tuple[tuple[str, str, State], ...] = (
    ("github_pat_", "a fine-grained token", "ok"),
    ("ghp_", "a classic token, which may do far more than read traffic", "ok"),
    ("gho_", "an OAuth token, as `gh auth token` prints it: it ends when its owner logs out", "ok"),
    ("ghs_", "an App's token for an hour, or the job's own GITHUB_TOKEN, which can never read traffic", "unknown"),
)

_TOP_OF_THE_HOUR = re.compile(r"(?:.*,)?(?:0+(?:[-/].*)?|\*.*)(?:,.*)?")
_CRON = re.compile(r"""^\s*-?\s*cron:\s*["']?(?P<minute>\S+)\s""", re.MULTILINE)
_WILDCARDS = {"*": ".*", "?": "."}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; of a problem also why it matters and what cures it, of what is unknown why it is."""

    what: str
    state: State = "ok"
    why: str = ""
    cure: str = ""


def examine(
    settings: Settings, environ: Mapping[str, str], *, stop: Event, clock: Callable[[], datetime] = utc_now
) -> tuple[Finding, ...]:
    """Look at all that a run with these settings needs. Raises Interrupted when `stop` is set meanwhile."""
    findings = [*_github(settings, stop, clock)]
    findings += _places(settings, environ)
    return (*findings, *_schedules(Path(".github/workflows")))


def exit_code(findings: tuple[Finding, ...]) -> int:
    """0 where there is no problem; what is unknown is none."""
    return int(any(finding.state == "problem" for finding in findings))


def shown(findings: tuple[Finding, ...]) -> str:
    """Write a line for each finding, and below a problem why it matters and what cures it."""
    return "\n".join(line for finding in findings for line in _lines(finding))


def written(findings: tuple[Finding, ...]) -> str:
    """Write the findings as one JSON object."""
    return json.dumps({"findings": [asdict(found) for found in findings], "exit_code": exit_code(findings)}, indent=2)


def _lines(finding: Finding) -> Iterator[str]:
    unknown = f" ({finding.why})" if finding.state == "unknown" and finding.why else ""
    yield f"{_SIGNS[finding.state]} {finding.what}{unknown}"
    if finding.state == "problem":
        yield from (f"    {label}: {text}" for label, text in (("why", finding.why), ("cure", finding.cure)) if text)


def _github(settings: Settings, stop: Event, clock: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        given = credentials(settings)
        yield _kind(given) if isinstance(given, str) else Finding(f"github-app: {given.id}, with a key")
        with closing(GitHub(given, settings.github_api_url, Pacer(stop), Machine(stop, now=clock))) as github:
            yield from _traffic(github, settings)
            yield from _warned(github)
            if github.token_ends and not github.warnings:
                yield Finding(f"github-token: it ends on {github.token_ends:%Y-%m-%d}")
    except UserError as error:
        yield Finding(str(error), "problem", "without GitHub's answers nothing can be collected")


def _kind(token: str) -> Finding:
    for prefix, what, state in _TOKENS:
        if token.startswith(prefix):
            return Finding(f"github-token: {what}", state)
    return Finding("github-token: of a kind that is not known here", "unknown")


def _traffic(github: GitHub, settings: Settings) -> Iterator[Finding]:
    described = github.describe(select(settings.repositories, github.names))
    refused = {**described.refused, **github.refusals(described.found)}
    for name, refusal in sorted(refused.items()):
        yield Finding(f"{name}: {refusal.what}", "problem", "its traffic cannot be read", refusal.cure)
    readable = len(described.found) - sum(found.name in refused for found in described.found)
    if readable:
        yield Finding(f"repositories: the traffic of {readable} can be read")
    elif not refused:
        what = "repositories: none is left to collect"
        yield Finding(what, "problem", "a run would end with an error", "name one that is not excluded")


def _warned(github: GitHub) -> Iterator[Finding]:
    for warning in github.warnings:
        where, _, what = warning.partition(": ")
        what, _, cure = what.partition(": ")
        yield Finding(f"{where}: {what}", "problem", "days will be lost when it is too late", cure)


def _places(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    table, bucket = settings.store.startswith("dynamodb://"), settings.export_to.startswith("s3://")
    known = True
    if table or bucket:
        role, identity = _identity()
        known = identity.state != "problem"  # or else everything of AWS would say the same again
        yield identity
        if settings.ephemeral == "Actions":
            yield from _subject(environ, role if known else "")
    if known or not table:
        yield from _store(settings.store)
    if known or not bucket:
        yield from _destination(settings.export_to)


def _identity() -> tuple[str, Finding]:
    """Tell the name of the role that is assumed (empty: none), and who AWS says this is."""
    try:
        with closing(aws.client("sts")) as client:
            caller = client.get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        return "", _unseen("AWS: account and role", error, "sts")
    kind, _, name = str(caller["Arn"]).rpartition(":")[2].partition("/")
    name = name.partition("/")[0] if kind == "assumed-role" else name
    found = Finding(f"AWS: account {caller['Account']}, {kind.replace('assumed-role', 'role')} {name}".rstrip())
    return name if kind == "assumed-role" else "", found


def _subject(environ: Mapping[str, str], role: str) -> Iterator[Finding]:
    url, secret = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        why = "the job may not ask for a token: role-to-assume needs `permissions: id-token: write`"
        yield Finding("OIDC: the subject of this job", "unknown", why)
        return
    try:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = requests.get(url, params={"audience": _AUDIENCE}, headers=headers, timeout=_TIMEOUT)
        answer.raise_for_status()
        payload = answer.json()["value"].split(".")[1]
        claims = {name: str(value) for name, value in json.loads(base64.urlsafe_b64decode(payload + "===")).items()}
        sent = f"OIDC: the job sends sub {claims['sub']}, repository_id {claims.get('repository_id', '-')}"
    except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError) as error:
        yield Finding("OIDC: the subject of this job", "unknown", f"GitHub gave no token ({type(error).__name__})")
        return
    yield Finding(sent)
    yield _trust(role, claims) if role else Finding("OIDC: the role's trust", "unknown", "no role is assumed")


def _trust(role: str, claims: Mapping[str, str]) -> Finding:
    what = f"role {role}: its trust policy"
    try:
        with closing(aws.client("iam")) as client:
            policy = client.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except (BotoCoreError, ClientError) as error:
        return _unseen(what, error, "iam")
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    degrees = [_trusted(statement, claims) for statement in statements if _is_web_identity(statement)]
    cure = f"aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json, with this sub"
    if "exactly" in degrees:
        return Finding(f"{what} names what the job sends")
    if "by a wildcard" in degrees:
        why = "others than this job may assume the role too"
        return Finding(f"{what} trusts the job by a wildcard alone", "problem", why, cure)
    return Finding(f"{what} does not trust what the job sends", "problem", "the job cannot assume the role", cure)


def _is_web_identity(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action", ())
    named = [actions] if isinstance(actions, str) else actions
    return statement.get("Effect") == "Allow" and "sts:AssumeRoleWithWebIdentity" in named


def _trusted(statement: Mapping[str, Any], claims: Mapping[str, str]) -> str:
    """Tell how a statement trusts these claims: `exactly`, `by a wildcard`, or empty for not at all."""
    exactly = False
    for operator, conditions in statement.get("Condition", {}).items():
        for key, given in conditions.items():
            claim = key.rpartition(":")[2]
            patterns = [given] if isinstance(given, str) else given
            if operator == "StringEquals" and claims.get(claim) in patterns:
                exactly = exactly or claim == "sub"
            elif operator == "StringLike" and any(_fits(claims.get(claim, ""), pattern) for pattern in patterns):
                exactly = exactly or (claim == "sub" and claims.get(claim) in patterns)
            else:
                return ""
    return "exactly" if exactly else "by a wildcard"


def _fits(value: str, pattern: str) -> bool:
    return bool(re.fullmatch("".join(_WILDCARDS.get(letter, re.escape(letter)) for letter in pattern), value))


def _store(address: str) -> Iterator[Finding]:
    kind, _, rest = address.partition(":")
    if kind == "dynamodb":
        yield from _table(rest.removeprefix("//"))
    else:
        yield _file(rest)


def _table(name: str) -> Iterator[Finding]:
    what = f"table {name}"
    try:
        client = aws.client("dynamodb")
    except BotoCoreError as error:
        yield _unseen(what, error, "dynamodb")
        return
    with closing(client):
        try:
            table = client.describe_table(TableName=name)["Table"]
        except (BotoCoreError, ClientError) as error:
            if aws.code(error) == "ResourceNotFoundException":
                why = "nothing can be stored; it may be in another account or region"
                yield Finding(f"{what}: there is none", "problem", why, CREATE.format(table=name))
                return
            yield _unseen(f"{what}: its keys and its protection", error, "dynamodb")
        else:
            yield _keys(what, table)
            cure = f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled"
            why = "one call deletes a history that GitHub cannot give again"
            yield _either(bool(table.get("DeletionProtectionEnabled")), f"{what}: deletion protection", why, cure)
        yield _recovery(client, name)
        yield from _permissions(client, name)


def _keys(what: str, table: Mapping[str, Any]) -> Finding:
    types = {found["AttributeName"]: found["AttributeType"] for found in table["AttributeDefinitions"]}
    keys = [(key["AttributeName"], key["KeyType"], types.get(key["AttributeName"])) for key in table["KeySchema"]]
    if sorted(keys) == [("pk", "HASH", "S"), ("sk", "RANGE", "S")]:
        return Finding(f"{what}: it is there, with the keys pk and sk")
    why = "no item of ours fits into it"
    create = CREATE.format(table="OTHER-NAME")
    return Finding(f"{what}: it has other keys than pk and sk, both strings", "problem", why, create)


def _recovery(client: Any, name: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    what = f"table {name}: point-in-time recovery"
    try:
        described = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    except (BotoCoreError, ClientError) as error:
        return _unseen(what, error, "dynamodb")
    enabled = described.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"
    switch = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    cure = f"aws dynamodb update-continuous-backups --table-name {name} {switch}"
    return _either(enabled, what, "a mistake could not be undone", cure)


def _permissions(client: Any, name: str) -> Iterator[Finding]:  # noqa: ANN401 - a client of the SDK
    """Try the two calls of a run: a query of a repository that cannot be, an update whose condition cannot hold."""
    why = "a run needs dynamodb:Query and dynamodb:UpdateItem"
    nobody = {"pk": {"S": "repo#0"}, "sk": {"S": "doctor"}}
    tries: dict[str, Callable[[], Any]] = {
        "read": lambda: client.query(
            TableName=name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": nobody["pk"]}, Limit=1
        ),
        "written": lambda: client.update_item(
            TableName=name,
            Key=nobody,
            UpdateExpression="REMOVE repo",
            ConditionExpression="attribute_exists(pk) AND attribute_not_exists(pk)",
        ),
    }
    for done, attempt in tries.items():
        try:
            attempt()
        except (BotoCoreError, ClientError) as error:
            if aws.code(error) != "ConditionalCheckFailedException":
                what, _, cure = aws.explain(error, "dynamodb").partition(": ")
                yield Finding(f"table {name}: {what}", "problem", why, cure)
                continue
        yield Finding(f"table {name}: it can be {done}")


def _file(path: str) -> Finding:
    what = f"store sqlite:{path}"
    if path == ":memory:":
        return Finding(f"{what}: it is lost when a run ends", "problem", "no history is kept", "name a file")
    file = Path(path)
    if not file.exists():
        return _creatable(what, file.parent)
    if not file.is_file() or not os.access(file, os.R_OK | os.W_OK) or not os.access(file.parent, os.W_OK):
        cure = f"give this user the right to write it: chmod u+rw {path}"
        return Finding(f"{what}: it is no file that can be written", "problem", "nothing can be stored", cure)
    with file.open("rb") as opened:  # not by SQLite, which may write beside the file even to read it
        head = opened.read(100)
    if head and (not head.startswith(b"SQLite format 3\0") or int.from_bytes(head[68:72]) not in (0, APPLICATION)):
        cure = "name another file, or move this one away"
        return Finding(f"{what}: it is another program's file", "problem", "nothing can be stored", cure)
    return Finding(f"{what}: it is there and can be written")


def _creatable(what: str, folder: Path) -> Finding:
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding(f"{what}: the first run will make it")
    return Finding(f"{what}: its folder cannot be written", "problem", "nothing can be kept", f"mkdir -p {folder}")


def _destination(address: str) -> Iterator[Finding]:
    if address.startswith("s3://"):
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        yield from _bucket(bucket, prefix.strip("/"))
        return
    what, folder = f"export-to {address}", Path(address)
    if folder.is_dir() and os.access(folder, os.W_OK):
        yield Finding(f"{what}: it is there and can be written")
        return
    if folder.exists():
        yield Finding(
            f"{what}: it is no directory that can be written", "problem", "nothing can be exported", "name another"
        )
    else:  # a run makes it with all folders above it
        yield _creatable(what, next(above for above in folder.absolute().parents if above.exists()))


def _bucket(name: str, prefix: str) -> Iterator[Finding]:
    what = f"bucket {name}"
    try:
        client = aws.client("s3")
    except BotoCoreError as error:
        yield _unseen(what, error, "s3")
        return
    with closing(client):
        try:
            region = str(client.head_bucket(Bucket=name).get("BucketRegion") or client.meta.region_name)
        except (BotoCoreError, ClientError) as error:
            if aws.code(error) in ("404", "NoSuchBucket"):
                yield Finding(f"{what}: there is none", "problem", "nothing can be exported", f"aws s3 mb s3://{name}")
                return
            yield _unseen(f"{what}: its region", error, "s3")
        else:
            why = f"requests go to {client.meta.region_name} first and are sent on, or refused"
            cure = f"export AWS_DEFAULT_REGION={region} (`aws-region: {region}` in Actions)"
            here = region == client.meta.region_name
            found = Finding(f"{what}: it is in {region}")
            yield found if here else replace(found, state="problem", why=why, cure=cure)
        yield _public_access(client, name)
        yield _writable(client, name, prefix)


def _public_access(client: Any, name: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    what = f"bucket {name}: public access is blocked"
    block: Mapping[str, bool] = {}
    try:
        block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except (BotoCoreError, ClientError) as error:
        if aws.code(error) != "NoSuchPublicAccessBlockConfiguration":
            return _unseen(what, error, "s3")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    switches = ",".join(f"{switch}=true" for switch in names)
    cure = f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {switches}"
    why = "one wrong policy shows the traffic of private repositories to everybody"
    return _either(all(block.get(switch) for switch in names), what, why, cure)


def _writable(client: Any, name: str, prefix: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    """Try a write over a version that no file can have, of a file that is not there."""
    key = f"{prefix}/v1/doctor-{uuid.uuid4().hex}".lstrip("/")
    what = f"bucket {name}: below {prefix or 'its root'}/"
    try:
        client.put_object(Bucket=name, Key=key, Body=b"", IfMatch='"no-such-version"')
    except (BotoCoreError, ClientError) as error:
        if aws.code(error) in ("PreconditionFailed", "412", "NoSuchKey", "404"):
            return Finding(f"{what} it can be written")
        found, _, cure = aws.explain(error, "s3").partition(": ")
        why = "a run needs s3:GetObject and s3:PutObject there, and s3:ListBucket"
        return Finding(f"{what} {found}", "problem", why, cure)
    why = f"runs at the same time would write over each other; an empty file is there now: {key}"
    return Finding(f"{what} the condition of a write is not heeded", "problem", why, "use a bucket of AWS's own S3")


def _schedules(folder: Path) -> Iterator[Finding]:
    """Look at the schedules of the workflows that name this program."""
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        text = path.read_text(encoding="utf-8", errors="replace")
        minutes = [found["minute"] for found in _CRON.finditer(text)] if "ghtraffic" in text else []
        if any(_TOP_OF_THE_HOUR.fullmatch(minute) for minute in minutes):
            why = "GitHub delays or drops what is scheduled at the top of the hour"
            yield Finding(f"{path}: it runs at the top of the hour", "problem", why, 'write `cron: "17 3 * * *"`')
        elif minutes:
            yield Finding(f"{path}: its schedule avoids the top of the hour")


def _either(holds: bool, what: str, why: str, cure: str) -> Finding:
    return Finding(what) if holds else Finding(f"{what}: no", "problem", why, cure)


def _unseen(what: str, error: Exception, service: str) -> Finding:
    """Say why something could not be looked at: that is no problem where the rights to look are missing."""
    found, _, cure = aws.explain(error, service).partition(": ")
    if aws.denied(error):
        return Finding(what, "unknown", found)
    return Finding(f"{what}: {found}", "problem", "a run would fail likewise", cure)
