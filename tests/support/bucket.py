"""A bucket on 127.0.0.1 whose server checks who asks, and that what it is sent was signed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import requests
from botocore.config import Config
from waiting import within

REGION = "eu-central-1"
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}
_LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Bucket:
    """One bucket and its only user.

    server -- address of the server
    key, secret -- the user's
    """

    server: str
    key: str
    secret: str

    @property
    def address(self) -> str:
        """What cache.url would be: results are in a folder of the bucket."""
        return f"{self.server}/results/team"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that AWS tools read; the last one keeps them from asking a cloud."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def names(self) -> list[str]:
        """Return the names of what is in the bucket."""
        found = client("s3", self.server, self.key, self.secret).list_objects_v2(Bucket="results")
        return [entry["Key"] for entry in found.get("Contents", ())]


def client(service: str, server: str, key: str = "any", secret: str = "any") -> Any:
    """Return a client of the server."""
    return botocore.session.Session().create_client(
        service,
        REGION,
        endpoint_url=server,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )


@contextmanager
def running(folder: Path) -> Iterator[Bucket]:
    """Run a server with an empty bucket; it begins to check requests when these exist."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-P", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=env)
        try:
            yield _filled(_address(process, folder / "log"))
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    assert within(30, lambda: process.poll() is not None or _LISTENS.search(log.read_text()))
    found = _LISTENS.search(log.read_text())
    assert found, log.read_text()
    return found[1]


def _filled(server: str) -> Bucket:
    iam = client("iam", server)
    iam.create_user(UserName="ci")
    iam.put_user_policy(UserName="ci", PolicyName="all", PolicyDocument=json.dumps(_POLICY))
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    made = Bucket(server, key["AccessKeyId"], key["SecretAccessKey"])
    where = {"LocationConstraint": REGION}
    client("s3", server).create_bucket(Bucket="results", CreateBucketConfiguration=where)
    requests.post(f"{server}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
    return made
