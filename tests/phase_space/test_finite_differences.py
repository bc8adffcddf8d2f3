import numpy as np
import pytest

from wheelwork.phase_space.discretisation import central, stencils


@pytest.mark.parametrize("parity", [0, 1])
def test_stencils_are_exact_for_polynomials_of_their_order(parity):
    """Through the centre the mirror nodes continue by parity; at the outer end there are fewer."""
    nodes, width = 12, 7
    targets = np.array([0.5, 1.0, 1.5, 3.0, 10.5, 11.5])
    powers = [k for k in range(width) if k % 2 == parity]
    radius = np.arange(nodes) + 0.5
    first, weights = stencils(targets, nodes, width, 3)
    present = np.minimum(width, nodes - first)
    assert np.array_equal(present, [7, 7, 7, 7, 5, 4])
    for power in powers:
        for derivative in range(3):
            total = np.zeros(targets.size)
            for offset in range(width):
                node = np.minimum(first + offset, nodes - 1)
                assert np.all(weights[derivative, offset >= present, offset] == 0.0)
                side = np.where(node < 0, (-1.0) ** parity, 1.0)
                value = side * radius[np.where(node < 0, -1 - node, node)] ** power
                total += weights[derivative, :, offset] * value
            exact = np.polyval(np.polyder(np.eye(power + 1)[0], derivative), targets)
            known = power < present
            assert np.allclose(total[known], exact[known], rtol=1e-8, atol=1e-7)


def test_central_difference_conserves_the_sum_of_what_vanishes_at_the_ends():
    x = np.linspace(-9.0, 9.0, 80)
    bump = np.exp(-(x**2))
    assert abs(np.sum(central(80, x[1] - x[0], 1) @ bump)) < 1e-12
    assert np.allclose(central(80, x[1] - x[0], 1) @ bump, -2.0 * x * bump, atol=2e-3)


def test_central_difference_is_of_eighth_order():
    errors = []
    for n in (41, 81):
        x = np.linspace(-7.0, 7.0, n)
        exact = (x**2 - 1.0) * np.exp(-(x**2) / 2.0)
        errors.append(np.max(np.abs(central(n, x[1] - x[0], 2) @ np.exp(-(x**2) / 2.0) - exact)))
    assert 7.0 < np.log2(errors[0] / errors[1]) < 9.0
