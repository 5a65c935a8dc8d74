"""The shell steps of docs/ci, played in fresh clones against an nginx, as a service runs them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nginx
import pytest
from nginx import Nginx
from ruamel.yaml import YAML

import checkout
from incremental.conftest import ALL
from incremental.project import Project

NO_NAMESPACES = ("unshare", "--user", "--map-root-user", "sh", "-c",
                 "for kind in mnt user; do echo 0 >/proc/sys/user/max_${kind}_namespaces; done\n"
                 'exec "$@"', "sh")  # fmt: skip
"""Runs a command that can create no further namespace."""
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def workflow(name: str) -> Any:
    return YAML(typ="safe").load((checkout.TOP / "docs/ci" / name).read_text(encoding="utf-8"))


def filled(values: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return variables with GitHub's expressions replaced; an unknown one is an error."""
    return {
        name: EXPRESSION.sub(lambda found: known[found[1]], str(text))
        for name, text in values.items()
    }


def github(writes: bool, server: Nginx) -> list[tuple[str, dict[str, str]]]:
    """Return the shell steps of the job on GitHub, each with its variables."""
    known = {
        "vars.QUARDROOT_CACHE_URL": server.reading,
        "vars.QUARDROOT_DEBIAN_MIRROR": "https://mirror.example.org/debian",
        "secrets.QUARDROOT_CACHE_PUSH_URL": server.address if writes else "",
        "secrets.QUARDROOT_CACHE_TOKEN": "",
    }
    top = workflow("github.yml")
    return [
        (step["run"], filled({**top["env"], **step.get("env", {})}, known))
        for step in top["jobs"]["build"]["steps"]
        if "run" in step
    ]


def gitlab(writes: bool, server: Nginx) -> list[tuple[str, dict[str, str]]]:
    """Return the shell steps of the job on GitLab: variables that are not set do not exist."""
    top = workflow("gitlab.yml")
    given = {"QUARDROOT_CACHE_URL": server.reading}
    if writes:
        given["QUARDROOT_CACHE_PUSH_URL"] = server.address
    job = top[".build"]
    assert top["build"]["extends"] == ".build"
    variables = {**top["variables"], **given}
    return [
        (line, variables) for line in (*job["before_script"], *job["script"], *job["after_script"])
    ]


SERVICES = {"github": github, "gitlab": gitlab}


@dataclass
class Clone:
    """What one run of a workflow left behind."""

    folder: Path
    status: int
    text: str
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def built(self) -> list[str]:
        return [package["name"] for package in self.summary["built"]]

    @property
    def page(self) -> str:
        return (self.folder / "out/tiny/summary.md").read_text(encoding="utf-8")

    @property
    def image(self) -> bytes:
        return (self.folder / "out/tiny/images/rootfs.tar").read_bytes()


class Origin:
    """A small project in a repository, and the server of its cache."""

    def __init__(self, project: Project, server: Nginx) -> None:
        self.project = project
        self.server = server
        self.clones = 0
        start = shlex.join(checkout.scons()) + ' "$@"\n'
        script = project.folder / "scons"
        script.write_text(f"#!/bin/sh\nexec {start}")  # what ./scons becomes when all is ready
        script.chmod(0o755)
        (project.folder / ".gitignore").write_text("/out\n/.cache\n/local.toml\n.sconsign.dblite\n")
        self._git("init", "--quiet")
        self.commit()

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *who, *arguments], cwd=self.project.folder, check=True)

    def commit(self) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message=change")

    def play(self, service: str, *, writes: bool, around: tuple[str, ...] = ()) -> Clone:
        """Run a service's steps in a fresh clone, up to the first that fails."""
        self.clones += 1
        folder = self.project.folder.with_name(f"clone{self.clones}")
        self._git("clone", "--quiet", ".", str(folder))
        text, status = "", 0
        for script, variables in SERVICES[service](writes, self.server):
            own = {"BOARD": "tiny", "TOOLS_ROOT": "machine", "CI": "true"}
            own["GITHUB_STEP_SUMMARY"] = f"{folder}/out/tiny/summary.md"
            command = ["bash", "-eo", "pipefail", "-c", script]
            done = subprocess.run(
                [*around, *command],
                cwd=folder, env={**os.environ, **variables, **own}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=300, check=False,
            )  # fmt: skip
            text, status = text + done.stdout, done.returncode
            if status:
                break
        path = folder / "out/tiny/summary.json"
        return Clone(folder, status, text, json.loads(path.read_bytes()) if path.exists() else {})


@pytest.fixture
def origin(greeting: Project, tmp_path: Path) -> Iterator[Origin]:
    with nginx.running(tmp_path / "nginx") as server:
        yield Origin(greeting, server)


@pytest.mark.parametrize("service", SERVICES)
def test_a_clone_has_the_results_of_another_and_builds_only_what_a_commit_changes(
    origin: Origin, service: str
) -> None:
    first = origin.play(service, writes=True)
    assert first.status == 0, first.text
    assert first.built == ALL and "sent 4 results" in first.text

    origin.server.forget_log()
    second = origin.play(service, writes=False)
    assert second.status == 0, second.text
    assert second.built == [] and sorted(second.summary["restored"]) == ALL
    assert second.image == first.image
    assert origin.server.lines("PUT") == []

    origin.project.program("alone", "int main(void) { return 1; }\n")
    origin.commit()
    third = origin.play(service, writes=True)
    assert third.status == 0, third.text
    assert third.built == ["alone"] and "sent 1 results" in third.text
    assert "| alone | " in third.page and "- Restored (3): greet, hello, libc" in third.page


@pytest.mark.parametrize("service", SERVICES)
def test_a_run_without_credentials_sends_nothing(origin: Origin, service: str) -> None:
    ran = origin.play(service, writes=False)
    assert ran.status == 0 and ran.built == ALL, ran.text
    assert origin.server.lines("PUT") == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_machine_without_namespaces_fails_with_one_block(origin: Origin, service: str) -> None:
    ran = origin.play(service, writes=True, around=NO_NAMESPACES)
    assert ran.status == 2, ran.text
    assert ran.text.count("error: ") == 1 and ran.text.count("reason: ") == 1
    assert "reason: no-sandbox" in ran.text and "Traceback" not in ran.text
    assert origin.server.lines("PUT") == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_password_of_the_cache_is_not_printed(origin: Origin, service: str) -> None:
    ran = origin.play(service, writes=True)
    assert "secret" not in ran.text
