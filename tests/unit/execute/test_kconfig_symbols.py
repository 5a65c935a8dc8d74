"""What the Kconfig files of a source say of symbols, as linux, u-boot and busybox write them."""

from __future__ import annotations

from pathlib import Path

from quard.execute.kconfig_symbols import explain

KCONFIG = """\
menuconfig NET
\tbool "Networking"

if NET
config NET_FAST
\tbool "Fast"
\tdepends on NET && \\
\t\tMMU
\tdepends on !SLOW\t# never both
\thelp
\t  It depends on luck.

config NET_PLAIN
\tbool
endif
"""
CONFIG_IN = """\
config FEATURE_IPV6
\tbool "IPv6"
\tdepends on PLATFORM_LINUX
"""


def test_each_symbol_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/Kconfig").write_text(KCONFIG)
    (tmp_path / "Config.in").write_text(CONFIG_IN)
    (tmp_path / "net/Makefile").write_text("config NET_MADE\n")
    (tmp_path / "Kconfig.riscv").symlink_to("/dev/zero")
    symbols = ("NET_FAST", "NET_PLAIN", "FEATURE_IPV6", "NET_FASTER", "NET_MADE", "ODD")
    assert explain(tmp_path, [f"CONFIG_{symbol}" for symbol in symbols]) == {
        "CONFIG_NET_FAST": "no such line: it depends on (NET && MMU) and (!SLOW)",
        "CONFIG_NET_PLAIN": "no such line: its menu is off, or only other options set it",
        "CONFIG_FEATURE_IPV6": "no such line: it depends on (PLATFORM_LINUX)",
        "CONFIG_NET_FASTER": "no such option in this source; like it: CONFIG_NET_FAST",
        "CONFIG_NET_MADE": "no such option in this source",
        "CONFIG_ODD": "no such option in this source",
    }


def test_a_symbol_that_several_files_define_has_all_conditions_once(tmp_path: Path) -> None:
    for name in ("Kconfig", "Kconfig.debug", "lib.Kconfig"):
        (tmp_path / name).write_text("config A\n\tbool\n\tdepends on B\n")
    (tmp_path / "Kconfig.debug").write_text("config A\n\tbool\n\tdepends on C\n")
    assert explain(tmp_path, ["CONFIG_A"]) == {
        "CONFIG_A": "no such line: it depends on (B) and (C)"
    }


def test_long_rows_of_blanks_are_read_in_one_pass(tmp_path: Path) -> None:
    blanks = " " * 100_000
    text = f"{blanks}\nconfig A\n\tdepends on B{blanks}&&{blanks}\\\n{blanks}C{blanks}\n"
    (tmp_path / "Kconfig").write_text(text)
    assert explain(tmp_path, ["CONFIG_A"]) == {"CONFIG_A": "no such line: it depends on (B && C)"}


def test_other_architectures_are_left_out(tmp_path: Path) -> None:
    for arch in ("arm", "riscv"):
        (tmp_path / "arch" / arch).mkdir(parents=True)
        text = f"config A\n\tbool\n\tdepends on ON_{arch}\n"
        (tmp_path / "arch" / arch / "Kconfig").write_text(text)
    own = {"CONFIG_A": "no such line: it depends on (ON_riscv)"}
    both = {"CONFIG_A": "no such line: it depends on (ON_arm) and (ON_riscv)"}
    assert explain(tmp_path, ["CONFIG_A"], "riscv") == own
    assert explain(tmp_path, ["CONFIG_A"], "alpha") == explain(tmp_path, ["CONFIG_A"]) == both
