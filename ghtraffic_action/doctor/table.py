"""Checks the table: keys, protection, and permissions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from ghtraffic_action import aws
from ghtraffic_action.doctor.finding import Finding, check, failed_check
from ghtraffic_action.stores.dynamodb import CREATE


def examine_table(name: str) -> Iterator[Finding]:
    """Check a table, as far as permissions allow, without changes."""
    what = f"table {name}"
    try:
        client = aws.client("dynamodb")
    except aws.ERRORS as error:
        yield failed_check(what, error, "dynamodb")
        return
    with closing(client):
        try:
            table = client.describe_table(TableName=name)["Table"]
        except aws.ERRORS as error:
            if aws.code(error) == "ResourceNotFoundException":
                reason = "nothing can be stored; it may be in another account or region"
                yield Finding(f"{what}: there is none", "problem", reason, CREATE.format(table=name))
                return
            yield failed_check(f"{what}: its keys and its protection", error, "dynamodb")
        else:
            yield _keys(what, table)
            remedy = f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled"
            reason = "one call deletes a history that GitHub no longer has"
            yield check(bool(table.get("DeletionProtectionEnabled")), f"{what}: deletion protection", reason, remedy)
        yield _recovery(client, name)
        yield from _permissions(client, name)


def _keys(what: str, table: Mapping[str, Any]) -> Finding:
    types = {found["AttributeName"]: found["AttributeType"] for found in table["AttributeDefinitions"]}
    keys = [(key["AttributeName"], key["KeyType"], types.get(key["AttributeName"])) for key in table["KeySchema"]]
    if sorted(keys) == [("pk", "HASH", "S"), ("sk", "RANGE", "S")]:
        return Finding(f"{what}: it is there, with the keys pk and sk")
    reason = "ghtraffic's items do not fit into it"
    create = CREATE.format(table="OTHER-NAME")
    return Finding(f"{what}: it has other keys than pk and sk, both strings", "problem", reason, create)


def _recovery(client: Any, name: str) -> Finding:  # noqa: ANN401 - a client of the SDK
    what = f"table {name}: point-in-time recovery"
    try:
        described = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    except aws.ERRORS as error:
        return failed_check(what, error, "dynamodb")
    enabled = described.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"
    switch = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    remedy = f"aws dynamodb update-continuous-backups --table-name {name} {switch}"
    return check(enabled, what, "a mistake could not be undone", remedy)


def _permissions(client: Any, name: str) -> Iterator[Finding]:  # noqa: ANN401 - a client of the SDK
    """Test a query of an impossible repository and a conditional update."""
    reason = "a run needs dynamodb:Query and dynamodb:UpdateItem"
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
        except aws.ERRORS as error:
            if aws.code(error) != "ConditionalCheckFailedException":
                found = aws.explain(error, "dynamodb")
                yield Finding(f"table {name}: {found.problem}", "problem", reason, found.remedy)
                continue
        yield Finding(f"table {name}: it can be {done}")
