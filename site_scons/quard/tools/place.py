"""Where a project has its pinned tools."""

FOLDER = "configs/tools"
"""Below the project: the names, and the lock files."""
FILE = f"{FOLDER}/names.toml"
