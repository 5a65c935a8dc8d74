"""The page of a timeline, opened in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import timeline_runs as runs
from timeline_runs import STARTED, span

from quard.face.spans import Span
from quard.face.timeline import Timeline, timeline
from quard.face.timelinepage import page

BROWSER = (
    "chromium",
    "--headless",
    "--no-sandbox",  # it will not run as root with one; the page is ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
)
MARKUP = '</script><script>document.title="run"</script><b onclick=a>&amp;'
LOOK = """
const all = selector => [...document.querySelectorAll(selector)];
const names = selector => all(selector).map(block => block.dataset.name);
const send = (element, kind) => element.dispatchEvent(new PointerEvent(kind, {
    bubbles: true, pointerType: "mouse", clientX: 200, clientY: 200 }));
const first = all(".block")[0], plot = document.getElementById("plot");
const found = {
    title: document.title,
    rows: all(".row[data-group=job]").map(row => row.querySelectorAll(".block").length),
    lookups: all(".row[data-group=store] .block").length,
    blocks: all(".block").length,
    steps: all(".block i").length,
    critical: names(".block.critical"),
    links: all("#links path").length,
    failed: names(".block.failed"),
    legend: all("#legend li").map(entry => entry.textContent),
    colours: all("#legend i").map(dot => getComputedStyle(dot).backgroundColor),
    ticks: all("#axis span").length,
    fits: document.documentElement.scrollWidth <= innerWidth,
    ink: getComputedStyle(document.body).color,
    table: all("#critical tbody tr").map(row => row.cells[0].textContent),
    tiles: all("#tiles dt").map(name => name.textContent),
};
send(first, "pointermove");
const tip = document.getElementById("tip");
found.tip = tip.hidden ? "" : tip.querySelector("h3").textContent;
found.inside = tip.getBoundingClientRect().right <= innerWidth;
send(first, "pointerleave");
found.gone = tip.hidden;
first.click();
found.details = document.getElementById("details").textContent;
first.focus();
first.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
found.focus = [first.tabIndex, document.activeElement !== first, document.activeElement.tabIndex];
found.before = plot.getBoundingClientRect().width;
document.getElementById("in").click();
found.after = plot.getBoundingClientRect().width;
document.getElementById("fit").click();
found.again = plot.getBoundingClientRect().width;
const search = document.getElementById("search");
search.value = "LINUX";
search.dispatchEvent(new Event("input"));
found.match = names("#plot.searching .block.match");
document.body.append(Object.assign(document.createElement("pre"), {
    id: "found", textContent: JSON.stringify(found) }));
"""


def opened(
    found: Timeline, folder: Path, *options: str, script: str = LOOK
) -> tuple[dict[str, Any], str]:
    """Return what a script finds in the page, and what the browser's console printed."""
    assert shutil.which(BROWSER[0]), "chromium is in host-packages.list"
    text = page(found)
    assert text.count("</body>") == 1
    file = folder / "timeline.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    done = subprocess.run(
        [*BROWSER, *options, f"--user-data-dir={folder}/data", "--dump-dom", file.as_uri()],
        env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    errors = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    inner = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)
    return json.loads(html.unescape(inner[1])) if inner else {}, errors


def test_rows_and_the_critical_path_are_shown_and_everything_can_be_used(tmp_path: Path) -> None:
    run = runs.build(15, 2)
    found, errors = opened(run, tmp_path, "--window-size=1400,900")
    assert errors == ""
    assert found["title"] == "quard-star: timeline"
    assert found["blocks"] == len(run.blocks)
    assert found["steps"] == sum(len(block.steps) for block in run.blocks)
    assert len(found["rows"]) == run.rows("job")
    assert all(found["rows"])
    assert found["lookups"] == 3
    path = [span.name for span in run.critical]
    assert path[0] == "linux"
    assert sorted(found["critical"]) == sorted(path)
    assert found["table"] == path
    assert found["links"]
    assert {"compile", "from the store", "from the remote cache", "critical path"} <= set(
        found["legend"]
    )
    assert len(set(found["colours"])) == len(found["legend"])
    assert {"time", "built", "idle", "critical path"} <= set(found["tiles"])
    assert found["ticks"] > 5
    _details_zoom_keys_and_search_work(found)


def _details_zoom_keys_and_search_work(found: dict[str, Any]) -> None:
    assert found["tip"]
    assert found["gone"]
    assert found["tip"] in found["details"]
    assert found["focus"] == [-1, True, 0]
    assert found["after"] > 1.5 * found["before"]
    assert found["again"] == found["before"]
    assert found["match"] == ["linux"]


@pytest.mark.parametrize(
    ("width", "dark"), [(500, True), (1920, False)], ids=["narrow-dark", "wide-light"]
)
def test_hundreds_of_packages_fit_wide_and_narrow_light_and_dark(
    tmp_path: Path, width: int, dark: bool
) -> None:
    run = runs.build(300, 16)
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    found, errors = opened(run, tmp_path, f"--window-size={width},900", scheme)
    assert errors == ""
    assert found["blocks"] == len(run.blocks) > 300
    assert found["fits"]
    assert found["inside"]
    assert (found["ink"] == "rgb(230, 234, 241)") is dark
    assert len(found["rows"]) == run.rows("job")


def test_texts_are_shown_as_they_are_and_run_nothing(tmp_path: Path) -> None:
    name = MARKUP + "\u202e\u2028"
    failed = Span(name, MARKUP, STARTED, STARTED + 3, "failed", span("x", 0, 3).steps)
    run = timeline([failed, span("linux", 0, 2)], STARTED, runs.run({}, 4, state="failed"))
    text = page(run)
    assert text.count("<script") == 2
    found, errors = opened(run, tmp_path)
    assert errors == ""
    assert found["title"] == "quard-star: timeline"
    assert found["failed"] == [MARKUP + "\\u202e\\u2028"]
    assert "failed or interrupted" in found["legend"]


def test_a_run_without_any_span_has_a_page(tmp_path: Path) -> None:
    empty = timeline([], STARTED, runs.run({}, 0, state="interrupted"))
    script = LOOK.partition("send(first")[0] + LOOK[LOOK.index("document.body.append") :]
    found, errors = opened(empty, tmp_path, script=script)
    assert errors == ""
    assert (found["blocks"], found["rows"]) == (0, [])


def test_an_error_on_the_page_would_be_found(tmp_path: Path) -> None:
    _, errors = opened(runs.build(5, 1), tmp_path, script="nonsense();")
    assert "nonsense is not defined" in errors


def test_the_page_refers_to_nothing_outside() -> None:
    text = page(runs.build(15, 2))
    assert "default-src 'none'" in text
    links = re.findall(r"(?:https?:)?//[\w.]+|\b(?:src|href)=|url\(|@import", text)
    assert set(links) == {"http://www.w3.org"}  # the name of SVG's elements, which is no address
