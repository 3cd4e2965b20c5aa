"""Errors of AWS and its SDK: each message has the cause and no account id."""

import logging
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from botocore.loaders import create_loader
from botocore.session import get_session

from ghtraffic_action import aws
from ghtraffic_action.aws.environment import Explanation, without_ids
from ghtraffic_action.aws.errors import denied_by_role, explain
from tests.support.untrusted_tls import serve_untrusted_tls

KEYS = {"AWS_ACCESS_KEY_ID": "invented", "AWS_SECRET_ACCESS_KEY": "invented"}
USER = "User: arn:aws:sts::123456789012:assumed-role/traffic/ghtraffic is not authorized to perform: "
ITEM = " on resource: arn:aws:dynamodb:us-east-1:123456789012:table/traffic "


LOADER = create_loader()
"""The SDK's descriptions of services, parsed once."""


def forget_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a new session of the SDK, since the default one caches credentials of earlier tests."""
    session = get_session()
    session.register_component("data_loader", LOADER)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))


def cause(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, config: str = "") -> Explanation:
    """List the tables in this environment. Return the explained error."""
    Path("config").write_text(config)
    given = {"AWS_CONFIG_FILE": "config", "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(Path.cwd()), **environ}
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    try:
        forget_credentials(monkeypatch)
        with closing(aws.client("dynamodb")) as client:
            client.list_tables()
    except aws.ERRORS as error:
        return explain(error, "dynamodb")
    return pytest.fail("nothing went wrong")


def test_a_web_identity_s_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is to correct the variable with the file's name."""
    role = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x"}
    assert cause(role, monkeypatch) == Explanation(
        "the file of AWS_WEB_IDENTITY_TOKEN_FILE cannot be read (/no/token: No such file or directory)",
        "correct AWS_WEB_IDENTITY_TOKEN_FILE, or unset it",
    )


def test_a_container_s_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is to correct the variable with the name of the container agent's file."""
    agent = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x"}
    found = cause({**agent, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/token"}, monkeypatch)
    assert found.remedy == "correct AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, or unset it"


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("/no/program -x", "the credential_process of the profile cannot be started (/no/program: No such file"),
        ("./config", "the credential_process of the profile cannot be started (./config: Permission denied"),
        ("false", "the credential_process of the profile failed"),
        ("echo hello", "the credential_process of the profile prints no credentials (JSONDecodeError)"),
        ("echo []", "the credential_process of the profile prints no credentials (AttributeError)"),
        ("echo 'x", "the credential_process of the profile prints no credentials (ValueError)"),
        ('echo {"Version":2}', "the credential_process of the profile prints no credentials"),
    ],
)
def test_a_program_for_credentials_is_named(program: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential_process that is missing, fails or prints something else is reported as the cause."""
    found = cause({}, monkeypatch, f"[default]\ncredential_process = {program}\n")
    assert found.problem.startswith(problem)


def test_a_login_that_needs_a_library_has_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`aws login` needs botocore[crt]; the remedy exports its credentials by the AWS CLI."""
    found = cause(
        {"AWS_PROFILE": "me"}, monkeypatch, "[profile me]\nlogin_session = arn:aws:iam::123456789012:user/x\n"
    )
    assert 'eval "$(aws configure export-credentials --profile me --format env)"' in found.remedy
    assert 'pip install "botocore[crt]"' in found.remedy


SSO = "sso_account_id = 123456789012\nsso_role_name = x\n"
START = "sso_start_url = https://octo-lab.awsapps.com/start\nsso_region = us-east-1\n"


@pytest.mark.parametrize(
    "config", [f"[profile me]\n{SSO}{START}", f"[profile me]\n{SSO}sso_session = s\n[sso-session s]\n{START}"]
)
def test_a_missing_sso_session_has_its_command(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms of a profile lead to `aws sso login`."""
    found = cause({"AWS_PROFILE": "me"}, monkeypatch, config)
    assert str(found) == "the SSO session is missing or has expired: run `aws sso login --profile me`"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_certificates_that_are_missing_are_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and its file, and does not blame the network."""
    found = cause({**KEYS, variable: "/no/ca.pem", "AWS_ENDPOINT_URL": "https://127.0.0.1:9"}, monkeypatch)
    assert str(found) == (
        f"the certificates of {variable} cannot be read (/no/ca.pem): "
        f"set {variable} to a file of certificates in PEM, or unset it"
    )


@pytest.mark.e2e
def test_a_private_certificate_is_the_cause(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a TLS proxy the remedy is AWS_CA_BUNDLE; if that is set, the remedy is to check it."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with serve_untrusted_tls(certificate) as url:
        found = cause({**KEYS, "AWS_ENDPOINT_URL": url}, monkeypatch)
        assert "does not trust the certificate of AWS" in found.problem
        assert "AWS_CA_BUNDLE" in found.remedy
        other = Path(ssl.get_default_verify_paths().openssl_cafile)
        Path("other.pem").write_text(other.read_text() if other.exists() else certificate.read_text())
        if other.exists():
            found = cause({**KEYS, "AWS_ENDPOINT_URL": url, "REQUESTS_CA_BUNDLE": "other.pem"}, monkeypatch)
            assert found.remedy == "check REQUESTS_CA_BUNDLE"


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "garbage", "http://host:port"])
def test_a_proxy_that_is_wrong_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the proxy's variable, whatever the SDK raises."""
    monkeypatch.delenv("no_proxy")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    found = cause({**KEYS, "HTTPS_PROXY": proxy, "AWS_ENDPOINT_URL": "https://127.0.0.1:9"}, monkeypatch)
    assert found.remedy.startswith("check HTTPS_PROXY")


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"AWS_ENDPOINT_URL": "garbage"}, "AWS_ENDPOINT_URL holds 'garbage', which is not a URL"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "host:80"}, "AWS_ENDPOINT_URL_DYNAMODB holds 'host:80', which is not a URL"),
        ({"AWS_DEFAULT_REGION": "us east"}, "AWS_DEFAULT_REGION holds 'us east', which is not a region"),
        ({"AWS_DEFAULT_REGION": '"us-east-1"'}, "AWS_DEFAULT_REGION holds '\"us-east-1\"', which is not a region"),
        ({"AWS_DEFAULT_REGION": "us-east-1\n"}, "AWS_DEFAULT_REGION holds 'us-east-1\\n', which is not a region"),
        ({"AWS_DEFAULT_REGION": "us\u2013east\u20131"}, "AWS_DEFAULT_REGION holds"),
        ({"AWS_DEFAULT_REGION": "", "AWS_REGION": "eu_west_1"}, "AWS_REGION holds 'eu_west_1', which is not a region"),
        ({"AWS_PROFILE": "nobody"}, "AWS's configuration has no profile 'nobody'"),
        ({"AWS_DEFAULT_PROFILE": "nobody"}, "AWS's configuration has no profile 'nobody'"),
    ],
)
def test_settings_that_the_sdk_refuses_are_shown(
    environ: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable and its value."""
    assert cause({**KEYS, **environ}, monkeypatch).problem.startswith(problem)


@pytest.mark.parametrize(
    ("environ", "config", "problem"),
    [
        ({"AWS_ACCESS_KEY_ID": "invented"}, "", "the AWS credentials lack AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "/"}, "", "and the file of AWS_SHARED_CREDENTIALS_FILE cannot be read (/)"),
        ({}, "[default\n", "AWS's configuration cannot be parsed (config)"),
        ({}, "\ufeff[default]\nregion = us-east-1\n", "AWS's configuration cannot be parsed (config)"),
        (
            {"AWS_PROFILE": "me"},
            "[profile me]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /no/token\n",
            "the web_identity_token_file of the profile cannot be read (/no/token: No such file",
        ),
        pytest.param(
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x"},
            "",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            marks=pytest.mark.e2e,
        ),
        (
            {"AWS_PROFILE": "me"},
            "[profile me]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = nobody\n",
            "source_profile",
        ),
    ],
)
def test_what_the_credentials_lack_is_named(
    environ: dict[str, str], config: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the missing part, not a credential_process that does not exist."""
    monkeypatch.setattr("botocore.utils.time.sleep", lambda _: None)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = cause(environ, monkeypatch, config)
    assert problem in found.problem
    assert "123456789012" not in str(found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ACCESS_KEY_ID", "invented\n"),
        ("AWS_SESSION_TOKEN", "invented\n"),
        ("AWS_SESSION_TOKEN", "in vented"),
        ("AWS_ACCESS_KEY_ID", "\u201cinvented\u201d"),
    ],
)
def test_a_key_with_the_end_of_a_line_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reports a malformed header as a network error; the message names the variable, not the key."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    found = cause({**KEYS, variable: value, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, monkeypatch)
    assert found.problem == (f"{variable} holds blanks, the end of a line, quotes or characters that no key has")
    assert "invented" not in str(found)


@pytest.mark.parametrize(
    ("in_actions", "credentials", "region"),
    [("true", "set `role-to-assume`", "set `aws-region`"), ("", "set AWS_PROFILE, or ", "set AWS_DEFAULT_REGION")],
)
def test_a_remedy_names_what_the_reader_has(
    in_actions: str, credentials: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is an input in a workflow, a variable elsewhere."""
    monkeypatch.setenv("GITHUB_ACTIONS", in_actions)
    assert explain(NoCredentialsError(), "s3").remedy.startswith(credentials)
    assert explain(NoRegionError(), "s3").remedy == region


def test_a_signature_that_is_wrong_may_be_a_quote_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes around a secret, as an env file keeps them, are reported as the cause."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", '"invented"')
    found = explain(denial("", code="SignatureDoesNotMatch"), "s3")
    assert found.problem.startswith("AWS_SECRET_ACCESS_KEY holds")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    assert "clock" in explain(denial("", code="SignatureDoesNotMatch"), "s3").remedy


def test_a_zone_is_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown region has no endpoint, which is not a network error. Other services may have such regions."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1a")
    error = EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-1a.amazonaws.com/")
    assert "AWS_DEFAULT_REGION holds 'eu-west-1a'" in explain(error, "dynamodb").problem
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "set `aws-region`" in explain(error, "dynamodb").remedy
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert explain(error, "dynamodb").problem.startswith("AWS cannot be reached")


@pytest.mark.parametrize("default", ["", "eu-central-1"])
def test_the_other_variable_of_the_region_counts(default: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION alone sets the region; boto3's own variable takes precedence."""
    for name, value in {**KEYS, "AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": default}.items():
        monkeypatch.setenv(name, value)
    forget_credentials(monkeypatch)
    with closing(aws.client("dynamodb")) as client:
        assert client.meta.region_name == (default or "eu-west-3")


def denial(words: str, operation: str = "PutObject", code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": words}}, operation)


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        ("Access Denied", "AWS denies s3:PutObject", "allow it to this role"),
        (
            f"{USER}dynamodb:Query{ITEM}because no identity-based policy allows the dynamodb:Query action",
            "AWS denies dynamodb:Query",
            "allow it to this role",
        ),
        (
            f"{USER}kms:GenerateDataKey{ITEM}because no identity-based policy allows the kms:GenerateDataKey action",
            "AWS denies kms:GenerateDataKey",
            "allow it to this role, in the role's policy and in the policy of the key",
        ),
        (
            f"{USER}s3:PutObject{ITEM}with an explicit deny in a service control policy",
            "AWS denies s3:PutObject by an explicit deny in a service control policy",
            "ask those who administer the AWS organisation: no policy of the role can allow it",
        ),
        (
            f"{USER}s3:PutObject{ITEM}with an explicit deny in a resource control policy",
            "AWS denies s3:PutObject by an explicit deny in a resource control policy",
            "ask those who administer the AWS organisation: no policy of the role can allow it",
        ),
        (
            f"{USER}s3:PutObject{ITEM}with an explicit deny in a resource-based policy",
            "AWS denies s3:PutObject by an explicit deny in a resource-based policy",
            "change the policy of the bucket, the table or the key: no policy of the role can allow it",
        ),
        (
            f"{USER}kms:Decrypt{ITEM}with an explicit deny in an identity-based policy",
            "AWS denies kms:Decrypt by an explicit deny in a identity-based policy".replace(
                "a identity", "an identity"
            ),
            "remove that Deny from the role",
        ),
        (
            f"{USER}s3:PutObject{ITEM}with an explicit deny in a VPC endpoint policy",
            "AWS denies s3:PutObject by an explicit deny in a VPC endpoint policy",
            "change the VPC endpoint policy: no policy of the role can allow it",
        ),
        (
            f"{USER}s3:PutObject{ITEM}because no permissions boundary allows the s3:PutObject action",
            "AWS denies s3:PutObject, which the permissions boundary does not allow",
            "allow s3:PutObject in the permissions boundary too",
        ),
        (
            f"{USER}s3:PutObject{ITEM}with an explicit deny",
            "AWS denies s3:PutObject by an explicit deny",
            "look for that Deny in the policies of the role, of what it uses, and of the AWS organisation",
        ),
        (
            f"{USER}s3:PutObject{ITEM}because no resource-based policy allows the s3:PutObject action",
            "AWS denies s3:PutObject",
            "allow it to this role in the policy of the bucket or the table too",
        ),
        (
            "The ciphertext refers to a customer master key that does not exist, or you are not allowed to access.",
            "AWS denies kms:Decrypt",
            "allow it to this role, in the role's policy and in the policy of the key",
        ),
        (
            "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole",
            "AWS denies sts:AssumeRole",
            "let the role's trust policy name these credentials, and let their own policy allow it; some need MFA",
        ),
        (
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "AWS denies sts:AssumeRoleWithWebIdentity",
            "compare the role's trust policy with what the job sends: owner, name, ids and branch",
        ),
    ],
)
def test_a_denial_is_judged_by_aws_s_own_sentence(words: str, problem: str, remedy: str) -> None:
    """The action and the reason come from AWS's message, since the operation can need another permission."""
    error = denial(words)
    assert explain(error, "s3") == Explanation(problem, remedy)
    assert denied_by_role(error) is (remedy == "allow it to this role")


@pytest.mark.parametrize("operation", ["AssumeRoleWithWebIdentity", "AssumeRole"])
def test_a_denial_without_a_sentence_names_the_service_that_was_asked(operation: str) -> None:
    """A refusal by STS names sts, whatever service the client is for."""
    assert explain(denial("", operation), "dynamodb").problem == f"AWS denies sts:{operation}"


def test_a_disabled_key_is_named() -> None:
    """The message names the key's permission, not the permission to write."""
    found = explain(denial("arn:aws:kms:us-east-1:123456789012:key/1 is disabled.", code="KMS.DisabledException"), "s3")
    assert found.problem == "the key that encrypts it cannot be used (KMS.DisabledException)"


@pytest.mark.parametrize(
    ("code", "problem", "remedy"),
    [
        ("InternalServerError", "AWS failed (InternalServerError)", "run again later"),
        ("ServiceUnavailable", "AWS failed (ServiceUnavailable)", "run again later"),
        ("RequestTimeTooSkewed", "clock is wrong", "set it"),
        ("TokenRefreshRequired", "have expired", "get new ones"),
        ("InvalidToken", "does not know these credentials", "the profile or the role"),
        ("OptInRequired", "does not serve this account", "AWS's console"),
        ("InaccessibleEncryptionCredentialsException", "the key that encrypts it", "enable it"),
    ],
)
def test_an_answer_has_a_remedy(code: str, problem: str, remedy: str) -> None:
    """The remedy is not AWS's message."""
    found = explain(denial("in 123456789012", code=code), "dynamodb")
    assert problem in found.problem
    assert remedy in found.remedy


@pytest.mark.parametrize("code", ["AccessDenied", "SomethingNew", "KMS.DisabledException", "InvalidAccessKeyId"])
def test_no_account_is_shown(code: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the message nor AWS's own text at -v has an account id or a key id."""
    caplog.set_level(logging.INFO, "ghtraffic_action")
    words = f"{USER}s3:PutObject{ITEM}AKIAIOSFODNN7EXAMPLE"
    shown = str(explain(denial(words, code=code), "s3"))
    assert "is not authorized to perform" in caplog.text
    for secret in ("123456789012", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in shown + caplog.text
    assert without_ids("at 1234567890123, 20261123") == "at 1234567890123, 20261123"


def test_the_words_of_aws_need_v(caplog: pytest.LogCaptureFixture) -> None:
    """AWS's own text is only logged at -v."""
    caplog.set_level(logging.WARNING, "ghtraffic_action")
    explain(denial("Access Denied"), "s3")
    assert caplog.text == ""


def test_the_secrets_client_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections are closed, whatever AWS answers."""
    made: list[Any] = []
    make = boto3.client

    def noted(*words: Any, **options: Any) -> Any:  # noqa: ANN401 - the SDK's
        made.append(make(*words, **options))
        closed = made[-1].close

        def close() -> None:
            made.append("closed")
            closed()

        monkeypatch.setattr(made[-1], "close", close)
        return made[-1 if made[-1] != "closed" else 0]

    monkeypatch.setattr(boto3, "client", noted)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    for name, value in {**KEYS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match="ssm:/x: AWS cannot be reached"):
        aws.parameter("/x")
    assert made[-1] == "closed"
