"""action.yml, the workflows, and a user's workflow in a runner."""

import base64
import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from ghtraffic_action.settings import OLD_NAMES, Settings
from ghtraffic_action.settings.names import environment_name
from tests.support.aws import Account, create_table, serve_account
from tests.support.builders import NAME, NOW, ROOT, TOKEN, repository
from tests.support.cli import WHEELS
from tests.support.fake_github import FakeGitHub, Refusal
from tests.support.fault_proxy import FaultProxy, Reply, Request
from tests.support.runner import DATA_BRANCH, EXAMPLE, WORKFLOWS, RunJob, workflow

SUBJECT = "repo:octo-lab/lighthouse:ref:refs/heads/main"

pytestmark = pytest.mark.xdist_group("runner")


class TestFiles:
    """The files action.yml and the workflows."""

    def test_the_inputs_are_the_settings(self) -> None:
        """Each setting, also by its old name, is an input; two inputs belong to the Action only."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        names = {name.replace("-", "_") for name in action["inputs"]} - {"command", "role_to_assume", "aws_region"}
        beside = {"github_api_url", "platform", "workflow_repository", "old_names"}
        merged = {"repositories_file"}  # its names are among the repositories of the settings
        assert names - set(OLD_NAMES) - merged == set(Settings.__dataclass_fields__) - beside
        env = action["runs"]["steps"][-1]["env"]
        given = {environment_name(name): f"${{{{ inputs.{name.replace('_', '-')} }}}}" for name in names}
        assert {name: value for name, value in env.items() if name.startswith("GHTRAFFIC_")} == given

    def test_nothing_is_pasted_into_a_script(self) -> None:
        """Text of outsiders reaches a script in environment variables, never as part of the script."""
        for path in [ROOT / "action.yml", *WORKFLOWS]:
            assert not [run for run in _values(yaml.safe_load(path.read_text()), "run") if "${{" in run], path

    def test_every_action_is_pinned(self) -> None:
        """Foreign actions are pinned to a commit, with the version in a comment."""
        for path in [ROOT / "action.yml", *WORKFLOWS]:
            for line in path.read_text().splitlines():
                if "uses:" in line and "uses: ./" not in line:
                    commit, version = line.split("@")[1].split(" # ")
                    assert len(commit) == 40, line
                    assert int(commit, 16), line
                    assert version.startswith("v"), line

    def test_workflows_are_given_nothing_by_default(self) -> None:
        """Workflows have no permissions; each job lists those that it needs."""
        for path in WORKFLOWS:
            assert yaml.safe_load(path.read_text())["permissions"] == {}, path

    def test_the_examples_run_after_github_has_listed_yesterday(self) -> None:
        """They run between 10:00 and 20:00 UTC at an odd minute, and a variable lists their repositories."""
        for path, listed in ((EXAMPLE, "inputs.repositories || "), (DATA_BRANCH, "")):
            read = yaml.safe_load(path.read_text())
            minute, hour = read[True]["schedule"][0]["cron"].split()[:2]
            assert int(minute) % 2 == 1
            assert 10 <= int(hour) < 20
            [given] = [repositories for repositories in _values(read, "repositories") if "vars" in repositories]
            assert given == f"${{{{ {listed}vars.TRAFFIC_REPOSITORIES }}}}"

    def test_the_example_is_no_workflow_of_this_repository(self) -> None:
        """Nothing here uses ghtraffic on a schedule: this repository has no token, table or bucket."""
        own = [path.read_text() for path in WORKFLOWS if path.parent.name != "examples"]
        assert not [text for text in own if "ghtraffic/ghtraffic@" in text]


def _values(tree: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - YAML
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == name and isinstance(value, str):
                yield value
            yield from _values(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from _values(value, name)


class TestRun:
    """A user's workflow, run by `act`."""

    @pytest.mark.installs
    def test_a_schedule_collects_the_workflow_s_own_repository(self, run_job: RunJob, tmp_path: Path) -> None:
        """The README's workflow needs no input, and leaves a history, an export, outputs and a summary."""
        job = run_job(workflow(tmp_path))
        assert job.exit_code == 0, job.log
        assert job.outputs["collected"] == NAME
        assert job.outputs["failed"] == ""
        assert job.outputs["days-inserted"] == "15"
        assert json.loads(job.outputs["report"])["exit_code"] == 0
        assert (tmp_path / "export" / "v1" / "daily" / "month=2026-11" / "daily.csv").exists()
        assert str(tmp_path / "export" / "v1" / "latest" / "repositories.csv") in job.outputs["exported"]
        assert '"octo-lab/lighthouse"' in (tmp_path / "export" / "report.html").read_text("utf-8")
        assert "xychart-beta" in job.summary
        assert TOKEN not in job.log + job.summary

    def test_a_dispatch_gives_inputs(self, run_job: RunJob, tmp_path: Path, github: FakeGitHub) -> None:
        """Repositories on several lines, with shell characters in wrong places, and a dry run reach the program."""
        github.repositories.append(repository("octo-lab/two", id=8))
        given = {"repositories": f"\n  {NAME},\n octo-lab/two   !octo-lab/$(touch${{IFS}}x)*\n", "dry-run": "true"}
        job = run_job(workflow(tmp_path), event="workflow_dispatch", inputs=given)
        assert job.exit_code != 0
        assert "exit status 2" in job.log
        assert "is not a repository" in "".join(job.annotations)
        given["repositories"] = f"\n  {NAME},\n octo-lab/two   !octo-lab/x*\n"
        job = run_job(workflow(tmp_path), event="workflow_dispatch", inputs=given)
        assert job.exit_code == 0, job.log
        assert job.outputs["collected"] == f"{NAME} octo-lab/two"
        assert "dry run" in job.summary
        assert not (tmp_path / "traffic.db").exists()
        assert not (tmp_path / "export").exists()
        assert not list(tmp_path.rglob("x"))

    def test_a_failing_repository_turns_the_job_red(self, run_job: RunJob, tmp_path: Path, github: FakeGitHub) -> None:
        """The other repository is stored and exported, the annotation has the remedy, and the job fails."""
        github.repositories.append(repository("octo-lab/two", id=8))
        github.refuse(Refusal.NOT_ACCESSIBLE_BY_INTEGRATION, path="octo-lab/two/traffic")
        job = run_job(workflow(tmp_path, repositories=f"{NAME} octo-lab/two"))
        assert job.exit_code == 1
        assert job.outputs["collected"] == NAME
        assert job.outputs["failed"] == "octo-lab/two"
        errors = [text for text in job.annotations if "octo-lab/two" in text]
        assert len(errors) == 1
        assert "Administration: read" in errors[0]
        assert NAME in (tmp_path / "export" / "v1" / "latest" / "repositories.csv").read_text()

    @pytest.mark.installs
    def test_the_caller_s_files_and_settings_stay_outside(self, run_job: RunJob, tmp_path: Path) -> None:
        """Folders named like our packages, PYTHONPATH and a sitecustomize in the checkout change nothing."""
        raising = "raise SystemExit('the caller was imported')"
        files = {f"{name}/__init__.py": raising for name in ("github", "boto3", "click", "ghtraffic_action")}
        checkout = tmp_path / "checkout"
        env = {"PYTHONPATH": str(checkout), "PYTHONHOME": "/nowhere", "PYTHONWARNINGS": "error"}
        job = run_job(
            workflow(tmp_path), files=files | {"sitecustomize.py": raising, "pip/__init__.py": raising}, env=env
        )
        assert job.exit_code == 0, job.log
        assert job.outputs["collected"] == NAME

    @pytest.mark.installs
    def test_settings_of_pip_in_variables_changes_nothing(self, run_job: RunJob, tmp_path: Path) -> None:
        """Variables that would make pip fail or install elsewhere have no effect."""
        elsewhere = tmp_path / "elsewhere"
        job = run_job(
            workflow(tmp_path),
            env={
                "PIP_USER": "1",
                "PIP_REQUIRE_VIRTUALENV": "1",
                "PIP_DRY_RUN": "1",
                "PIP_PREFIX": f"{elsewhere}/prefix",
                "PIP_CONSTRAINT": f"{elsewhere}/missing.txt",
                "PIP_ROOT": f"{elsewhere}/root",
                "PIP_NO_DEPS": "0",
                "PIP_NO_BINARY": ":all:",
                "PIP_TARGET": f"{elsewhere}/target",
                "UV_OFFLINE": "1",
                "UV_NO_INDEX": "0",
            },
        )
        assert job.exit_code == 0, job.log
        assert job.outputs["collected"] == NAME
        assert not elsewhere.exists()

    @pytest.mark.installs
    def test_only_the_index_of_a_pip_file_counts(self, run_job: RunJob, tmp_path: Path) -> None:
        """All other options of the file are ignored, those for all commands and those of `install`."""
        elsewhere, config = tmp_path / "elsewhere", tmp_path / "pip.conf"
        config.write_text(
            f"[global]\nno-index = true\nfind-links = {WHEELS['PIP_FIND_LINKS']}\nuser = true\n"
            f"[install]\ntarget = {elsewhere}/target\nroot = {elsewhere}/root\n"
        )
        env = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": str(config)}
        job = run_job(workflow(tmp_path), env=env)
        assert job.exit_code == 0, job.log
        assert job.outputs["collected"] == NAME
        assert not elsewhere.exists()

    @pytest.mark.installs
    def test_a_registry_that_has_nothing_fails_the_install(self, run_job: RunJob, tmp_path: Path) -> None:
        """The install step fails with a message, and no later step runs."""
        (tmp_path / "empty").mkdir()
        job = run_job(workflow(tmp_path), env={"PIP_FIND_LINKS": str(tmp_path / "empty")})
        assert job.exit_code != 0
        [error] = [text for text in job.annotations if "install: nothing can be run" in text]
        assert "check pip's index, proxy and certificate" in error
        assert not job.outputs.get("collected")

    @pytest.mark.installs
    def test_what_an_earlier_job_has_left_does_not_run(
        self, run_job: RunJob, tmp_path: Path, bare_python: Path
    ) -> None:
        """A .pth file in the user's packages and a sitecustomize beside the interpreter's are not executed."""
        found = subprocess.run(
            [
                bare_python,
                "-c",
                "import site, sysconfig; print(site.getusersitepackages(), sysconfig.get_path('purelib'))",
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        )
        user, interpreter = map(Path, found.stdout.split())
        user.mkdir(parents=True)
        trap = f"import os; 'GHTRAFFIC_GITHUB_TOKEN' in os.environ and open({str(tmp_path / 'caught')!r}, 'w')\n"
        (user / "left.pth").write_text(trap)
        (user / "usercustomize.py").write_text(trap)
        left = [interpreter / "left.pth", interpreter / "sitecustomize.py"]
        for path in left:
            path.write_text(trap)
        try:
            job = run_job(workflow(tmp_path))
        finally:
            for path in left:
                path.unlink()
        assert job.exit_code == 0, job.log
        assert not (tmp_path / "caught").exists()

    def test_the_variable_names_what_a_schedule_collects(
        self, run_job: RunJob, tmp_path: Path, github: FakeGitHub
    ) -> None:
        """A scheduled run has no inputs and uses the variable; the inputs of a dispatch take precedence."""
        github.repositories.append(repository("octo-lab/two", id=8))
        text = workflow(tmp_path).replace("vars.TRAFFIC_REPOSITORIES", "'octo-lab/two'")
        assert "inputs.repositories || 'octo-lab/two'" in text
        job = run_job(text)
        assert job.outputs["collected"] == "octo-lab/two", job.log
        job = run_job(text, event="workflow_dispatch", inputs={"repositories": NAME, "dry-run": "false"})
        assert job.outputs["collected"] == NAME, job.log

    def test_a_public_repository_s_log_holds_no_traffic(
        self, run_job: RunJob, tmp_path: Path, github: FakeGitHub
    ) -> None:
        """With `summary: auto` neither log nor outputs nor summary show traffic or a private name."""
        github.repositories.append(repository("octo-lab/hidden", id=8, private=True))
        job = run_job(workflow(tmp_path, repositories=f"{NAME} octo-lab/hidden", summary="auto"))
        assert job.exit_code == 0, job.log
        reported = job.summary + "".join(job.outputs.values())
        assert "octo-lab/hidden" not in reported
        assert "#8" in job.outputs["collected"]
        assert "xychart" not in reported
        views = (tmp_path / "export" / "v1" / "latest" / "repositories.csv").read_text().splitlines()[1].split(",")[2]
        assert int(views) > 1000
        assert views not in reported

    def test_a_role_without_permission_to_ask_is_reported(self, run_job: RunJob, tmp_path: Path) -> None:
        """Without `id-token: write` the first step fails and names the missing line."""
        role = "arn:aws:iam::123456789012:role/traffic"
        job = run_job(workflow(tmp_path, role_to_assume=role, aws_region="us-east-1"))
        assert job.exit_code != 0
        assert any("id-token: write" in text for text in job.annotations), job.log
        job = run_job(workflow(tmp_path, role_to_assume=role, aws_region=""), env={"ACTIONS_ID_TOKEN_REQUEST_URL": "x"})
        assert any("aws-region" in text for text in job.annotations), job.log


@dataclass(frozen=True)
class Cloud:
    """An account that evaluates policies, with a table, a bucket and a role for the job of SUBJECT."""

    url: str
    table: str
    role: str
    issuer: str
    dynamodb: Any
    s3: Any


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Start the emulator with an empty account and an OIDC issuer."""
    with serve_account(tmp_path) as account, closing(FaultProxy()) as issuer:
        issuer.fault = _issue
        yield _cloud(account, f"{issuer.url}/token?from=job")


def _issue(request: Request) -> Reply:
    """Issue a token for the job's own secret, as GitHub does."""
    allowed = request.headers["Authorization"] == "Bearer job" and "audience=sts.amazonaws.com" in request.path
    return Reply(200, json.dumps({"value": _token(SUBJECT)}).encode()) if allowed else Reply(401, b"{}")


def _token(subject: str) -> str:
    now = int(time.time())
    claims = {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": subject}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, {**claims, "iat": now, "exp": now + 600}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


def _cloud(account: Account, issuer: str) -> Cloud:
    iam, dynamodb, s3, sts = map(account.client, ("iam", "dynamodb", "s3", "sts"))
    name = f"traffic-{uuid.uuid4().hex[:8]}"
    create_table(dynamodb, name)
    s3.create_bucket(Bucket=name)
    number = sts.get_caller_identity()["Account"]
    provider = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"]
    )["OpenIDConnectProviderArn"]
    trust, permissions = _policies(number, provider, name)
    role = iam.create_role(RoleName="traffic", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="traffic", PolicyName="traffic", PolicyDocument=json.dumps(permissions))
    with pytest.raises(ClientError, match="AccessDenied"):  # the judge must be able to say no
        sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="other", WebIdentityToken=_token(SUBJECT.replace("main", "other"))
        )
    return Cloud(account.url, name, role, issuer, dynamodb, s3)


def _policies(account: str, provider: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both policies of docs/by-hand.md for this account, without the claim that the emulator cannot check."""
    blocks = (ROOT / "docs" / "by-hand.md").read_text().split("```json\n")[1:3]
    values = {
        "arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com": provider,
        "OWNER@OWNER_ID/REPO@REPO_ID": "octo-lab@1/lighthouse@7",
        "OWNER/REPO": NAME,
        "REGION:ACCOUNT:table/github-traffic": f"us-east-1:{account}:table/{name}",
        "YOUR-BUCKET": name,
    }
    policies = []
    for block in blocks:
        text = block.split("```")[0]
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        policies.append(json.loads(text))
    del policies[0]["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:repository_id"]
    del policies[1]["Statement"][3]["Condition"]  # the emulator does not know a metric's namespace
    return policies[0], policies[1]


class TestRole:
    """The role of docs/by-hand.md."""

    def test_the_job_assumes_the_role_and_shares_it_with_nobody(
        self, run_job: RunJob, tmp_path: Path, cloud: Cloud, github: FakeGitHub
    ) -> None:
        """Two runs store and export with its policies, and a later step sees no credentials."""
        text = workflow(
            tmp_path,
            store=f"dynamodb://{cloud.table}",
            export_to=f"s3://{cloud.table}/traffic",
            role_to_assume=cloud.role,
            aws_region="us-east-1",
            heartbeat="cloudwatch",
        )
        read = yaml.safe_load(text)
        read["jobs"]["collect"]["steps"].append(
            {"run": "env | grep -E '^[A-Z_]*(KEY_ID|ACCESS_KEY|SESSION_TOKEN)' || echo CLEAN"}
        )
        env = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": cloud.issuer,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        job = run_job(yaml.safe_dump(read, sort_keys=False), env=env)
        assert job.exit_code == 0, job.log
        assert job.outputs["days-inserted"] == "15"
        assert f"s3://{cloud.table}/traffic/v1/latest/repositories.csv" in job.outputs["exported"]
        assert "\nCLEAN\n" in job.log
        found = cloud.dynamodb.scan(TableName=cloud.table)["Items"]
        assert {item["pk"]["S"] for item in found} == {"repo#7"}
        github.now = NOW.replace(day=24)
        job = run_job(yaml.safe_dump(read, sort_keys=False), env=env)
        assert job.exit_code == 0, job.log
        assert job.outputs["days-inserted"] == "1"
