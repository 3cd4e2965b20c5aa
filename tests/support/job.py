"""Principals of an account: the job, which has assumed base.yaml's role, and a user with one of its policies."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ghtraffic_action.collect import run
from ghtraffic_action.errors import UserError
from ghtraffic_action.settings import Settings
from tests.support.aws import Account, make_session
from tests.support.builders import CLAIMS
from tests.support.templates import BASE, made

GIVEN = {"Owner": "octo-lab", "Repository": "lighthouse", "OwnerId": "1", "RepositoryId": "7"}
SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"
SUBJECT_WITH_IDS = "repo:octo-lab@1/lighthouse@7:ref:refs/heads/main"

Document = dict[str, Any]


def actions(document: Document) -> Iterator[str]:
    """Yield each action that a policy's document allows."""
    for statement in document["Statement"]:
        found = statement["Action"]
        yield from [found] if isinstance(found, str) else found


_MADE = made(BASE)
WRITER = list(actions(_MADE["WriterPolicy"]["PolicyDocument"]))
READER = list(actions(_MADE["ReaderPolicy"]["PolicyDocument"]))
HEARTBEAT = list(actions(_MADE["Role"]["Policies"][0]["PolicyDocument"]))


def without(document: Document, action: str) -> str:
    """Return a policy's document that allows all but one action."""
    statements = [
        statement | {"Action": [left for left in actions({"Statement": [statement]}) if left != action]}
        for statement in document["Statement"]
    ]
    return json.dumps(document | {"Statement": [statement for statement in statements if statement["Action"]]})


@dataclass(frozen=True)
class Policy:
    """A managed policy of the account."""

    account: Account
    arn: str

    def read(self) -> Document:
        """Read what it allows."""
        iam = self.account.client("iam")
        version = iam.get_policy(PolicyArn=self.arn)["Policy"]["DefaultVersionId"]
        document: Document = iam.get_policy_version(PolicyArn=self.arn, VersionId=version)["PolicyVersion"]["Document"]
        return document

    def take_away(self, action: str) -> None:
        """Remove an action from it."""
        iam, document = self.account.client("iam"), without(self.read(), action)
        iam.create_policy_version(PolicyArn=self.arn, PolicyDocument=document, SetAsDefault=True)


@dataclass(frozen=True)
class Inline:
    """The role's inline policy, which lets it send the heartbeat, and alerts if there are any."""

    account: Account
    role: str

    def read(self) -> Document:
        """Read what it allows."""
        found = self.account.client("iam").get_role_policy(RoleName=self.role, PolicyName="heartbeat")
        document: Document = found["PolicyDocument"]
        return document

    def write(self, document: Document) -> None:
        """Replace what it allows."""
        iam = self.account.client("iam")
        iam.put_role_policy(RoleName=self.role, PolicyName="heartbeat", PolicyDocument=json.dumps(document))

    def take_away(self, action: str) -> None:
        """Remove an action from it; a policy without actions is detached from the role."""
        document = json.loads(without(self.read(), action))
        if document["Statement"]:
            self.write(document)
            return
        self.account.client("iam").delete_role_policy(RoleName=self.role, PolicyName="heartbeat")


def be(account: Account, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Use these credentials from now on; the returned set grows by each permission that a request needs."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.get("SessionToken", ""))
    session = make_session()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    return _watch(session)


def assume(account: Account, role: str) -> dict[str, str]:
    """Assume a role as the workflow does, without `repository_id`, which the emulator cannot check."""
    iam, sts, name = account.client("iam"), account.client("sts"), role.rsplit("/", 1)[1]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    del trust["Statement"][0]["Condition"]["StringEquals"][f"{CLAIMS}:repository_id"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    for other in (SUBJECT.replace("main", "other"), SUBJECT.replace("octo-lab", "octo-labs"), SUBJECT + "2"):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=_token(other))
    for subject in (SUBJECT, SUBJECT_WITH_IDS):
        answer = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="job", WebIdentityToken=_token(subject)
        )
    found: dict[str, str] = answer["Credentials"]
    return found


def user_with(account: Account, policy: Policy) -> dict[str, str]:
    """Create a user who may do what one policy allows."""
    iam = account.client("iam")
    iam.create_user(UserName="reader")
    iam.attach_user_policy(UserName="reader", PolicyArn=policy.arn)
    found: dict[str, str] = iam.create_access_key(UserName="reader")["AccessKey"]
    return found


def _token(subject: str) -> str:
    now = int(time.time())
    claims = {"iss": f"https://{CLAIMS}", "aud": "sts.amazonaws.com", "sub": subject, "iat": now, "exp": now + 600}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


_RIGHTS = {"ListObjectsV2": "ListBucket", "TransactWriteItems": "UpdateItem"}


def _watch(session: boto3.Session) -> set[str]:
    """Record which permission each request of a session needs, and answer for a missing file as S3 does.

    S3 says that a file is missing only to those who may list the bucket with the file's key as the prefix, to others
    that it is forbidden; the emulator says so to everybody. Whether one may is left to the emulator.
    """
    taken: set[str] = set()
    lister: Any = make_session().client("s3")
    lock = Lock()

    def asked(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's
        with lock:
            taken.add(f"{model.service_model.service_id.lower()}:{_RIGHTS.get(model.name, model.name)}")
        context["asked"] = params

    def answered(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's
        if parsed.get("Error", {}).get("Code") != "NoSuchKey":
            return
        with lock:
            taken.add("s3:ListBucket")
        try:
            lister.list_objects_v2(Bucket=context["asked"]["Bucket"], Prefix=context["asked"]["Key"])
        except ClientError as error:
            parsed["Error"] = error.response["Error"]

    session.events.register("provide-client-params", asked)
    session.events.register("after-call.s3.GetObject", answered)
    return taken


def policies_of(outputs: dict[str, str], **parameters: str) -> dict[str, Any]:
    """Return the documents of the template as they have to be in this account."""
    number = outputs["RoleArn"].split(":")[4]
    table = f"arn:aws:dynamodb:us-east-1:{number}:table/{outputs['TableName']}"
    values = {"AWS::AccountId": number, "AWS::Region": "us-east-1", "Table.Arn": table}
    values["Bucket.Arn"] = f"arn:aws:s3:::{outputs['BucketName']}"
    values["AlarmTopic"] = outputs["AlarmTopicArn"]
    return made(BASE, **values | parameters)


@dataclass(frozen=True)
class Job:
    """The workflow's job: the stack that it writes to, its settings, and the permissions that its requests needed."""

    account: Account
    outputs: dict[str, str]
    settings: Settings
    taken: set[str]

    @property
    def writer(self) -> Policy:
        """The policy with what each run needs."""
        return Policy(self.account, self.outputs["WriterPolicyArn"])

    @property
    def heartbeat(self) -> Inline:
        """The policy of the heartbeat."""
        return Inline(self.account, self.outputs["RoleArn"].rsplit("/", 1)[1])

    def run(self) -> tuple[int, str]:
        """Collect. Return the exit code and what went wrong."""
        try:
            report = run(self.settings)
        except UserError as error:
            return error.exit_code, str(error)
        return report.exit_code, "\n".join(report.all_errors)
