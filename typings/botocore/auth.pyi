from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

class S3SigV4Auth:
    def __init__(
        self, credentials: ReadOnlyCredentials, service_name: str, region_name: str
    ) -> None: ...
    def add_auth(self, request: AWSRequest) -> None: ...
