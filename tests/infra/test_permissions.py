"""What the roles may do: each permission is taken away, each forbidden call is tried."""


@pytest.fixture
def job(account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that has assumed the role of base.yaml, with the token in a parameter, and the lines to paste."""
    outputs = account.deploy(
        "base", "base.yaml", **GIVEN, TokenParameter="/ghtraffic/token", OidcProviderArn=account.provider()
    )
    account.client("ssm").put_parameter(Name="/ghtraffic/token", Value=TOKEN, Type="SecureString")
    credentials = assume(account, outputs["RoleArn"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials["SessionToken"])
    lines = yaml.safe_load(outputs["Workflow"])
    given = {environment_name(name): lines[name.replace("_", "-")] for name in ("store", "export_to")}
    given |= {"GHTRAFFIC_REPOSITORIES": NAME, "GHTRAFFIC_GITHUB_TOKEN": "ssm:/ghtraffic/token"}
    settings = read_settings("collect", given | {"GITHUB_API_URL": github.url})
    session = boto3.Session()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    taken = watch(session)
    return Job(account, outputs, settings, taken)


class TestRole:
    """What the role of base.yaml is good for."""

    def test_a_run_takes_each_of_its_permissions_and_no_other(self, job: Job) -> None:
        """The policy is the template's to the letter; all that a run asks for is in it, and all in it is asked for."""
        number = job.outputs["RoleArn"].split(":")[4]
        made = {"AWS::AccountId": number, "AWS::Region": "us-east-1"}
        made["Table.Arn"] = f"arn:aws:dynamodb:us-east-1:{number}:table/{job.outputs['TableName']}"
        made["Bucket.Arn"] = f"arn:aws:s3:::{job.outputs['BucketName']}"
        assert job.permissions() == resolved(properties(BASE, "WriterPolicy")["PolicyDocument"], **made)
        assert job.run() == (0, "")
        assert job.taken == set(ACTIONS)
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 16
        assert job.run() == (0, "")

    @pytest.mark.parametrize("action", [action for action in ACTIONS if action != "s3:ListBucket"])
    def test_without_one_of_them_a_run_fails(self, job: Job, action: str) -> None:
        """The error names what is missing."""
        job.take_away(action)
        exit_code, error = job.run()
        assert exit_code == 1
        assert f"AWS denies {action}" in error

    def test_without_listing_the_first_run_of_a_month_fails(self, job: Job, github: FakeGitHub) -> None:
        """As long as all files are there nothing is missed; a new month's file reads as forbidden."""
        assert job.run() == (0, "")
        job.take_away("s3:ListBucket")
        github.now = NOW.replace(day=24)
        assert job.run() == (0, "")
        github.now = NOW.replace(month=12, day=1)
        exit_code, error = job.run()
        assert exit_code == 1
        assert "s3:ListBucket on the bucket" in error

    @pytest.mark.parametrize("account", ["http"], indirect=True)
    def test_in_the_clear_a_run_fails(self, job: Job) -> None:
        """The bucket takes nothing that others on the way can read; the history is stored all the same."""
        exit_code, error = job.run()
        assert exit_code == 1
        assert "AWS denies s3:" in error
        assert job.account.client("dynamodb").scan(TableName=job.outputs["TableName"])["Count"] == 16

    def test_it_can_do_nothing_else(self, job: Job) -> None:
        """Nothing beside the prefix, no other parameter, no deletion, no scan."""
        bucket, table = job.outputs["BucketName"], job.outputs["TableName"]
        s3, dynamodb, ssm = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("ssm")
        s3.put_object(Bucket=bucket, Key="traffic/file", Body=b"")
        for attempt in (
            lambda: s3.put_object(Bucket=bucket, Key="other/file", Body=b""),
            lambda: s3.get_object(Bucket=bucket, Key="trafficker/file"),
            lambda: s3.delete_object(Bucket=bucket, Key="traffic/file"),
            lambda: s3.list_objects_v2(Bucket=bucket),
            lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
            lambda: dynamodb.scan(TableName=table),
            lambda: dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}}),
            lambda: dynamodb.delete_table(TableName=table),
            lambda: ssm.get_parameter(Name="/other", WithDecryption=True),
            lambda: ssm.put_parameter(Name="/ghtraffic/token", Value="x", Type="String", Overwrite=True),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                attempt()
