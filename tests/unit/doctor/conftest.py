"""Fixtures of the tests of `ghtraffic doctor`."""

import os
from collections.abc import Callable
from threading import Event

import boto3
import pytest

from ghtraffic_action.doctor import examine
from ghtraffic_action.settings import read_settings
from tests.support.aws import Aws
from tests.support.builders import NAME, TOKEN
from tests.support.fake_github import FakeGitHub
from tests.support.fault_proxy import FaultProxy
from tests.support.findings import Findings, Front


@pytest.fixture
def look(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Findings]:
    """Return a function that runs the checks and returns the findings by the beginning of their text."""

    def examined(environ: dict[str, str] | None = None, **values: str) -> Findings:
        given = {"GHTRAFFIC_GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GHTRAFFIC_REPOSITORIES": NAME}
        given |= environ or {}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember the credentials of who made the account
        found = examine(read_settings("doctor", given, values), os.environ, stop=Event(), clock=lambda: github.now)
        assert all(finding.reason for finding in found if finding.state == "problem")
        return {finding.what: finding for finding in found}

    return examined


@pytest.fixture
def front(aws: Aws, proxy: FaultProxy) -> Front:
    """Serve the account through a proxy; its table and bucket have the stack's policies."""
    aws.dynamodb.update_table(TableName=aws.table, DeletionProtectionEnabled=True)
    aws.dynamodb.update_continuous_backups(
        TableName=aws.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.s3.put_public_access_block(Bucket=aws.bucket, PublicAccessBlockConfiguration=dict.fromkeys(names, True))
    return Front(proxy)
