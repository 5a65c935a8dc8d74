"""The remote cache: results that machines share over HTTP, or through the Remote Execution API."""
