"""Running commands: the sandbox, stopping a run, the jobserver."""
