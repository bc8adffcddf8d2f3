"""Compiled code is kept where it can be, is never out of date, and never stands in the way."""

import importlib
import os
import pkgutil
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest
from numba.core import config
from numba.core.dispatcher import Dispatcher

import wheelwork
from wheelwork.numerics import compiling
from wheelwork.numerics.compiling import compiled, ingredients, inlined

FACTOR = 2.0


@inlined
def scaled(x):
    return FACTOR * x


def double():
    """A new function each time, as in a process that starts."""

    def total(x):
        result = 0.0
        for value in x:
            result += scaled(value)
        return result

    return compiled(FunctionType(total.__code__, globals(), "total"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that NUMBA_CACHE_DIR names."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "code"))
    yield from fresh_choice()
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Neither the package nor a home can be written; temporary files can."""
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(sys, "pycache_prefix", os.devnull + "/none")
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(compiling.AppDirs, "user_cache_dir", os.devnull + "/none")
    yield from fresh_choice()


def fresh_choice():
    compiling.lasting_folders.cache_clear()
    compiling.writable_folder.cache_clear()
    yield compiling.lasting_folders()[0]
    compiling.lasting_folders.cache_clear()
    compiling.writable_folder.cache_clear()


def hits(function):
    return sum(function.stats.cache_hits.values())


def test_code_is_found_by_the_next_process_one_file_for_each_signature(folder):
    first, second = double(), double()
    assert first(np.ones(3)) == second(np.ones(3)) == 6.0
    assert (hits(first), hits(second)) == (0, 1)
    assert second(np.ones(3, dtype=np.float32)) == 6.0
    assert len(list(folder.iterdir())) == 2


def test_code_is_compiled_anew_where_a_called_function_or_its_constant_has_changed(
    folder, monkeypatch
):
    assert double()(np.ones(3)) == 6.0
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    monkeypatch.setitem(globals(), "scaled", inlined(scaled.py_func))
    assert double()(np.ones(3)) == 15.0
    monkeypatch.setitem(globals(), "scaled", inlined(lambda x: x * x))
    assert double()(np.full(3, 3.0)) == 27.0


@pytest.mark.parametrize("damage", [b"", b"no newline", b"0\n", None])
def test_a_damaged_file_is_replaced(folder, damage):
    double()(np.ones(3))
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if damage is None else damage)
    again, after = double(), double()
    assert again(np.ones(3)) == after(np.ones(3)) == 6.0
    assert (hits(again), hits(after)) == (0, 1)


def test_a_full_disk_is_no_obstacle(folder, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert double()(np.ones(3)) == 6.0
    assert list(folder.iterdir()) == []


def test_without_a_place_that_lasts_a_private_one_serves_and_one_warning_says_so(nowhere, tmp_path):
    first, second = double(), double()
    with pytest.warns(RuntimeWarning, match="kept in .* set NUMBA_CACHE_DIR") as told:
        first(np.ones(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second(np.ones(3))
    assert len(told) == hits(second) == 1
    (place,) = tmp_path.iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_temporary_folder_that_others_can_write_is_not_read(nowhere, tmp_path):
    place = tmp_path / f"wheelwork-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="compiled anew in each process"):
        assert double()(np.ones(3)) == 6.0
    assert list(place.iterdir()) == []


def test_without_a_home_nothing_is_named_after_a_tilde(monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as of a user that is not known
    compiling.lasting_folders.cache_clear()
    try:
        assert not [folder for folder in compiling.lasting_folders() if "~" in str(folder)]
    finally:
        compiling.lasting_folders.cache_clear()


def test_all_that_compiled_functions_depend_on_can_be_written_down():
    for module in pkgutil.walk_packages(wheelwork.__path__, "wheelwork."):
        importlib.import_module(module.name)
    functions = {
        value
        for name, module in list(sys.modules.items())
        if name.startswith("wheelwork.")
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
    }
    assert len(functions) > 50
    for function in functions:
        words = list(ingredients(function))
        assert not [word for word in words if " at 0x" in word or word.startswith("wheelwork")]


def test_processes_without_a_home_share_a_temporary_folder(tmp_path):
    """They start together, in an installation that cannot be written."""
    code = (
        "import os, sys, numpy as np; from wheelwork.numerics.random import philox4x32\n"
        "sys.pycache_prefix = os.devnull + '/none'\n"
        "print(philox4x32(np.zeros(4, np.uint64), np.zeros(2, np.uint64))[0])"
    )
    left_out = {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
    outside = {name: value for name, value in os.environ.items() if name not in left_out}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**outside, "HOME": os.devnull, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in started]
    assert [out.strip() for out, _ in said] == ["1713891541"] * 2
    assert all(err.count("RuntimeWarning: compiled code cannot be written") == 1 for _, err in said)
    (folder,) = tmp_path.iterdir()
    assert [file.name.rpartition("-")[0] for file in folder.iterdir()] == [
        "wheelwork.numerics.random.philox4x32"
    ]
