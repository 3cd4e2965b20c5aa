"""The fixture that several of these tests start from: a job with its role."""

import pytest
import yaml

from ghtraffic_action.settings import read_settings
from ghtraffic_action.settings.names import environment_name
from tests.support.aws import Account
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.job import GIVEN, Inline, Job, assume, be, policies_of


@pytest.fixture
def job(request: pytest.FixtureRequest, account: Account, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return a job that has assumed the role of base.yaml and uses the stack's output `Workflow`.

    A test may have more parameters of the stack, as the fixture's own.
    """
    chosen: dict[str, str] = getattr(request, "param", {})
    parameters = GIVEN | {"TokenParameter": "/ghtraffic/token"} | chosen
    outputs = account.deploy("ghtraffic", "base.yaml", **parameters, OidcProviderArn=account.provider())
    account.client("ssm").put_parameter(Name="/ghtraffic/token", Value=TOKEN, Type="SecureString")
    lines = yaml.safe_load(outputs["Workflow"])
    settings_of = ("store", "export_to", "heartbeat", *(["alerts"] if chosen else []))
    given = {environment_name(name): lines[name.replace("_", "-")] for name in settings_of}
    given |= {"GHTRAFFIC_REPOSITORIES": NAME, "GHTRAFFIC_GITHUB_TOKEN": "ssm:/ghtraffic/token"}
    settings = read_settings("collect", given | {"GITHUB_API_URL": github.url})
    heartbeat = Inline(account, outputs["RoleArn"].rsplit("/", 1)[1])
    document = heartbeat.read()
    assert document == policies_of(outputs, **chosen)["Role"]["Policies"][0]["PolicyDocument"]
    del document["Statement"][0]["Condition"]  # the emulator does not know a metric's namespace
    heartbeat.write(document)
    return Job(account, outputs, settings, be(account, assume(account, outputs["RoleArn"]), monkeypatch))
