"""The remote cache: results that machines share over HTTP."""
