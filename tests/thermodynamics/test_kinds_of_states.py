"""States from NumPy, SciPy and QuTiP; what is no state is refused by name."""

import numpy as np
import pytest
import scipy.sparse as sp

from wheelwork import thermodynamics as td
from wheelwork.errors import InvalidArgument
from wheelwork.states.fock import coherent_state, squeezed_state, thermal_state

RHO = thermal_state(0.8, 30)
RHO[0, 1], RHO[1, 0] = 0.1j, -0.1j
ENERGIES = np.arange(30.0)
QUESTIONS = {
    "entropy": td.von_neumann_entropy,
    "ergotropy": lambda rho: td.ergotropy(rho, ENERGIES),
    "diagonal": lambda rho: td.diagonal_ergotropy(rho, ENERGIES),
    "free energy": lambda rho: td.free_energy_gain(rho, 1.0, 0.7),
    "number": td.phonon_number,
    "g2": td.g2,
    "energy": lambda rho: td.energy(rho, 2.0),
    "passive": lambda rho: td.is_passive(rho, ENERGIES),
    "passive state": lambda rho: td.passive_state(rho, ENERGIES),
    "inversion": td.population_inversion,
    "spectrum": td.spectrum,
    "populations": td.populations,
    "negativity": lambda rho: td.negativity(rho, (5, 6)),
    "information": lambda rho: td.mutual_information(rho, (5, 6)),
    "reduced": lambda rho: td.reduced_state(rho, (5, 6), 1).toarray(),
}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("kind", [sp.csr_array, sp.coo_matrix, np.ndarray.tolist, "qutip"])
def test_any_kind_of_matrix_gives_the_same(name, kind):
    if kind == "qutip":
        qutip = pytest.importorskip("qutip")
        states = [qutip.Qobj(RHO), qutip.Qobj(RHO).to("CSR")]
    else:
        states = [kind(RHO)]
    for state in states:
        np.testing.assert_array_equal(QUESTIONS[name](state), QUESTIONS[name](RHO))


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize(
    "state",
    [None, "rho", {}, object(), [[1.0, 0.0], [0.0]], np.zeros((2, 3)), np.zeros((30, 30, 2)), 1.0],
)
def test_what_is_no_matrix_is_refused(name, state):
    with pytest.raises(InvalidArgument, match="must"):
        QUESTIONS[name](state)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_superoperator_is_refused(name):
    qutip = pytest.importorskip("qutip")
    with pytest.raises(InvalidArgument, match="superoperator"):
        QUESTIONS[name](qutip.liouvillian(qutip.num(3)))


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1e9, 1e15])
def test_units_of_energy_do_not_matter(unit):
    assert td.ergotropy(RHO, unit * ENERGIES) == pytest.approx(
        unit * td.ergotropy(RHO, ENERGIES), rel=1e-12
    )
    assert not td.is_passive(RHO, unit * ENERGIES)
    assert td.is_passive(thermal_state(0.8, 30), unit * ENERGIES)
    gain = td.free_energy_gain(RHO, unit, 0.7 * unit)
    assert gain == pytest.approx(unit * td.free_energy_gain(RHO, 1.0, 0.7), rel=1e-12)
    assert td.log_partition_function(unit * 1e-200, unit * 1e200) == pytest.approx(
        400.0 * np.log(10.0), rel=1e-12
    )


def test_numbers_that_rounding_makes_negative_are_not_returned():
    nearly = np.array([1.0 + 1e-10, -1e-10, 0.0])
    assert td.phonon_number(nearly) == 0.0
    assert np.isnan(td.g2(nearly))
    assert td.g2(np.array([1.0, 1e-200, 0.0])) == 0.0
    assert td.von_neumann_entropy(np.diag([1.0 + 1e-15, 0.0])) == 0.0
    assert td.free_energy_gain(thermal_state(0.8, 80), 1.0, 1.0 / np.log(2.25)) >= 0.0


def test_states_beyond_all_levels_are_refused():
    for make in (lambda: coherent_state(1e200, 10), lambda: squeezed_state(1e4, 0.0, 10)):
        with pytest.raises(InvalidArgument, match="`levels` must hold all but"):
            make()
    with pytest.raises(InvalidArgument, match="`alpha` must be a complex number"):
        coherent_state("1", 10)
