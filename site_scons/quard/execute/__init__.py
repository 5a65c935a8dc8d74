"""One package plan -> blobs: everything that touches the machine during a package build."""
