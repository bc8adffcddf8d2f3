"""Any bytes as a parameter file: a job, or a refusal in words with code 2; never a traceback."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parameter_file_strategies import FILES

from wheelwork.cli import commands, main
from wheelwork.papers.runs import Run

EXAMPLES = {"bytes": 40, "text": 40, "documents": 60, "mutations": 80}
LONGEST = 3000  # characters of a refusal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("kind", FILES)
def test_any_file_is_a_job_or_a_refusal(kind, folder, monkeypatch, capsys):
    jobs = []
    monkeypatch.setattr(commands, "_run", lambda job, how: jobs.append(job) or 0)

    @settings(max_examples=EXAMPLES[kind], derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def check(data):
        content = data.draw(FILES[kind])
        (folder / "device.toml").write_bytes(content)
        jobs.clear()
        code = main(["run", str(folder / "device.toml")])
        said = capsys.readouterr().err
        if code == 0:
            assert [type(job.run) for job in jobs] == [Run]
            assert dataclasses.is_dataclass(jobs[0].run.machine)
            assert not said
        else:
            assert code == 2, said
            assert all(line.startswith("wheelwork: ") for line in said.splitlines())
            assert "device.toml" in said
            assert len(said) < LONGEST * len(said.splitlines())
            assert "Traceback" not in said

    check()
