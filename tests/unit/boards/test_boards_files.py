"""Files of boards in texts about builds."""

from __future__ import annotations

from quard.boards.files import called

PLACES = {
    "board-0-x.patch": "configs/x.patch",
    "own.dts": "acme:own.dts",
    "board-0-x.patch.fragment": "configs/x.patch.fragment",
}


def test_files_of_a_build_get_their_own_names() -> None:
    assert called("patch board-0-x.patch does not apply", PLACES) == (
        "patch configs/x.patch does not apply"
    )
    assert called("own.dts: 1, board-0-x.patch.fragment: 2", PLACES) == (
        "acme:own.dts: 1, configs/x.patch.fragment: 2"
    )


def test_paths_and_longer_names_stay() -> None:
    for text in ("/work/files/board-0-x.patch", "board-0-x.patches", "my-own.dts", "own.dts/x", ""):
        assert called(text, PLACES) == text
    assert called("board-0-x.patch", {}) == "board-0-x.patch"
