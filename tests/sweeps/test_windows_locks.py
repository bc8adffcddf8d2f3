"""Stores with the locks of Windows: `msvcrt.locking`, in its place one that is made of flock."""

import errno
import fcntl
import os

import numpy as np
import pytest
from sweep_systems import Thermal

from wheelwork.sweeps import StoreError, collect, status, sweep
from wheelwork.sweeps.export import same_numbers
from wheelwork.sweeps.store import files


class Msvcrt:
    """What `msvcrt` does with one byte: exclusive, never waiting, released by closing."""

    LK_UNLCK, LK_NBLCK = 0, 2

    def __init__(self):
        self.positions = set()

    def locking(self, descriptor, mode, count):
        assert count == 1
        self.positions.add(os.lseek(descriptor, 0, os.SEEK_CUR))
        if mode == self.LK_UNLCK:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None


@pytest.fixture
def windows(monkeypatch):
    fake = Msvcrt()
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "msvcrt", fake)
    return fake


def test_a_store_is_filled_resumed_and_collected(windows, tmp_path):
    values = {"frequency": np.linspace(1.0, 2.0, 5)}
    reference = sweep(Thermal(), values)
    log = tmp_path / "log"
    machine = Thermal(log=str(log))
    sweep(machine, values, store=tmp_path / "store", shard=(1, 2))
    resumed = sweep(machine, values, store=tmp_path / "store")
    assert same_numbers(collect(tmp_path / "store"), resumed)
    assert np.array_equal(resumed.occupation, reference.occupation)
    assert len(log.read_text().splitlines()) == 5
    assert status(tmp_path / "store").writers == 0
    assert windows.positions == {files.LOCKED_BYTE}


def test_a_lock_excludes_others_until_it_is_closed(windows, tmp_path):
    path = tmp_path / "lock"
    held = files.open_locked(path, os.O_RDWR | os.O_CREAT)
    os.write(held, b"kept")
    assert files.is_held(path)
    assert os.lseek(held, 0, os.SEEK_CUR) == 4  # locking leaves the position
    files.close(held)
    assert not files.is_held(path)
    assert path.read_bytes() == b"kept"


def test_who_waits_gets_the_lock_when_it_is_free(windows, tmp_path, monkeypatch):
    path = tmp_path / "lock"
    held = files.open_locked(path, os.O_RDWR | os.O_CREAT)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            files.close(held)

    monkeypatch.setattr(files.time, "sleep", sleep)
    files.close(files.open_locked(path, os.O_RDWR))
    assert waits == [files.RETRY_INTERVAL] * 3


def test_other_failures_of_locking_are_errors_of_the_store(windows, tmp_path, monkeypatch):
    def locking(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(windows, "locking", locking)
    with pytest.raises(StoreError, match="cannot lock the store"), files.locked(tmp_path / "lock"):
        pass


def test_a_system_without_locks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "msvcrt", None)
    with pytest.raises(StoreError, match="this system lacks"):
        sweep(Thermal(), {"frequency": [1.0]}, store=tmp_path / "store")
