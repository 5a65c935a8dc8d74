"""The pinned tools: a lock of a release's packages, their files, and the roots that builds see."""
