"""Random sampled runs, evolutions and correlations: right, doubted, refused by name, never bad."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge import judge
from sampling_strategies import CALLS

EXAMPLES = {  # of the dear ones; of others 20
    "correlations of a flywheel": 6,
    "evolutions of a flywheel": 12,
    "samples of a flywheel": 12,
}


@pytest.mark.parametrize("kind", CALLS)
def test_no_call_ends_badly(kind):
    @settings(
        derandomize=True, deadline=None, database=None, max_examples=EXAMPLES.get(kind, 20),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data):
        text, call, check = data.draw(CALLS[kind])
        outcome = judge(call, check, text)
        assert not outcome.bad, f"{outcome.reason}\n{text}"

    run()
