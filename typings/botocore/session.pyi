from typing import Any

from botocore.config import Config
from botocore.credentials import Credentials

class Session:
    def get_credentials(self) -> Credentials | None: ...
    def create_client(
        self,
        service_name: str,
        region_name: str,
        *,
        endpoint_url: str,
        aws_access_key_id: str,
        aws_secret_access_key: str,
        config: Config,
    ) -> Any: ...
