"""What the stacks come to, on an emulator that deploys them."""


class TestStacks:
    """What the stacks come to."""

    def test_the_schedule_begins_the_function(self, job: Job, zipped: Path, tmp_path: Path) -> None:
        """Its role lets it collect into what base.yaml made, and a run of the workflow's goes on from there.

        The emulator runs functions in its own interpreter, which is of the version of this one, as the zip is.
        """
        s3, scheduler, dynamodb = (job.account.client(name) for name in ("s3", "scheduler", "dynamodb"))
        s3.create_bucket(Bucket="code")
        s3.upload_file(str(zipped), "code", "ghtraffic-lambda.zip")
        parameters = {name: job.outputs[name] for name in ("TableName", "BucketName", "WriterPolicyArn")}
        outputs = job.account.deploy(
            "function",
            "lambda.yaml",
            **parameters,
            Repositories=NAME,
            TokenParameter="/ghtraffic/token",
            CodeBucket="code",
            Architecture=ARCH,
        )
        [summary] = scheduler.list_schedules()["Schedules"]
        daily = scheduler.get_schedule(Name=summary["Name"])
        assert daily["ScheduleExpression"] == "cron(17 3 * * ? *)"
        assert daily["Target"]["Arn"].endswith(outputs["FunctionName"])
        changed = {name: daily[name] for name in ("Name", "GroupName", "FlexibleTimeWindow", "Target", "State")}
        scheduler.update_schedule(**changed, ScheduleExpression="at(2026-01-01T00:00:00)")
        deadline = time.monotonic() + 60
        catalogue = {"Bucket": job.outputs["BucketName"], "Prefix": "traffic/v1/latest/repositories.csv"}
        while not s3.list_objects_v2(**catalogue)["KeyCount"]:
            assert time.monotonic() < deadline, (tmp_path / "emulator.log").read_text()
            time.sleep(0.1)
        assert dynamodb.scan(TableName=job.outputs["TableName"])["Count"] == 16
        assert job.run() == (0, "")
        assert "s3:PutObject" not in job.taken
        assert "dynamodb:UpdateItem" not in job.taken

    def test_a_wildcard_is_refused(self, account: Account) -> None:
        """CloudFormation itself refuses it, with the words of the template, and makes nothing."""
        base = GIVEN | {"OidcProviderArn": account.provider()}
        function = {name: PARAMETERS[name] for name in ("TableName", "BucketName", "WriterPolicyArn", "CodeBucket")}
        function |= {"Repositories": NAME, "TokenParameter": "/ghtraffic/token"}
        for file, template, right in (("base.yaml", BASE, base), ("lambda.yaml", LAMBDA, function)):
            for name in PARAMETERS.keys() & template["Parameters"].keys():
                reason = re.escape(template["Parameters"][name]["ConstraintDescription"])
                with pytest.raises(ClientError, match=reason):
                    account.deploy("stack", file, **right | {name: PARAMETERS[name] + "*"})
        for name in ("OwnerId", "RepositoryId"):
            with pytest.raises(ClientError, match=name):
                account.deploy("stack", "base.yaml", **{key: base[key] for key in base if key != name})
        assert account.client("s3").list_buckets()["Buckets"] == []
        assert account.client("lambda").list_functions()["Functions"] == []
        assert account.deploy("base", "base.yaml", **base)

    def test_a_function_may_ask_as_an_app(self, account: Account) -> None:
        """It gets the App's id and the name of its key in the place of a token, and may read that key alone."""
        given = {name: PARAMETERS[name] for name in ("TableName", "BucketName", "WriterPolicyArn", "CodeBucket")}
        app = {"AppId": "12", "AppKeyParameter": "/ghtraffic/app-key"}
        outputs = account.deploy("function", "lambda.yaml", **given, **app, Repositories=NAME)
        found = account.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
        asking = {name: value for name, value in found["Environment"]["Variables"].items() if "_GITHUB_" in name}
        assert asking == {"GHTRAFFIC_GITHUB_APP": "12", "GHTRAFFIC_GITHUB_APP_KEY": "ssm:/ghtraffic/app-key"}
        role = {"RoleName": found["Role"].rsplit("/", 1)[1], "PolicyName": "function"}
        policy = account.client("iam").get_role_policy(**role)["PolicyDocument"]
        [secret] = [found["Resource"] for found in policy["Statement"] if found["Sid"] == "Secret"]
        assert secret.endswith(":parameter/ghtraffic/app-key")
