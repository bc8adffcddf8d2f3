"""Damaged parameter files: a job, or a refusal in lines that name a key; never a traceback."""

import pytest
from damaged_files import DAMAGE, damaged, outcome

EACH = 20  # files of each kind of damage


@pytest.mark.parametrize("position", range(len(DAMAGE)), ids=list(DAMAGE))
def test_a_damaged_file_is_a_job_or_a_refusal(position, tmp_path):
    for number in range(position, EACH * len(DAMAGE), len(DAMAGE)):
        _, content = damaged(number)
        outcome(tmp_path / "device.toml", content)
