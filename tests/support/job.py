"""A job of the workflow that has assumed the role of base.yaml."""

GIVEN = {"Owner": "octo-lab", "Repository": "lighthouse", "OwnerId": "1", "RepositoryId": "7"}


def _token(subject: str) -> str:
    now = int(time.time())
    claims = {"iss": f"https://{CLAIMS}", "aud": "sts.amazonaws.com", "sub": subject, "iat": now, "exp": now + 600}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


@dataclass(frozen=True)
class Job:
    """The workflow's job: the stack it writes to, what its requests were, and which permissions they took."""

    account: Account
    outputs: dict[str, str]
    settings: Settings
    taken: set[str]

    def run(self) -> tuple[int, str]:
        """Collect; tell the exit code and what went wrong."""
        try:
            report = run(self.settings)
        except UserError as error:
            return error.exit_code, str(error)
        return report.exit_code, "\n".join(report.all_errors)

    def permissions(self) -> dict[str, Any]:
        """Read the policy that the role has."""
        iam, arn = self.account.client("iam"), self.outputs["WriterPolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return document

    def take_away(self, action: str) -> None:
        """Let the role's policy allow all but one action."""
        document = self.permissions()
        for statement in document["Statement"]:
            statement["Action"] = [left for left in _actions(statement) if left != action]
        document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
        self.account.client("iam").create_policy_version(
            PolicyArn=self.outputs["WriterPolicyArn"], PolicyDocument=json.dumps(document), SetAsDefault=True
        )


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


ACTIONS = [
    action
    for statement in resolved(properties(BASE, "WriterPolicy")["PolicyDocument"])["Statement"]
    for action in _actions(statement)
]


def assume(account: Account, role: str) -> dict[str, str]:
    """Assume a role as the workflow does; the emulator cannot judge `repository_id`, so that it is left out."""
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


def watch(session: boto3.Session) -> set[str]:
    """Note which permission each request of a session takes, and answer for a missing file as S3 does.

    S3 says that a file is missing only to those who may list the bucket with the file's key as the prefix, to others
    that it is forbidden; the emulator says so to everybody. Whether one may is left to the emulator.
    """
    taken: set[str] = set()
    lister = boto3.Session().client("s3")
    lock = Lock()

    def asked(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - the SDK's
        with lock:
            taken.add(f"{model.service_model.service_id.lower()}:{model.name}")
        context["asked"] = params

    def answered(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - likewise
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
