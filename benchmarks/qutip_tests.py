"""QuTiP's own tests, answered by this library.

    python benchmarks/qutip_tests.py            # a table; details with -v
    python benchmarks/qutip_tests.py entropy    # only files whose name contains this

QuTiP's entry points are replaced by the adapters below wherever they were imported, then its tests
run as they are. A test counts as passed or failed only if it called one of ours; as not applicable
if it asks for what this library does not offer, with the reason; and as not replaced otherwise.
"""

import functools
import math
import secrets
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import qutip

from wheelwork import lindblad, thermodynamics
from wheelwork.errors import InvalidArgument
from wheelwork.states.fock import coherent_state, number_state, thermal_state
from wheelwork.states.wigner import wigner_from_density_matrix

FILES = [
    "test_entropy.py", "core/test_ptrace.py", "core/test_states.py", "test_wigner.py",
    "solver/test_steadystate.py", "solver/test_correlation.py", "solver/test_mesolve.py",
    "solver/test_mcsolve.py", "solver/test_sesolve.py",
]  # fmt: skip
ADAPTERS = {}
used = Counter()


class Theirs(Exception):
    """A question about QuTiP's own options, which QuTiP answers."""


def not_applicable(reason):
    pytest.skip(reason)


def answering(name, ours, theirs):
    @functools.wraps(ours)
    def answer(*args, **kwargs):
        try:
            result = ours(*args, **kwargs)
        except Theirs:
            return theirs(*args, **kwargs)
        used[name] += 1
        return result

    return answer


def replaces(*names):
    def register(function):
        for name in names:
            ADAPTERS[name] = answering(name, function, getattr(qutip, name))
        return function

    return register


def constant(operator, what="H(t) or jumps that depend on time"):
    """A plain operator, or the sum of a list of them."""
    if isinstance(operator, list | tuple) and operator:
        return sum(constant(part) for part in operator)
    if isinstance(operator, qutip.QobjEvo) and operator.isconstant:
        operator = operator(0)
    if not isinstance(operator, qutip.Qobj):
        not_applicable(what)
    if operator.issuper or operator.isoperket:
        not_applicable("superoperators as input")
    return operator


def equation(H, c_ops):
    c_ops = [] if c_ops is None else c_ops if isinstance(c_ops, list | tuple) else [c_ops]
    H, jumps = constant(H), [constant(c) for c in c_ops]
    if not H.isoper or not H.isherm:
        not_applicable("H that is not Hermitian")
    return lindblad.Lindblad(H, jumps)


def state_of(state):
    state = constant(state)
    return state.proj() if state.isket else state


def matrix(state, like):
    return qutip.Qobj(np.asarray(state), dims=like.dims)


# ---------------------------------------------------------------- entropies, partial traces
def plain(rho):
    if not isinstance(rho, qutip.Qobj):
        raise Theirs
    return rho.proj() if rho.isket else rho


@replaces("entropy_vn")
def entropy_vn(rho, base=np.e, sparse=False):
    return thermodynamics.von_neumann_entropy(plain(rho)) / math.log(base)


@replaces("entropy_linear")
def entropy_linear(rho):
    return 1.0 - float(np.sum(thermodynamics.spectrum(plain(rho)) ** 2))


def positions(sel):
    return sorted([sel] if isinstance(sel, int | np.integer) else sel)


def entropy_of(rho, kept, base=np.e):
    part = thermodynamics.reduced_state(rho, rho.dims[0], kept)
    return thermodynamics.von_neumann_entropy(part) / math.log(base)


@replaces("entropy_mutual")
def entropy_mutual(rho, selA, selB, base=np.e, sparse=False):
    rho, A, B = plain(rho), positions(selA), positions(selB)
    if (A, B) == ([0], [1]) and len(rho.dims[0]) == 2:
        return thermodynamics.mutual_information(rho, rho.dims[0]) / math.log(base)
    both = entropy_of(rho, sorted(A + B), base)
    return entropy_of(rho, A, base) + entropy_of(rho, B, base) - both


@replaces("entropy_conditional")
def entropy_conditional(rho, selB, base=np.e, sparse=False):
    rho = plain(rho)
    whole = list(range(len(rho.dims[0])))
    return entropy_of(rho, whole, base) - entropy_of(rho, positions(selB), base)


def ptrace(self, sel, dtype=None):
    used["Qobj.ptrace"] += 1
    rho = plain(self)
    if not all(isinstance(d, int) for d in rho.dims[0]) or rho.issuper:
        not_applicable("spaces that are no products")
    kept = positions(sel)
    if any(not 0 <= k < len(rho.dims[0]) for k in kept):
        try:
            thermodynamics.reduced_state(rho, rho.dims[0], kept)
        except InvalidArgument as refusal:
            raise IndexError(str(refusal)) from None
    part = thermodynamics.reduced_state(rho, rho.dims[0], kept)
    dims = [[rho.dims[0][k] for k in kept]] * 2 if kept else None
    return qutip.Qobj(part.toarray(), dims=dims)


# ---------------------------------------------------------------- states, Wigner functions
def only(method, allowed):
    if method not in allowed:
        raise Theirs


@replaces("coherent_dm")
def coherent_dm(N, alpha, offset=0, method="operator", *, dtype=None):
    only(method, ("operator", "analytic"))
    if offset or dtype is not None:
        raise Theirs
    return qutip.Qobj(coherent_state(alpha, N, tolerance=1.0))


@replaces("thermal_dm")
def thermal_dm(N, n, method="operator", *, dtype=None):
    only(method, ("operator", "analytic"))
    if dtype is not None:
        raise Theirs
    rho = thermal_state(float(n), N, tolerance=1.0)
    return qutip.Qobj(rho / np.trace(rho))


@replaces("fock_dm")
def fock_dm(dimensions, n=None, offset=None, *, dtype=None):
    if not isinstance(dimensions, int) or not isinstance(n, int) or offset or dtype is not None:
        raise Theirs
    return qutip.Qobj(number_state(n, dimensions))


@replaces("wigner")
def wigner(psi, xvec, yvec=None, method="clenshaw", g=2**0.5, sparse=False, parfor=False,
           **options):  # fmt: skip
    if method == "fft":
        not_applicable("Wigner functions on a mesh chosen by an FFT")
    if options or psi.isbra:
        raise Theirs
    unit = g / math.sqrt(2.0)
    y = xvec if yvec is None else yvec
    W = wigner_from_density_matrix(plain(psi).full(), unit * np.asarray(xvec), unit * np.asarray(y))
    return unit**2 * W.T


# ---------------------------------------------------------------- steady states, evolution
@replaces("steadystate")
def steadystate(A, c_ops=(), *, method="direct", solver=None, rho=None, **options):
    if "bad_opt" in options or method == "not a method" or solver == "Error":
        raise Theirs
    if "propagator_max_iter" in options or not len(c_ops):
        raise Theirs
    system = equation(A, list(c_ops))
    way = lindblad.Krylov() if method.startswith(("iterative", "power")) else None
    solution = lindblad.steady_state(system, method=way, initial=rho)
    return matrix(solution.state.density_matrix, constant(A))


class Answer:
    """The part of a result of QuTiP that follows from one of ours."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __getattr__(self, name):
        not_applicable(f"`{name}` of QuTiP's results")


def named(e_ops):
    e_ops = {} if e_ops is None else e_ops
    if not isinstance(e_ops, dict):
        e_ops = dict(enumerate(e_ops if isinstance(e_ops, list | tuple) else [e_ops]))
    if any(not isinstance(e, qutip.Qobj) for e in e_ops.values()):
        not_applicable("observables that are functions of time")
    return {str(key): e for key, e in e_ops.items()}, list(e_ops)


@replaces("sesolve")
def sesolve(H, psi0, tlist, _e_ops=None, _args=None, _options=None, *, e_ops=None, args=None,
            options=None, **more):  # fmt: skip
    if (options or _options or {}).get("method") == "krylov":
        raise Theirs
    if constant(psi0).isoper:
        not_applicable("propagators as a result: ours are states")
    return mesolve(H, psi0, tlist, e_ops=e_ops if _e_ops is None else _e_ops, **more)


@replaces("mesolve")
def mesolve(H, rho0, tlist, c_ops=None, _e_ops=None, _args=None, _options=None, e_ops=None,
            args=None, options=None, **more):  # fmt: skip
    if not isinstance(H, qutip.Qobj | qutip.QobjEvo | list) or more:
        not_applicable("H(t) or jumps that depend on time")
    if (options or _options or {}).get("method") == "krylov":
        raise Theirs
    system, start = equation(H, c_ops), constant(rho0)
    operators, keys = named(e_ops)
    tlist = np.asarray(tlist, dtype=float)
    solution = lindblad.evolve(system, state_of(start), tlist - tlist[0], observables=operators)
    means = [solution.means[str(key)] for key in keys]
    like = state_of(start)
    data = dict(zip(keys, means, strict=True))
    answer = Answer(times=tlist, expect=means, e_data=data)
    if start.isoper or system.jumps:  # else they are state vectors
        states = [matrix(solution.state(i).density_matrix, like) for i in range(tlist.size)]
        answer.states, answer.final_state = states, states[-1]
    return answer


@replaces("mcsolve")
def mcsolve(H, state, tlist, c_ops=(), e_ops=None, ntraj=500, *, args=None, options=None,
            seeds=None, target_tol=None, timeout=None, **more):  # fmt: skip
    if seeds is not None or timeout is not None or not isinstance(ntraj, int) or more:
        not_applicable("QuTiP's seeds, time limits and numbers of trajectories")
    system, start = equation(H, list(c_ops)), state_of(state)
    if abs(start.tr() - 1.0) > 1e-9:
        not_applicable("trajectories of an operator whose trace is not one")
    operators, keys = named(e_ops)
    samples = lindblad.sample_jumps(
        system, start, tlist, observables=operators, trajectories=max(ntraj, 2), states=True,
        records=True, seed=secrets.randbits(63),
    )  # fmt: skip
    means = [samples.means[str(key)] for key in keys]
    return Answer(
        times=list(tlist),
        expect=means,
        average_expect=means,
        states=[matrix(rho, start) for rho in samples.average_states],
        average_states=[matrix(rho, start) for rho in samples.average_states],
        average_final_state=matrix(samples.average_states[-1], start),
        std_expect=[samples.standard_errors[str(key)] * math.sqrt(ntraj) for key in keys],
        e_data=dict(zip(keys, means, strict=True)),
        col_times=[record.times.tolist() for record in samples.records],
        col_which=[record.kinds.tolist() for record in samples.records],
        stats={},
    )


# ---------------------------------------------------------------- correlations, by hand
def correlations(H, state0, tlist, taulist, c_ops, A, B, C):
    """⟨A(t) B(t+τ) C(t)⟩ = Tr B exp(Lτ) [C ρ(t) A]."""
    system = equation(H, c_ops)
    A, B, C = (constant(op, "operators that depend on time") for op in (A, B, C))
    if state0 is None:
        rho = lindblad.steady_state(system).state.density_matrix
    else:
        rho = state_of(state0).full()
    times = np.zeros(1) if tlist is None else np.asarray(tlist, dtype=float)
    before = lindblad.evolve(system, rho, times)
    rows = []
    for i in range(times.size):
        middle = C.full() @ before.state(i).density_matrix @ A.full()
        after = lindblad.evolve(system, middle, taulist, observables={"B": B}, states=False)
        rows.append(after.means["B"])
    return np.array(rows, dtype=complex)


@replaces("correlation_2op_2t")
def correlation_2op_2t(H, state0, tlist, taulist, c_ops, a_op, b_op, solver="me", reverse=False,
                       args=None, options=None, **more):  # fmt: skip
    if more:
        not_applicable("parts of a plane of times, and parallel maps")
    one = qutip.qeye_like(a_op)
    A, B, C = (a_op, b_op, one) if reverse else (one, a_op, b_op)
    return correlations(H, state0, tlist, taulist, c_ops, A, B, C)


@replaces("correlation_2op_1t")
def correlation_2op_1t(H, state0, taulist, c_ops, a_op, b_op, solver="me", reverse=False,
                       args=None, options=None):  # fmt: skip
    if not isinstance(a_op, qutip.Qobj):
        not_applicable("operators that depend on time")
    return correlation_2op_2t(H, state0, None, taulist, c_ops, a_op, b_op, reverse=reverse)[0]


@replaces("correlation_3op_2t")
def correlation_3op_2t(H, state0, tlist, taulist, c_ops, a_op, b_op, c_op, solver="me", args=None,
                       options=None, **more):  # fmt: skip
    if more:
        not_applicable("parts of a plane of times, and parallel maps")
    return correlations(H, state0, tlist, taulist, c_ops, a_op, b_op, c_op)


@replaces("correlation_3op_1t")
def correlation_3op_1t(H, state0, taulist, c_ops, a_op, b_op, c_op, solver="me", args=None,
                       options=None):  # fmt: skip
    return correlations(H, state0, None, taulist, c_ops, a_op, b_op, c_op)[0]


# ---------------------------------------------------------------- the run
class Judge:
    """Replaces, and counts outcomes by file: passed, failed, not applicable, not replaced."""

    def __init__(self):
        self.outcomes, self.reasons, self.failures = {}, Counter(), []

    def pytest_collection_finish(self, session):
        originals = {id(getattr(qutip, name)): new for name, new in ADAPTERS.items()}
        for module in list(sys.modules.values()):
            if not getattr(module, "__name__", "").startswith(("qutip", "test_")):
                continue
            for key, value in list(vars(module).items()):
                if id(value) in originals:
                    setattr(module, key, originals[id(value)])
        qutip.Qobj.ptrace = ptrace

    def pytest_runtest_setup(self, item):
        used.clear()

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("tests/")[-1].split("::")[0]
        counts = self.outcomes.setdefault(name, Counter())
        if report.failed:
            counts["failed"] += 1
            self.failures.append(f"{report.nodeid}\n{report.longrepr}")
        elif report.skipped:
            counts["not applicable"] += 1
            reason = (
                report.longrepr[2] if isinstance(report.longrepr, tuple) else "expected to fail"
            )
            self.reasons[reason.removeprefix("Skipped: ")] += 1
        elif report.when == "call":
            counts["passed" if used else "not replaced"] += 1

    def table(self):
        columns = ("passed", "failed", "not applicable", "not replaced")
        lines = [("file", *columns)]
        lines += [(n, *(str(c[k]) for k in columns)) for n, c in self.outcomes.items()]
        total = sum(self.outcomes.values(), Counter())
        lines.append(("all", *(str(total[k]) for k in columns)))
        table = ["| " + " | ".join(line) + " |" for line in lines]
        table.insert(1, "|---" + "|---:" * len(columns) + "|")
        reasons = [f"{count:5d}  {reason}" for reason, count in self.reasons.most_common()]
        return "\n".join([*table, "", "not applicable:", *reasons])


def main(*arguments):
    folder = Path(qutip.__file__).parent / "tests"
    wanted = [a for a in arguments if not a.startswith("-")]
    files = [f for f in FILES if not wanted or any(word in f for word in wanted)]
    judge = Judge()
    options = ["-q", "-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider", "-p", "no:xdist"]
    pytest.main(
        [*options, "--no-header", "--no-summary", *(str(folder / f) for f in files)], [judge]
    )
    print(f"\nQuTiP {qutip.__version__}'s own tests\n")
    print(judge.table())
    if "-v" in arguments:
        print(*judge.failures, sep="\n\n")
    return 1 if judge.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
