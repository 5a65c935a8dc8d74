"""The modes that a blob stores."""

import pytest

from quard.store.member import normal_mode


@pytest.mark.parametrize(
    ("mode", "is_folder", "expected"),
    [
        (0o100664, False, 0o644),
        (0o100555, False, 0o755),
        (0o104511, False, 0o4711),
        (0o100000, False, 0o600),
        (0o040775, True, 0o755),
        (0o041777, True, 0o1777),
        (0o042775, True, 0o2755),
        (0o040555, True, 0o755),
    ],
)
def test_stored_modes(mode: int, is_folder: bool, expected: int) -> None:
    assert normal_mode(mode, folder=is_folder) == expected
