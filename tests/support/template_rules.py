"""Rules that hold for every template."""

import re

from tests.support.builders import CLAIMS
from tests.support.templates import ACCOUNT, Template, statements, texts

KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"

HEARTBEAT = {
    "Sid": "Heartbeat",
    "Effect": "Allow",
    "Action": "cloudwatch:PutMetricData",
    "Resource": "*",
    "Condition": {"StringEquals": {"cloudwatch:namespace": "ghtraffic"}},
}
"""The one statement that names no resource, since its action has none."""

PREFIXES = (
    "${Bucket.Arn}/${Prefix}/*",
    "arn:${AWS::Partition}:s3:::${BucketName}/${Prefix}/*",
    "arn:${AWS::Partition}:s3:::${Bucket}/${Prefix}/runs/*",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${SecretFolder}/*",
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${StateMachine.Name}:*",
)
"""Below these any file is meant, any parameter, any execution of the state machine itself."""

PARAMETERS = {
    "Owner": "octo-lab",
    "Repository": "light.house_1",
    "OwnerId": "1",
    "RepositoryId": "904221377",
    "SubjectContext": "environment:production",
    "Workflow": "traffic.yml@refs/heads/main",
    "OidcProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CLAIMS}",
    "Prefix": "traffic/all",
    "TokenParameter": "/ghtraffic/token",
    "SecretFolder": "/ghtraffic/fleet",
    "AppId": "123456",
    "AppKeyParameter": "/ghtraffic/app-key",
    "SecretKeyArn": KEY,
    "DataKeyArn": KEY,
    "RestoredTable": "history-restored",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "RolePath": "/teams/traffic/",
    "BaseStack": "ghtraffic",
    "CodeBucket": "code",
    "MaxWait": "15m",
    "BucketName": "exports",
    "DatabaseName": "ghtraffic",
    "FirstMonth": "2008-01",
    "RefreshTime": "15:17",
    "Principal": f"arn:aws:quicksight:eu-central-1:{ACCOUNT}:user/default/analyst",
}
"""What may become a part of a policy, or names what somebody relies on, with a value that is right."""

FREE = {"Credentials", "Repositories", "CodeKey", "AlarmEmail", "Schedule"}
"""What may hold a wildcard, or becomes a part of no policy."""


def nothing_is_allowed_by_a_wildcard(template: Template) -> None:
    """Every action and resource is named in full, except what lies below the listed prefixes."""
    found = list(statements(template))
    assert found
    for statement in found:
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        if statement == HEARTBEAT:
            continue
        named = [*texts(statement["Action"]), *texts(statement.get("Principal", {}))]
        named += [text for text in texts(statement.get("Resource", [])) if text not in PREFIXES]
        assert not [text for text in named if "*" in text or "?" in text]


def no_wildcard_can_be_entered(template: Template) -> None:
    """Each pattern accepts a right value, and refuses it with a wildcard, a blank or a variable anywhere."""
    entered = {name for name, found in template["Parameters"].items() if found["Type"] == "String"}
    checked = {name for name in entered - FREE if "AllowedValues" not in template["Parameters"][name]}
    assert checked
    for name in checked:
        pattern = re.compile(template["Parameters"][name].get("AllowedPattern", ".*"), re.DOTALL)
        right = PARAMETERS[name]
        assert pattern.fullmatch(right), name
        for wrong in ("*", "?", " ", "\t", "\n", "\r", "$", "{", '"'):
            for place in (0, len(right) // 2, len(right) - 1, len(right)):
                assert not pattern.fullmatch(right[:place] + wrong + right[place:]), (name, wrong, place)
            assert not pattern.fullmatch(wrong), name


def other_partitions_are_refused(template: Template) -> None:
    """The template refuses partitions that are not tested, and says why."""
    [rule] = template["Rules"]["StandardPartition"]["Assertions"]
    assert rule["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]}
    assert "GovCloud and China" in rule["AssertDescription"]


def every_role_has_the_boundary_and_the_path(template: Template) -> None:
    """Every role has the permissions boundary and the path that an organisation may require."""
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
            assert resource["Properties"]["Path"] == {"Ref": "RolePath"}
        if resource["Type"] == "AWS::IAM::Role":
            boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
            assert resource["Properties"]["PermissionsBoundary"] == boundary
    assert template["Parameters"]["RolePath"]["Default"] == "/"
    given = {"Fn::Not": [{"Fn::Equals": [{"Ref": "PermissionsBoundaryArn"}, ""]}]}
    assert template["Conditions"]["HasBoundary"] == given
