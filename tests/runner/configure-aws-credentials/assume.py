"""Exchange the job's OIDC token for credentials of the role, as the real action does."""

import json
import os
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
from botocore import UNSIGNED
from botocore.config import Config

request = Request(  # noqa: S310 - the issuer of the test, on loopback
    os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=sts.amazonaws.com",
    headers={"Authorization": f"Bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
)
with urlopen(request) as answer:  # noqa: S310 - GitHub, or loopback
    token = json.load(answer)["value"]
sts = boto3.client("sts", region_name=os.environ["REGION"], config=Config(signature_version=UNSIGNED))
credentials = sts.assume_role_with_web_identity(
    RoleArn=os.environ["ROLE"], RoleSessionName=os.environ["SESSION"], WebIdentityToken=token
)["Credentials"]
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
    outputs.write(f"aws-access-key-id={credentials['AccessKeyId']}\n")
    outputs.write(f"aws-secret-access-key={credentials['SecretAccessKey']}\n")
    outputs.write(f"aws-session-token={credentials['SessionToken']}\n")
