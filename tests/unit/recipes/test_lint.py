"""What must hold of a recipe beyond its syntax: each rule broken once, with its slug."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_parts import configuration
from recipe_parts import SHA, SOURCE, TOP, add, feature, load

from quard.base.errors import QuardError
from quard.plan.compose import Inputs, compose
from quard.recipes.catalog import Catalog
from quard.recipes.checked import require
from quard.recipes.finding import Finding
from quard.recipes.lint import lint

OURS = Catalog(TOP / "packages")


def findings(packages: Path, style: str = "Autotools", **changes: str | None) -> list[Finding]:
    for name in ("a-lib", "b-lib"):
        add(packages, name)
    package = load(packages, "thing", style, **changes)
    return list(lint(package, Catalog(packages)))


@pytest.mark.parametrize("name", OURS.names())
def test_every_recipe_of_the_project_is_clean(name: str) -> None:
    assert [str(finding) for finding in lint(OURS[name], OURS)] == []


def test_a_plain_recipe_is_clean(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


def test_a_custom_package_may_consist_of_files_of_its_own(tmp_path: Path) -> None:
    install = 'Run("cp", "{src}/thing", "{stage}/thing"),'
    changes = {"sources": None, "license_files": None, "install": f"({install})"}
    assert findings(tmp_path, "Custom", **changes) == []


def two(second: str) -> str:
    """Return two sources as text; `second` are the fields of the other one beyond its own three."""
    fields = f'"https://x/z.tar.gz", "{SHA[::-1]}", "us", {second}'
    return f'[Source("https://x/y.tar.gz", "{SHA}", "us"), Source({fields})]'


def source(**changes: str) -> str:
    fields = {
        "address": '"https://x/y.tar.gz"',
        "sha256": f'"{SHA}"',
        "provenance": '"us"',
        **changes,
    }
    return "[Source(" + ", ".join(f"{name}={text}" for name, text in fields.items()) + ")]"


TAKEN: dict[str, str | None] = {"sources": None, "license_files": None}
"""Fields of a recipe that takes files from the toolchain."""

BROKEN: dict[str, tuple[str, dict[str, str | None], str, str]] = {
    "empty summary": ("Autotools", {"summary": '""'}, "summary", "bad-summary"),
    "two lines": ("Autotools", {"summary": '"a\\nb"'}, "summary", "bad-summary"),
    "long summary": ("Autotools", {"summary": f'"{"x" * 81}"'}, "summary", "bad-summary"),
    "reason of two lines": ("Make", {"freestanding": '"a\\nb"'}, "freestanding", "bad-reason"),
    "exception without a reason": (
        "Make",
        {"unhardened": '(Unhardened("/x", lacks=("pie",), reason=""),)'},
        "unhardened",
        "bad-reason",
    ),
    "exception from nothing": (
        "Make",
        {"unhardened": '(Unhardened("/x", lacks=(), reason="so"),)'},
        "unhardened",
        "bad-defence",
    ),
    "exception from what is not checked": (
        "Make",
        {"unhardened": '(Unhardened("/x", lacks=("fortify",), reason="so"),)'},
        "unhardened",
        "bad-defence",
    ),
    "exception for a place": (
        "Make",
        {"unhardened": '(Unhardened("usr/x", lacks=("pie",), reason="so"),)'},
        "unhardened",
        "bad-path",
    ),
    "empty reason": ("Make", {"freestanding": '" "'}, "freestanding", "bad-reason"),
    "no version": ("Autotools", {"version": '""'}, "version", "missing-version"),
    "no licence": ("Autotools", {"license": '""'}, "license", "bad-license"),
    "licence in words": ("Autotools", {"license": '"GPL, v2"'}, "license", "bad-license"),
    "no licence file": ("Autotools", {"license_files": None}, "license_files", "missing-license"),
    "a licence outside of the source": (
        "Autotools",
        {"license_files": '("../COPYING",)'},
        "license_files",
        "bad-path",
    ),
    "no source": ("Autotools", {"sources": None}, "sources", "missing-source"),
    "empty hash": ("Autotools", {"sources": source(sha256='""')}, "source.sha256", "missing-hash"),
    "short hash": (
        "Autotools",
        {"sources": source(sha256='"abc"')},
        "source.sha256",
        "malformed-hash",
    ),
    "upper-case hash": (
        "Autotools",
        {"sources": source(sha256=f'"{SHA.upper()}"')},
        "source.sha256",
        "malformed-hash",
    ),
    "line end in a hash": (
        "Autotools",
        {"sources": source(sha256=f'"{SHA}\\n"')},
        "source.sha256",
        "malformed-hash",
    ),
    "alternate without a hash": (
        "Autotools",
        {"sources": source(alternates='(Alternate("https://x/z", "", "less"),)')},
        "alternate https://x/z",
        "missing-hash",
    ),
    "alternate of equal bytes": (
        "Autotools",
        {"sources": source(alternates=f'(Alternate("https://x/z", "{SHA}", "less"),)')},
        "source.alternates",
        "same-hash-twice",
    ),
    "no provenance": (
        "Autotools",
        {"sources": source(provenance='""')},
        "source.provenance",
        "missing-provenance",
    ),
    "address without a scheme": (
        "Autotools",
        {"sources": source(address='"example.org/x"')},
        "sources",
        "bad-address",
    ),
    "a first source with a folder": (
        "Autotools",
        {"sources": source(into='"x"')},
        "sources",
        "bad-into",
    ),
    "a second source without a folder": ("Autotools", {"sources": two("")}, "sources", "bad-into"),
    "a folder outside of the source": (
        "Autotools",
        {"sources": two('into="../x"')},
        "sources",
        "bad-into",
    ),
    "a folder with a placeholder": (
        "Autotools",
        {"sources": two('into="x-{version}"')},
        "sources",
        "bad-into",
    ),
    "one folder for two sources": (
        "Autotools",
        {"sources": two('into="x"') + " + " + source(into='"x"')},
        "sources",
        "named-twice",
    ),
    "a second source with alternates": (
        "Autotools",
        {
            "sources": two(
                'into="x", alternates=[Alternate("https://x/a", "' + "e" * 64 + '", "d")]'
            )
        },
        "sources",
        "further-alternates",
    ),
    "a second source without a hash's origin": (
        "Autotools",
        {"sources": two('into="x"').replace('"us", into', '"", into')},
        "source 2.provenance",
        "missing-provenance",
    ),
    "a further folder of the recipe without a place": (
        "Autotools",
        {"sources": source() + ' + [Folder("src")]'},
        "sources",
        "bad-into",
    ),
    "a first folder of the recipe with a place": (
        "Autotools",
        {"sources": '[Folder("src", into="x")]'},
        "sources",
        "bad-into",
    ),
    "a folder of the recipe in a place outside of the tree": (
        "Autotools",
        {"sources": source() + ' + [Folder("src", into="../x")]'},
        "sources",
        "bad-into",
    ),
    "a folder of the recipe inside another one": (
        "Autotools",
        {"sources": source() + ' + [Folder("a", into="x/y"), Folder("b", into="x")]'},
        "sources",
        "bad-into",
    ),
    "two sources in one place": (
        "Autotools",
        {"sources": source() + ' + [Folder("a", into="x"), Folder("b", into="x")]'},
        "sources",
        "named-twice",
    ),
    "a folder outside of the recipe": (
        "Autotools",
        {"sources": '[Folder("/src")]'},
        "sources",
        "bad-into",
    ),
    "a branch for a commit": (
        "Autotools",
        {"sources": f'[Git("https://x/y.git", commit="main", tree="{SHA}")]'},
        "source.commit",
        "malformed-commit",
    ),
    "a commit without the digest of its tree": (
        "Autotools",
        {"sources": f'[Git("https://x/y.git", commit="{SHA[:40]}", tree="")]'},
        "source.tree",
        "missing-hash",
    ),
    "unknown site": (
        "Autotools",
        {"sources": source(mirrors='["kernal:linux/x.tar.xz"]')},
        "sources",
        "unknown-site",
    ),
    "mirror with a space": (
        "Autotools",
        {"sources": source(mirrors='("https://x/a b",)')},
        "sources",
        "bad-address",
    ),
    "rooted Debian path": (
        "Autotools",
        {"sources": source(mirrors='("debian:/pool/x",)')},
        "sources",
        "bad-address",
    ),
    "needs twice": ("Autotools", {"needs": '("a-lib", "a-lib")'}, "needs", "named-twice"),
    "tools twice": ("Autotools", {"tools": '("flex", "flex")'}, "tools", "named-twice"),
    "a part with a name that is none": (
        "Autotools",
        {"parts": '(Part("A b", ("usr/x",)),)'},
        "parts",
        "bad-part",
    ),
    "a part with the name of another kind": (
        "Autotools",
        {"parts": '(Part("dev", ("usr/x",)),)'},
        "parts",
        "bad-part",
    ),
    "exports of a part": (
        "Autotools",
        {"needs": '("a-lib",)', "exports": '("a-lib:libs",)'},
        "exports",
        "bad-part",
    ),
    "a part of an unknown package": (
        "Autotools",
        {"needs": '("nowhere:libs",)'},
        "needs",
        "unknown-package",
    ),
    "a part twice": (
        "Autotools",
        {"parts": '(Part("libs", ("a",)), Part("libs", ("b",)))'},
        "parts",
        "named-twice",
    ),
    "runtime of a feature twice": (
        "Autotools",
        {"features": feature("x", runtime='("a-lib", "a-lib")')},
        "feature x.runtime",
        "named-twice",
    ),
    "a variable twice": ("Autotools", {"env": '(("A", "1"), ("A", "2"))'}, "env", "named-twice"),
    "a placeholder in capitals": (
        "Autotools",
        {"configure": '("--x={Version}",)'},
        "configure",
        "unknown-placeholder",
    ),
    "unknown need": ("Autotools", {"needs": '("c-lib",)'}, "needs", "unknown-package"),
    "unknown need of a feature": (
        "Autotools",
        {"features": feature("x", runtime='("c-lib",)')},
        "feature x.runtime",
        "unknown-package",
    ),
    "needs itself": ("Autotools", {"needs": '("thing",)'}, "needs", "dependency-cycle"),
    "exports a stranger": ("Autotools", {"exports": '("a-lib",)'}, "exports", "bad-export"),
    "one feature twice": (
        "Autotools",
        {"features": feature("x") + " + " + feature("x")},
        "features",
        "feature-twice",
    ),
    "bad feature name": (
        "Autotools",
        {"features": feature("X_y")},
        "feature 'X_y'",
        "bad-feature-name",
    ),
    "feature without branches": (
        "Autotools",
        {"features": feature("x", on="()", off="()")},
        "feature x",
        "feature-empty",
    ),
    "feature that nothing takes": (
        "Custom",
        {"features": feature("x"), "configure": '(Symlink("a", "b"),)'},
        "configure",
        "feature-unused",
    ),
    "feature without configure": (
        "Custom",
        {"features": feature("x")},
        "configure",
        "feature-unused",
    ),
    "feature of a toolchain": (
        "ToolchainRuntime",
        {
            "features": feature("x"),
            "libraries": '("libc.so.6",)',
            "sources": None,
            "license_files": None,
        },
        "features",
        "feature-unused",
    ),
    "nothing from the toolchain": (
        "ToolchainRuntime",
        {"sources": None, "license_files": None},
        "libraries",
        "nothing-taken",
    ),
    "libraries on demand without others": (
        "ToolchainRuntime",
        {"on_demand": '("libm.so.6",)', "headers": '("asm",)', **TAKEN},
        "on_demand",
        "nothing-taken",
    ),
    "a library that is there in any case and on demand": (
        "ToolchainRuntime",
        {"libraries": '("libm.so.6",)', "on_demand": '("libm.so.6",)', **TAKEN},
        "on_demand",
        "named-twice",
    ),
    "a path on demand": (
        "ToolchainRuntime",
        {"libraries": '("libc.so.6",)', "on_demand": '("x/libm.so.6",)', **TAKEN},
        "on_demand",
        "bad-path",
    ),
    "a folder of the toolchain outside of its headers": (
        "ToolchainRuntime",
        {"headers": '("../include",)', "sources": None, "license_files": None},
        "headers",
        "bad-path",
    ),
    "missing fragment": ("Kconfig", {"fragments": '("x.fragment",)'}, "fragments", "missing-file"),
    "missing file": (
        "Autotools",
        {"prepare": '(Run("cp", "{files}/x.h", "."),)'},
        "prepare",
        "missing-file",
    ),
    "bad mode": (
        "Autotools",
        {"permissions": '(Permission("/bin/x", mode="u+s"),)'},
        "permissions",
        "bad-mode",
    ),
    "relative permission": (
        "Autotools",
        {"permissions": '(Permission("bin/x", mode="4755"),)'},
        "permissions",
        "bad-path",
    ),
    "unknown capability": (
        "Autotools",
        {"permissions": '[Permission("/bin/x", mode="0755", capabilities="cap_net_rwa+ep")]'},
        "permissions",
        "bad-capabilities",
    ),
    "capabilities of a setuid program": (
        "Autotools",
        {"permissions": '[Permission("/bin/x", mode="4755", capabilities="cap_net_raw+ep")]'},
        "permissions",
        "bad-capabilities",
    ),
    "attribute of the kernel's own": (
        "Autotools",
        {"permissions": '[Permission("/bin/x", mode="0755", xattrs=[("trusted.x", "1")])]'},
        "permissions",
        "bad-xattr",
    ),
    "user with root's number": ("Autotools", {"users": '(User("a", uid=0),)'}, "users", "bad-uid"),
    "user with nobody's number": (
        "Autotools",
        {"users": '(User("a", uid=65534),)'},
        "users",
        "bad-uid",
    ),
    "unknown placeholder": (
        "Autotools",
        {"configure": '("--host={tripel}",)'},
        "configure",
        "unknown-placeholder",
    ),
    "unknown placeholder in the address": (
        "Autotools",
        {"sources": source(address='"https://x/{vers}.tar"')},
        "sources",
        "unknown-placeholder",
    ),
    "unknown placeholder of a feature": (
        "Autotools",
        {"features": feature("x", on='("{nope}",)')},
        "features",
        "unknown-placeholder",
    ),
}


@pytest.mark.parametrize(("style", "changes", "field", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_found_and_nothing_else(
    tmp_path: Path, style: str, changes: dict[str, str | None], field: str, reason: str
) -> None:
    found = findings(tmp_path, style, **changes)
    assert [(one.field, one.reason) for one in found] == [(field, reason)]
    assert str(found[0]).startswith(f"packages/thing/recipe.py: {field}: ")


def test_a_need_that_is_misspelled_suggests_the_right_name(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "Autotools", needs='("a-lbi",)')
    assert found.text == "no package 'a-lbi'; did you mean 'a-lib'?"


def test_a_placeholder_that_is_misspelled_suggests_the_right_name(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "Autotools", configure='("--host={tripel}",)')
    assert found.text == "unknown placeholder {tripel}; did you mean 'triple'?"


def test_the_packages_that_the_style_needs_must_be_there(tmp_path: Path) -> None:
    found = [(one.field, one.text, one.reason) for one in findings(tmp_path, "Python")]
    assert found == [
        ("the style's natives", "no package 'wheel-tools'", "unknown-package"),
        ("the style's runtime", "no package 'python3'", "unknown-package"),
    ]


def test_a_need_of_a_feature_may_be_exported(tmp_path: Path) -> None:
    changes = {"features": feature("x", needs='("a-lib",)'), "exports": '("a-lib",)'}
    assert findings(tmp_path, **changes) == []


def test_the_site_that_is_meant_is_named(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, sources=source(address='"sourceforg:x/y.tar.gz"'))
    assert found.text == "unknown site 'sourceforg'; did you mean 'sourceforge'?"


def test_every_known_address_form_is_accepted(tmp_path: Path) -> None:
    plain = '["http://a/b", "ftp://a/b", "file:///a/b", "debian:pool/main/x/x_1.orig.tar.gz"]'
    mirrors = plain + ' + ["gnu:x/x.tar", "pypi:x/x-1.tar.gz"]'
    assert findings(tmp_path, sources=source(mirrors=mirrors)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"needs": '("b-lib", "a-lib")'},
        {"needs": '("b-lib", "a-lib")', "exports": '("b-lib", "a-lib")'},
        {"runtime": '("b-lib", "a-lib")'},
        {"tools": '("flex", "bison")'},
        {"env": '(("B", "1"), ("A", "2"))'},
        {"features": feature("x", needs='("b-lib", "a-lib")')},
    ],
    ids=["needs", "exports", "runtime", "tools", "env", "feature"],
)
def test_lists_of_names_may_be_in_any_order(tmp_path: Path, changes: dict[str, str]) -> None:
    assert findings(tmp_path, **changes) == []


def test_the_order_of_a_list_of_names_changes_no_plan(tmp_path: Path) -> None:
    texts = {
        "needs": ('"a-lib"', '"b-lib"'),
        "tools": ('"bison"', '"flex"'),
        "env": ('("A", "1")', '("B", "2")'),
    }
    plans = []
    for turned in (False, True):
        lists = {f: f"({', '.join(t[::-1] if turned else t)})" for f, t in texts.items()}
        package = load(tmp_path / str(turned), "thing", **lists)
        inputs = Inputs(sysroot=package.recipe.needs)
        plans.append(
            compose(
                "thing",
                package.recipe,
                configuration=configuration(),
                features={},
                inputs=inputs,
            )
        )
    assert plans[0].identity == plans[1].identity


def test_require_lists_every_finding_and_takes_the_first_ones_reason(tmp_path: Path) -> None:
    one = load(tmp_path, "one", version='""')
    two = load(tmp_path, "two", summary='""', license='"?"')
    with pytest.raises(QuardError) as caught:
        require((one, two), Catalog(tmp_path))
    assert caught.value.message == "3 errors in the recipes"
    assert caught.value.reason == "missing-version"
    assert caught.value.hint.startswith("docs/errors/missing-version.md explains it")
    assert [line.split(":")[0] for line in caught.value.detail.splitlines()] == [
        "packages/one/recipe.py",
        "packages/two/recipe.py",
        "packages/two/recipe.py",
    ]


def test_require_says_nothing_of_clean_recipes(tmp_path: Path) -> None:
    require((load(tmp_path, "one", sources=SOURCE),), Catalog(tmp_path))


@pytest.mark.parametrize(
    ("license", "fault"),
    [
        ("MTI", "SPDX has no licence 'MTI'; did you mean 'MIT'?"),
        ("Zlib AND (MIT OR Apache2)", "SPDX has no licence 'Apache2'; did you mean 'Apache-2.0'?"),
        (
            "GPL-2.0-only WITH Linux-syscal-note",
            "SPDX has no exception 'Linux-syscal-note'; did you mean 'Linux-syscall-note'?",
        ),
        ("Zilb", "SPDX has no licence 'Zilb'; did you mean 'Zlib'?"),
        ("GPLv2", "SPDX has no licence 'GPLv2'"),
        ("BSD-3-Claus", "SPDX has no licence 'BSD-3-Claus'; did you mean 'BSD-3-Clause'?"),
        ("Linux-syscall-note", "SPDX has no licence 'Linux-syscall-note'"),
        ("MIT WITH MIT", "SPDX has no exception 'MIT'"),
        ("Proprietary", "SPDX has no licence 'Proprietary'"),
        ("mit", "must be written 'MIT'"),
        ("MIT  and Zlib", "must be written 'MIT AND Zlib'"),
        ("(MIT", "must be an SPDX expression"),
        ("MIT OR", "must be an SPDX expression"),
        ("LicenseRef-our_own", "must be an SPDX expression"),
    ],
)
def test_a_licence_that_spdx_does_not_have_is_refused_with_the_nearest_one(
    tmp_path: Path, license: str, fault: str
) -> None:
    (found,) = findings(tmp_path, license=repr(license))
    assert (found.field, found.reason) == ("license", "bad-license")
    assert found.text == fault


@pytest.mark.parametrize(
    "license",
    [
        "LicenseRef-acme-1.0",
        "LicenseRef-Acme AND (MIT OR GPL-2.0-or-later WITH GCC-exception-3.1)",
        "GPL-2.0+",
        "Apache-2.0+",
    ],
)
def test_expressions_of_spdx_and_licences_of_ones_own_are_accepted(
    tmp_path: Path, license: str
) -> None:
    assert findings(tmp_path, license=repr(license)) == []
