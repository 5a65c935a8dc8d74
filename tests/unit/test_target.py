"""What follows from the facts of a target."""

from __future__ import annotations

import dataclasses

import pytest

from quard.target import ElfAbi, Target, c_library, with_musl

GLIBC = Target(
    triple="arm-linux-gnueabihf",
    linux_arch="arm",
    linux_image="zImage",
    gdb="arm",
    flags="-D_TIME_BITS=64",
    loader="/lib/ld-linux-armhf.so.3",
    elf=ElfAbi("EM_ARM", 32, "little", (0, 0)),
    words=(),
)
MUSL = with_musl(GLIBC, "/lib/ld-musl-armhf.so.1")


def test_a_target_with_musl_differs_from_that_with_glibc_in_nothing_but_the_c_library() -> None:
    own = {"triple", "loader", "c_library", "package", "glibc"}
    for field in dataclasses.fields(GLIBC):
        same = getattr(GLIBC, field.name) == getattr(MUSL, field.name)
        assert same == (field.name not in own)
    assert (MUSL.triple, MUSL.c_library, MUSL.package) == ("arm-linux-musleabihf", "musl", "musl")


def test_both_have_one_compiler_and_one_target_of_packages_without_a_c_library() -> None:
    assert GLIBC.compiler == MUSL.compiler == GLIBC.triple
    assert GLIBC.freestanding is MUSL.freestanding is GLIBC


@pytest.mark.parametrize("target", [GLIBC, MUSL])
def test_the_triple_names_the_c_library(target: Target) -> None:
    assert c_library(target.triple) == target.c_library


def test_the_loader_searches_its_own_folder_last_with_glibc() -> None:
    found = dataclasses.replace(GLIBC, loader="/lib64/ld.so").libraries
    assert (found[0], found[-1]) == ("/lib/arm-linux-gnueabihf", "/lib64")
    assert MUSL.libraries == ("/lib", "/usr/local/lib", "/usr/lib")
