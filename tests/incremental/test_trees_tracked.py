"""Product trees from end to end: all that is in them is tracked, wherever they are."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from git_parts import WorkTree

from incremental.project import BOARD, SYSTEM, Project, Ran, ok

QUIET = "int main(void) { return 0; }\n"
OVERLAYS = """\
system = "acme"
overlays = ["quardroot:rootfs", "files"]
"""


class Product:
    """A product tree beside the project, with a board `widget` and a package `tool`."""

    def __init__(self, project: Project, folder: str = "product") -> None:
        self.project = project
        self.folder = project.folder.parent / folder
        for inner in ("packages", "configs/system", "files/etc", "qemu"):
            (self.folder / inner).mkdir(parents=True)
        self.write("quardroot.toml", 'name = "acme"\n')
        self.write("files/etc/issue", "acme\n")
        self.write("configs/system/acme.toml", SYSTEM)
        machine = (project.folder / "qemu/virt.toml").read_text()
        self.write("qemu/bench.toml", machine)
        self.board(["hello", "libc", "tool"])
        project.program("tool", QUIET)
        shutil.move(project.folder / "packages/tool", self.folder / "packages/tool")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    def board(self, packages: list[str], more: str = OVERLAYS) -> None:
        names = ", ".join(f'"{package}"' for package in packages)
        text = BOARD.format(packages=names, more=more, formats="")
        self.write("configs/widget.toml", text.replace('"virt"', '"bench"'))

    def run(self, *arguments: str) -> Ran:
        paths = f"trees.paths={self.folder}"
        return self.project.run(paths, *arguments, board="widget")

    def start(self, *arguments: str, board: str = "widget") -> Ran:
        """Run in the tree's folder, as ./scons does there."""
        own = self.project.folder
        options = [f"--file={own}/SConstruct", f"--site-dir={own}/site_scons"]
        given = self.project.command(*arguments, board=board)
        at = given.index("-Q")
        done = subprocess.run(
            [*given[: at - 1], str(own), *options, *given[at:]],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        path = self.folder / "out/widget/summary.json"
        summary = json.loads(path.read_text()) if path.exists() else {}
        return Ran(done.returncode, done.stdout, done.stderr, summary)

    @property
    def out(self) -> Path:
        return self.project.folder / "out/widget"


@pytest.fixture
def product(greeting: Project) -> Product:
    return Product(greeting)


def test_a_change_in_a_tree_rebuilds_exactly_what_it_affects(product: Product) -> None:
    assert ok(product.run()).built == ["greet", "hello", "libc", "tool"]
    null = ok(product.run()).summary
    assert (null["built"], null["restored"], null["images"]) == ([], [], [])

    def images() -> list[str]:
        done = ok(product.run()).summary
        assert done["built"] == []
        return list(done["images"])

    product.write("files/etc/issue", "changed\n")
    assert images() == ["rootfs.tar"]
    product.write("files/etc/added", "new\n")
    assert images() == ["rootfs.tar"]
    (product.folder / "files/etc/added").unlink()
    assert images() == ["rootfs.tar"]
    product.write("configs/system/acme.toml", SYSTEM + "# x\n")
    assert images() == ["rootfs.tar"]
    machine = (product.folder / "qemu/bench.toml").read_text()
    product.write("qemu/bench.toml", machine.replace("memory_mib = 256", "memory_mib = 128"))
    assert images() == ["run.sh"]
    recipe = product.folder / "packages/tool/recipe.py"
    recipe.write_text(recipe.read_text().replace("make=(", 'make=("-s", '))
    done = ok(product.run())
    assert done.built == ["tool"]
    product.write(
        "packages/tool/0001-x.patch", "--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-MIT\n+M\n"
    )
    assert ok(product.run()).built == ["tool"]
    (product.folder / "packages/tool/0001-x.patch").unlink()
    assert ok(product.run()).summary["restored"] == ["tool"]
    product.board(["hello", "libc"])
    assert images() == ["rootfs.tar"]


def test_a_tree_elsewhere_has_the_same_results_and_no_path_in_them(product: Product) -> None:
    ok(product.run())
    tar = (product.out / "images/rootfs.tar").read_bytes()
    script = (product.out / "images/run.sh").read_bytes()
    for path in (*(product.out / "units").rglob("*.json"), *(product.out / "images").iterdir()):
        assert str(product.folder).encode() not in path.read_bytes(), path
    shutil.rmtree(product.project.folder / "out")
    moved = product.folder.with_name("elsewhere")
    product.folder.rename(moved)
    product.folder = moved
    done = ok(product.run()).summary
    assert done["built"] == []
    assert sorted(done["restored"]) == ["greet", "hello", "libc", "tool"]
    assert (product.out / "images/rootfs.tar").read_bytes() == tar
    assert (product.out / "images/run.sh").read_bytes() == script
    # Nor is a build that has happened here bound to the place.
    product.folder.rename(moved.with_name("third"))
    product.folder = moved.with_name("third")
    done = ok(product.run()).summary
    assert (done["built"], done["restored"], done["images"]) == ([], [], [])


def test_local_toml_names_trees_as_the_command_line_does(product: Product) -> None:
    project = product.project
    (project.folder / "local.toml").write_text('[trees]\npaths = ["../product"]\n')
    found = json.loads(ok(project.run("list", "FORMAT=json", board="widget")).out)
    assert {row["name"]: row["tree"] for row in found} == {
        "greet": "quardroot",
        "hello": "quardroot",
        "libc": "quardroot",
        "tool": "acme",
    }


def test_answers_and_reasons_name_the_tree(product: Product) -> None:
    assert "recipe: acme:packages/tool/recipe.py\n" in ok(product.run("info", "tool")).out
    assert "tree: quardroot\n" in ok(product.run("info", "hello")).out
    rows = [line.split()[:3] for line in ok(product.run("list")).out.splitlines()]
    assert ["tool", "1", "acme"] in rows and ["libc", "toolchain", "quardroot"] in rows
    ok(product.run())
    product.write("files/etc/issue", "changed\n")
    assert "overlay acme:files: etc/issue" in ok(product.run("why")).out


def test_errors_and_answers_name_the_folder_of_a_package_with_its_tree(product: Product) -> None:
    folder = product.folder / "packages"
    recipe = folder / "tool/recipe.py"
    (folder / "tool/src").mkdir()
    recipe.write_text(
        "from quard.model import Folder, Make\n"
        'RECIPE = Make(summary="x", version="1", sources=[Folder("src")], license="MIT")\n'
    )
    assert "source: acme:packages/tool/src\n" in ok(product.run("info", "tool")).out
    (folder / "tool/src").rmdir()
    refused = product.run("list")
    assert refused.err.startswith("error: acme:packages/tool has no folder src\n")
    (folder / "tool").rename(folder / "build")
    refused = product.run("list")
    assert refused.err.startswith("error: acme:packages/build has the name that stands")


def test_a_tree_may_replace_a_package_of_quardroot(product: Product) -> None:
    ok(product.run())
    own = product.project.folder / "packages/hello"
    shutil.copytree(own, product.folder / "packages/hello")
    refused = product.run()
    assert refused.status == 2 and "reason: name-in-two-trees" in refused.err
    assert "hello" in refused.err and "Traceback" not in refused.text
    product.write("quardroot.toml", 'name = "acme"\nreplaces = ["packages/hello"]\n')
    assert ok(product.run()).built == []  # the same recipe has the same key
    recipe = product.folder / "packages/hello/recipe.py"
    recipe.write_text(recipe.read_text().replace("a program", "our program"))
    assert "our program" in ok(product.run("list")).out


def test_a_product_has_its_own_out_and_local_toml(product: Product) -> None:
    project = product.project
    first = ok(product.start())
    assert first.built == ["greet", "hello", "libc", "tool"]
    assert not (project.folder / "out").exists()
    assert (product.folder / "out/widget/images/rootfs.tar").is_file()
    null = ok(product.start()).summary
    assert (null["built"], null["restored"], null["images"]) == ([], [], [])
    product.write("files/etc/issue", "changed\n")
    assert ok(product.start()).summary["images"] == ["rootfs.tar"]
    project.edit("packages/hello/recipe.py", 'make=("hello",)', 'make=("-s", "hello")')
    assert ok(product.start()).built == ["hello"]
    product.write("quardroot.toml", 'name = "acme"\nboard = "widget"\n')
    assert "name: widget\n" in ok(product.start("info", board="")).out
    assert "name: tiny\n" in ok(product.start("info", board="tiny")).out
    # The settings are those in its own folder.
    (project.folder / "local.toml").write_text("not TOML")
    ok(product.start("list"))
    product.write("local.toml", '[trees]\npaths = ["."]\n')
    refused = product.start("list")
    assert refused.status == 2 and "is the product tree acme" in refused.err


def test_a_start_from_the_product_shares_results_with_one_from_the_checkout(
    product: Product,
) -> None:
    ok(product.run())
    done = ok(product.start()).summary
    assert done["built"] == []
    assert sorted(done["restored"]) == ["greet", "hello", "libc", "tool"]
    tar = product.folder / "out/widget/images/rootfs.tar"
    assert tar.read_bytes() == (product.out / "images/rootfs.tar").read_bytes()


def test_commits_to_a_package_of_the_checkout_are_patches_of_the_product(product: Product) -> None:
    ok(product.start("greet-edit"))
    WorkTree(product.folder / "edit/greet").commit({"new.h": "\n"})
    ran = ok(product.start("greet-patch"))
    assert "acme:0001-change.patch written" in ran.out
    added = product.folder / "packages/greet"
    assert [path.name for path in added.iterdir()] == ["0001-change.patch"]
    assert not [*(product.project.folder / "packages/greet").glob("*.patch")]
    assert "greet" in ok(product.start()).built


def test_a_product_and_the_checkout_may_be_moved(product: Product) -> None:
    ok(product.start())
    for folder in (product, product.project):
        moved = folder.folder.with_name(f"{folder.folder.name} moved")
        folder.folder.rename(moved)
        folder.folder = moved
    done = ok(product.start()).summary
    assert (done["built"], done["restored"], done["images"]) == ([], [], [])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('RECIPE = Make(summary="x")\n', "acme:packages/tool/recipe.py cannot be used"),
        ("", "acme:packages/tool/recipe.py cannot be used"),
    ],
)
def test_a_wrong_recipe_is_named_with_its_tree(product: Product, wrong: str, said: str) -> None:
    text = f"from quard.model import Make\n{wrong}" if wrong else ""
    product.write("packages/tool/recipe.py", text)
    refused = product.run()
    assert refused.status == 2 and refused.err.count("error: ") == 1
    assert said in refused.err


@pytest.mark.parametrize(
    ("paths", "slug"),
    [
        ("../none", "bad-tree"),
        ("packages", "bad-tree"),
        (".", "bad-tree"),
        ("../product,../product", "bad-tree"),
        ("../sources", "bad-tree"),
    ],
)
def test_wrong_trees_are_one_block(product: Product, paths: str, slug: str) -> None:
    for arguments in ((), ("list",), ("why",)):
        refused = product.project.run(f"trees.paths={paths}", *arguments)
        assert refused.status == 2 and refused.out == ""
        assert refused.err.count("error: ") == 1 and f"reason: {slug}\n" in refused.err
        assert refused.err.count("hint: ") == 1


def test_a_path_in_an_unknown_tree_is_told(product: Product) -> None:
    product.board(["libc"], more='overlays = ["acne:files"]')
    refused = product.run()
    assert refused.status == 2 and "reason: unknown-tree" in refused.err
    assert "did you mean 'acme'?" in refused.err


def test_a_site_of_a_tree_has_the_sources_of_its_packages(product: Product) -> None:
    """Its addresses are in no key: another one rebuilds nothing."""
    recipe = product.folder / "packages/tool/recipe.py"
    base = product.project.sources.as_uri()
    recipe.write_text(recipe.read_text().replace(f"{base}/", "acme:"))
    refused = product.run()
    assert refused.status == 2 and "unknown site 'acme'" in refused.err
    sites = f'name = "acme"\n[sites]\nacme = ["file:///nowhere", "{base}"]\n'
    product.write("quardroot.toml", sites)
    assert "tool" in ok(product.run()).built
    info = json.loads(ok(product.run("info", "tool", "FORMAT=json")).out)
    assert info["source"] == ["file:///nowhere/tool-1.tar.xz", f"{base}/tool-1.tar.xz"]
    product.write("quardroot.toml", sites.replace("nowhere", "elsewhere"))
    again = ok(product.run())
    assert (again.built, again.summary["images"]) == ([], [])
    assert ok(product.run("sites.acme=file:///near", "-n", "source")).out.startswith("all sources")
    product.write("quardroot.toml", 'name = "acme"\n')  # the recipe was found to be right before
    for arguments in ((), ("why",)):
        refused = product.run(*arguments)
        assert refused.status == 2 and "unknown site 'acme'" in refused.err
        assert refused.err.count("error: ") == 1 and "Traceback" not in refused.text
