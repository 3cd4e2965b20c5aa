"""The resources of base.yaml, checked in the template, since emulators ignore most of their properties."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from tests.support.builders import CLAIMS, ROOT
from tests.support.template_mutations import Mutation, Rule, add, by_rule, drop, put, rename, unnoticed
from tests.support.template_rules import (
    HEARTBEAT,
    KEY,
    every_role_has_the_boundary_and_the_path,
    no_wildcard_can_be_entered,
    nothing_is_allowed_by_a_wildcard,
    other_partitions_are_refused,
)
from tests.support.templates import ACCOUNT, BASE, VALUES, Template, exports, made, refused, resolve, values_of

SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"

SUBJECT_WITH_IDS = "repo:octo-lab@1/lighthouse@7:ref:refs/heads/main"


HISTORY = {
    "Sid": "History",
    "Effect": "Allow",
    "Action": ["dynamodb:Query", "dynamodb:UpdateItem"],
    "Resource": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/history",
}
EXPORT = {
    "Sid": "Export",
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::exports/traffic/*",
}
LISTING = {
    "Sid": "TellMissingFromForbidden",
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": "arn:aws:s3:::exports",
    "Condition": {"StringLike": {"s3:prefix": "traffic/*"}},
}
TOKEN = {
    "Sid": "Token",
    "Effect": "Allow",
    "Action": "ssm:GetParameter",
    "Resource": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ghtraffic/token",
}


def _key(sid: str, services: str | list[str], *actions: str) -> dict[str, Any]:
    through = {"StringEquals": {"kms:ViaService": services}}
    action: str | list[str] = list(actions) if len(actions) > 1 else actions[0]
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": KEY, "Condition": through}


THROUGH_SSM = "ssm.eu-central-1.amazonaws.com"
THROUGH_DATA = ["dynamodb.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com"]


def _statements(base: Template, policy: str, **parameters: str) -> Any:  # noqa: ANN401 - YAML
    return made(base, **parameters)[policy]["PolicyDocument"]["Statement"]


def the_writer_may_do_what_a_run_does(base: Template) -> None:
    """The policy allows exactly a run's actions: no deletion, no scan; secrets and keys only if configured."""
    assert _statements(base, "WriterPolicy") == [HISTORY, EXPORT, LISTING, TOKEN]
    assert _statements(base, "WriterPolicy", TokenParameter="") == [HISTORY, EXPORT, LISTING]
    secret = _key("SecretKey", THROUGH_SSM, "kms:Decrypt")
    assert _statements(base, "WriterPolicy", SecretKeyArn=KEY) == [HISTORY, EXPORT, LISTING, TOKEN, secret]
    data = _key("DataKey", THROUGH_DATA, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
    assert _statements(base, "WriterPolicy", DataKeyArn=KEY) == [HISTORY, EXPORT, LISTING, TOKEN, data]
    role = made(base)["Role"]
    assert role["ManagedPolicyArns"] == [VALUES["WriterPolicy"]]
    assert _own_statements(base) == [HEARTBEAT]


def alerts_go_to_the_topic_alone(base: Template) -> None:
    """`Alerts=topic` alone allows publishing to the topic and adds the line `alerts:` to the output."""
    topic = VALUES["AlarmTopic"]
    allowed = {"Sid": "Alerts", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    assert base["Parameters"]["Alerts"]["Default"] == "none"
    assert base["Parameters"]["Alerts"]["AllowedValues"] == ["none", "topic"]
    for given, statements in (("none", [HEARTBEAT]), ("topic", [HEARTBEAT, allowed])):
        assert _own_statements(base, Alerts=given) == statements
        assert "sns:Publish" not in str(_statements(base, "WriterPolicy", Alerts=given))
        lines = yaml.safe_load(resolve(base["Outputs"]["Workflow"]["Value"], values_of(base, Alerts=given)))
        assert lines.get("alerts") == (topic if given == "topic" else None)
        assert lines["heartbeat"] == "cloudwatch"


def _own_statements(base: Template, **parameters: str) -> Any:  # noqa: ANN401 - YAML
    [policy] = made(base, **parameters)["Role"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def a_reader_only_reads(base: Template) -> None:
    """The reader's policy is attached to the job's role only with `ReaderInJob`, and has an ARN for others."""
    history = HISTORY | {"Action": ["dynamodb:Query", "dynamodb:Scan"]}
    export = EXPORT | {"Action": "s3:GetObject"}
    listing = LISTING | {"Sid": "ListExport"}
    assert _statements(base, "ReaderPolicy") == [history, export, listing]
    data = _key("DataKey", THROUGH_DATA, "kms:Decrypt")
    assert _statements(base, "ReaderPolicy", DataKeyArn=KEY) == [history, export, listing, data]
    assert made(base)["Role"]["ManagedPolicyArns"] == [VALUES["WriterPolicy"]]
    attached = made(base, ReaderInJob="true")["Role"]["ManagedPolicyArns"]
    assert attached == [VALUES["WriterPolicy"], VALUES["ReaderPolicy"]]
    assert base["Outputs"]["ReaderPolicyArn"]["Value"] == {"Ref": "ReaderPolicy"}


def a_restored_table_takes_the_place_of_the_other(base: Template) -> None:
    """Policies and outputs name the restored table; the stack keeps its own table, and exports it."""
    values = values_of(base, RestoredTable="restored")
    for policy in ("WriterPolicy", "ReaderPolicy"):
        [history, *_] = _statements(base, policy, RestoredTable="restored")
        assert history["Resource"] == f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/restored"
    outputs = resolve(base["Outputs"], values)
    assert "store: dynamodb://restored\n" in outputs["Workflow"]["Value"]
    assert outputs["TableName"]["Value"] == "restored"
    assert outputs["OwnTableName"]["Value"] == "history"
    assert "Condition" not in base["Resources"]["Table"]


def what_is_exported_never_changes(base: Template) -> None:
    """A restored table changes no export, since CloudFormation refuses to change imported exports."""
    before = exports(base)
    assert exports(base, RestoredTable="restored") == before
    names = {f"ghtraffic-{name}" for name in ("Table", "Bucket", "Prefix", "WriterPolicy", "AlarmTopic")}
    assert before.keys() == names
    assert exports(base, Owner="").keys() == names


def one_branch_is_trusted(base: Template) -> None:
    """The trust policy compares audience, repository, both forms of the subject, and the workflow exactly."""
    claims = {
        f"{CLAIMS}:aud": "sts.amazonaws.com",
        f"{CLAIMS}:repository_id": "7",
        f"{CLAIMS}:sub": [SUBJECT, SUBJECT_WITH_IDS],
    }
    trusted = {
        "Effect": "Allow",
        "Principal": {"Federated": VALUES["OidcProvider"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
    assert made(base)["Role"]["AssumeRolePolicyDocument"]["Statement"] == [trusted]
    [limited] = made(base, Workflow="traffic.yml@refs/heads/main")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    workflow = "octo-lab/lighthouse/.github/workflows/traffic.yml@refs/heads/main"
    claims[f"{CLAIMS}:job_workflow_ref"] = workflow
    assert limited == trusted | {"Condition": {"StringEquals": claims}}
    given = made(base, OidcProviderArn="arn:given")
    assert given["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Federated": "arn:given"}
    assert "OidcProvider" not in given
    provider = base["Resources"]["OidcProvider"]
    assert provider["DeletionPolicy"] == "Retain"
    assert made(base)["OidcProvider"] == {"Url": f"https://{CLAIMS}", "ClientIdList": ["sts.amazonaws.com"]}


REPOSITORY = ("Owner", "Repository", "OwnerId", "RepositoryId")


def the_repository_is_whole_or_absent(base: Template) -> None:
    """Owner, name and both ids are required together; without them the stack has no role and no provider."""
    assert not refused(base)
    none = dict.fromkeys(REPOSITORY, "")
    assert not refused(base, **none)
    for name in REPOSITORY:
        assert refused(base, **{name: ""})
        assert refused(base, **none | {name: VALUES[name]})
    without = made(base, **none).keys()
    assert {"Table", "Bucket", "BucketPolicy", "WriterPolicy", "ReaderPolicy", "AlarmTopic"} == without
    outputs = {name for name, output in base["Outputs"].items() if output.get("Condition") == "HasWorkflow"}
    assert outputs == {"Workflow", "RoleArn"}


def the_bucket_is_closed(base: Template) -> None:
    """The bucket blocks public access, requires TLS, and keeps overwritten versions for 30 days."""
    bucket, policy = base["Resources"]["Bucket"], base["Resources"]["BucketPolicy"]
    for kept in (bucket, policy):
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    found = bucket["Properties"]
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert found["PublicAccessBlockConfiguration"] == dict.fromkeys(blocked, True)
    assert found["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encrypted] = made(base)["Bucket"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encrypted == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    [encrypted] = made(base, DataKeyArn=KEY)["Bucket"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert encrypted == {"ServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": True}
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    lifecycle, runs = made(base, Prefix="traffic/all")["Bucket"]["LifecycleConfiguration"]["Rules"]
    assert lifecycle["Status"] == "Enabled"
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert base["Parameters"]["OldVersionDays"]["Default"] == 30
    assert not lifecycle.keys() & {"ExpirationInDays", "ExpirationDate"}
    below = {"Status": "Enabled", "Prefix": "traffic/all/runs/", "ExpirationInDays": 30}
    assert runs == {"Id": "forget-runs"} | below
    assert "BucketName" not in found, "a name that is given may be taken, in any account"
    [denied] = made(base)["BucketPolicy"]["PolicyDocument"]["Statement"]
    assert denied["Effect"] == "Deny"
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Resource"] == ["arn:aws:s3:::exports", "arn:aws:s3:::exports/*"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def the_table_is_kept(base: Template) -> None:
    """The table has deletion protection and recovery, and is billed by request up to a limit."""
    table = base["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    found = table["Properties"]
    assert found["DeletionProtectionEnabled"] is True
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}
    assert found["PointInTimeRecoverySpecification"] == recovery
    assert found["BillingMode"] == "PAY_PER_REQUEST"
    assert found["OnDemandThroughput"].keys() == {"MaxReadRequestUnits", "MaxWriteRequestUnits"}
    assert all(0 < limit <= 10_000 for limit in found["OnDemandThroughput"].values())
    assert made(base)["Table"]["SSESpecification"] == {"SSEEnabled": False}
    encrypted = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert made(base, DataKeyArn=KEY)["Table"]["SSESpecification"] == encrypted
    assert found["AttributeDefinitions"] == [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
    hashed, ranged = {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}
    assert found["KeySchema"] == [hashed, ranged]
    assert not found.keys() & {"TableName", "TimeToLiveSpecification", "GlobalSecondaryIndexes"}


WRITER = "Resources/WriterPolicy/Properties/PolicyDocument/Statement"

OWN = "Resources/Role/Properties/Policies/0/PolicyDocument/Statement"

TRUST = "Resources/Role/Properties/AssumeRolePolicyDocument/Statement"

EQUALS = f"{TRUST}/0/Condition/StringEquals"

BUCKET = "Resources/Bucket/Properties"

DENY = "Resources/BucketPolicy/Properties/PolicyDocument/Statement"

TABLE = "Resources/Table/Properties"

READER = "Resources/ReaderPolicy/Properties/PolicyDocument/Statement"
ANYTHING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}

MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    nothing_is_allowed_by_a_wildcard: (
        put(f"{WRITER}/0/Action", "dynamodb:*"),
        put(f"{WRITER}/0/Resource", "*"),
        put(f"{WRITER}/1/Resource", {"Fn::Sub": "${Bucket.Arn}/*"}),
        put(f"{WRITER}/3/Fn::If/1/Resource", {"Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/*"}),
        rename(f"{WRITER}/0/Resource", "NotResource"),
        add(WRITER, ANYTHING),
        put(f"{TRUST}/0/Principal", "*"),
        put(f"{DENY}/0/Effect", "Allow"),
    ),
    no_wildcard_can_be_entered: (
        *(
            put(f"Parameters/{name}/AllowedPattern", pattern)
            for name in (
                "Owner",
                "Repository",
                "OwnerId",
                "RepositoryId",
                "SubjectContext",
                "Prefix",
                "TokenParameter",
                "RestoredTable",
                "Workflow",
                "PermissionsBoundaryArn",
                "RolePath",
                "DataKeyArn",
            )
            for pattern in (".*", r"[^*]+", r"[^?]+", r"[^\s]+", r"[\w.:/@-]+\s?")
        ),
        drop("Parameters/Prefix/AllowedPattern"),
        put("Parameters/Owner/AllowedPattern", "octo"),
    ),
    other_partitions_are_refused: (put("Rules/StandardPartition/Assertions/0/Assert/Fn::Equals/1", "aws-cn"),),
    every_role_has_the_boundary_and_the_path: (
        drop("Resources/Role/Properties/Path"),
        drop("Resources/ReaderPolicy/Properties/Path"),
        drop("Resources/Role/Properties/PermissionsBoundary"),
        put("Parameters/RolePath/Default", "/traffic/"),
        put("Conditions/HasBoundary", {"Fn::Equals": ["", ""]}),
    ),
    the_writer_may_do_what_a_run_does: (
        add(f"{WRITER}/0/Action", "dynamodb:Scan"),
        add(f"{WRITER}/0/Action", "dynamodb:DeleteItem"),
        put(f"{WRITER}/0/Action", ["dynamodb:Query"]),
        add(f"{WRITER}/1/Action", "s3:DeleteObject"),
        put(f"{WRITER}/1/Resource", {"Fn::Sub": "${Bucket.Arn}/${Prefix}*"}),
        drop(f"{WRITER}/2/Condition"),
        drop(f"{WRITER}/2"),
        put(f"{WRITER}/3/Fn::If/2", ANYTHING),
        put("Conditions/HasTokenParameter", {"Fn::Equals": ["", ""]}),
        add(WRITER, {"Effect": "Allow", "Action": "iam:PassRole", "Resource": {"Fn::GetAtt": ["Role", "Arn"]}}),
        put(f"{WRITER}/5/Fn::If/1/Resource", {"Ref": "SecretKeyArn"}),
        drop(f"{WRITER}/4/Fn::If/1/Condition"),
        drop("Resources/Role/Properties/Policies/0/PolicyDocument/Statement/0/Condition"),
        add("Resources/Role/Properties/Policies/0/PolicyDocument/Statement/0/Action", "cloudwatch:DeleteAlarms"),
        put("Resources/Role/Properties/ManagedPolicyArns/Fn::If/2/0", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    alerts_go_to_the_topic_alone: (
        put("Conditions/SendsAlerts", {"Fn::Equals": ["", ""]}),
        put("Parameters/Alerts/Default", "topic"),
        put(f"{OWN}/1/Fn::If/1/Resource", {"Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:other"}),
        put(f"{OWN}/1/Fn::If/1/Action", ["sns:Publish", "sns:Subscribe"]),
        put(f"{OWN}/1/Fn::If/2", {"Sid": "Alerts", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}),
        drop(f"{OWN}/1"),
        put("Outputs/Workflow/Value/Fn::Sub/1/Alerted", ""),
    ),
    a_reader_only_reads: (
        add(f"{READER}/0/Action", "dynamodb:UpdateItem"),
        drop(f"{READER}/2/Condition"),
        put(f"{READER}/1/Action", ["s3:GetObject", "s3:PutObject"]),
        add(f"{READER}/3/Fn::If/1/Action", "kms:Encrypt"),
        put("Conditions/ReadsInJob", {"Fn::Equals": ["", ""]}),
        put("Resources/Role/Properties/ManagedPolicyArns", [{"Ref": "WriterPolicy"}]),
    ),
    a_restored_table_takes_the_place_of_the_other: (
        put(f"{WRITER}/0/Resource", {"Fn::GetAtt": ["Table", "Arn"]}),
        put(f"{READER}/0/Resource", {"Fn::GetAtt": ["Table", "Arn"]}),
        put("Outputs/TableName/Value", {"Ref": "Table"}),
        put("Outputs/Workflow/Value/Fn::Sub/1/Written", {"Ref": "Table"}),
        put("Resources/Table/Condition", "HasRestored"),
    ),
    what_is_exported_never_changes: (
        put("Outputs/OwnTableName/Value", {"Fn::If": ["HasRestored", {"Ref": "RestoredTable"}, {"Ref": "Table"}]}),
        put("Outputs/AlarmTopicArn/Condition", "HasWorkflow"),
        drop("Outputs/Prefix/Export"),
    ),
    one_branch_is_trusted: (
        rename(EQUALS, "StringLike"),
        rename(EQUALS, "ForAllValues:StringEquals"),
        drop(f"{EQUALS}/{CLAIMS}:aud"),
        drop(f"{EQUALS}/{CLAIMS}:repository_id"),
        put(f"{EQUALS}/{CLAIMS}:repository_id", {"Ref": "OwnerId"}),
        drop(f"{EQUALS}/{CLAIMS}:sub/0"),
        drop(f"{EQUALS}/{CLAIMS}:sub/1"),
        put(f"{EQUALS}/{CLAIMS}:sub/0", {"Fn::Sub": "repo:${Owner}/${Repository}:*"}),
        drop(f"{TRUST}/0/Condition"),
        add(TRUST, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        put("Conditions/TrustsOneWorkflow", {"Fn::Equals": ["", ""]}),
        put(f"{EQUALS}/{CLAIMS}:job_workflow_ref/Fn::If/1", {"Fn::Sub": "${Owner}/${Repository}/${Workflow}"}),
        put("Conditions/MakesProvider", {"Fn::Equals": ["", ""]}),
        put("Resources/OidcProvider/DeletionPolicy", "Delete"),
        add("Resources/OidcProvider/Properties/ClientIdList", "others"),
    ),
    the_repository_is_whole_or_absent: (
        *(drop(f"Rules/WholeRepository/Assertions/0/Assert/Fn::Or/1/Fn::And/{place}") for place in range(4)),
        drop("Rules/WholeRepository/Assertions/0/Assert/Fn::Or/0"),
        drop("Rules/WholeRepository"),
        drop("Resources/Role/Condition"),
        drop("Resources/Refused/Condition"),
        drop("Outputs/RoleArn/Condition"),
    ),
    the_bucket_is_closed: (
        *(
            put(f"{BUCKET}/PublicAccessBlockConfiguration/{name}", False)
            for name in BASE["Resources"]["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
        ),
        drop(f"{BUCKET}/PublicAccessBlockConfiguration/IgnorePublicAcls"),
        put(f"{BUCKET}/OwnershipControls/Rules/0/ObjectOwnership", "ObjectWriter"),
        drop(f"{BUCKET}/BucketEncryption/ServerSideEncryptionConfiguration/0"),
        put(f"{BUCKET}/VersioningConfiguration/Status", "Suspended"),
        put(f"{BUCKET}/LifecycleConfiguration/Rules/0/Status", "Disabled"),
        put(f"{BUCKET}/LifecycleConfiguration/Rules/0/ExpirationInDays", 30),
        drop(f"{BUCKET}/LifecycleConfiguration/Rules/1/Prefix"),
        put(f"{BUCKET}/LifecycleConfiguration/Rules/1/Prefix", {"Fn::Sub": "${Prefix}/"}),
        put(f"{BUCKET}/BucketName", "traffic"),
        put(f"{BUCKET}/BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled", False),
        put("Resources/Bucket/DeletionPolicy", "Delete"),
        put("Resources/Bucket/UpdateReplacePolicy", "Delete"),
        put("Resources/BucketPolicy/DeletionPolicy", "Delete"),
        drop(f"{DENY}/0/Resource/1"),
        put(f"{DENY}/0/Action", "s3:GetObject"),
        put(f"{DENY}/0/Condition/Bool/aws:SecureTransport", "true"),
        put(f"{DENY}/0/Effect", "Allow"),
    ),
    the_table_is_kept: (
        put("Resources/Table/DeletionPolicy", "Delete"),
        drop("Resources/Table/UpdateReplacePolicy"),
        put(f"{TABLE}/DeletionProtectionEnabled", False),
        put(f"{TABLE}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", False),
        put(f"{TABLE}/PointInTimeRecoverySpecification/RecoveryPeriodInDays", 1),
        put(f"{TABLE}/BillingMode", "PROVISIONED"),
        drop(f"{TABLE}/OnDemandThroughput/MaxWriteRequestUnits"),
        put(f"{TABLE}/OnDemandThroughput/MaxReadRequestUnits", -1),
        put(f"{TABLE}/KeySchema/1/AttributeName", "day"),
        put(f"{TABLE}/AttributeDefinitions/1/AttributeType", "N"),
        put(f"{TABLE}/TableName", "history"),
        put(f"{TABLE}/SSESpecification", {"SSEEnabled": False}),
    ),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_template_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The template follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, BASE, mutations) == []


def test_the_policies_made_by_hand_are_the_template_s() -> None:
    """The page's policies equal the template's, except for the token's parameter."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "by-hand.md").read_text(), re.DOTALL)
    documents = [json.loads(block) for block in blocks if '"Statement"' in block]
    named = {"Owner": "OWNER", "Repository": "REPO", "OwnerId": "OWNER_ID", "RepositoryId": "REPO_ID"}
    named |= {"OidcProvider": f"arn:aws:iam::ACCOUNT:oidc-provider/{CLAIMS}", "Bucket.Arn": "arn:aws:s3:::YOUR-BUCKET"}
    named |= {"Table.Arn": "arn:aws:dynamodb:REGION:ACCOUNT:table/github-traffic", "TokenParameter": ""}
    by_template = made(BASE, **named)
    trust = by_template["Role"]["AssumeRolePolicyDocument"]
    permissions = by_template["WriterPolicy"]["PolicyDocument"]
    permissions["Statement"].append(by_template["Role"]["Policies"][0]["PolicyDocument"]["Statement"][0])
    for statement in permissions["Statement"]:
        del statement["Sid"]
    assert documents == [trust, permissions]


def test_the_lines_to_paste_are_inputs_of_the_action() -> None:
    """The lines of the output `Workflow` are inputs of the Action, with the stack's values."""
    lines = yaml.safe_load(resolve(BASE["Outputs"]["Workflow"]["Value"], values_of(BASE)))
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert lines.keys() <= inputs.keys()
    assert lines == {
        "store": "dynamodb://history",
        "export-to": "s3://exports/traffic",
        "role-to-assume": VALUES["Role.Arn"],
        "aws-region": "eu-central-1",
        "heartbeat": "cloudwatch",
    }
