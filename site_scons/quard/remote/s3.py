"""Signed requests to a bucket: AWS Signature Version 4, which S3 and servers like it check."""

from __future__ import annotations

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from requests.auth import AuthBase

from quard.sources.attempt import Failed


class Signed(AuthBase):
    """Signs requests with the credentials that other AWS tools would use here.

    Without any, requests are sent as they are: a bucket may let everybody read.

    region -- of the bucket; other services document the word that they expect
    Raises Failed for credentials that are configured and cannot be used.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        try:
            self._credentials = Session().get_credentials()
        except BotoCoreError as fault:
            raise _unusable(fault) from None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials is None:
            return request
        signed = AWSRequest(request.method, request.url, data=request.body)
        try:
            current = self._credentials.get_frozen_credentials()
            S3SigV4Auth(current, "s3", self._region).add_auth(signed)
        except BotoCoreError as fault:
            raise _unusable(fault) from None
        request.headers.update(signed.headers)
        return request


def _unusable(fault: BotoCoreError) -> Failed:
    return Failed(f"the credentials for S3 cannot be used: {fault}")
