"""Random parameter files: bytes, TOML of any content, and mutations of files that are right."""

import math
import re
from pathlib import Path

from hypothesis import strategies as st

from wheelwork.cli.jobs import load_text

EXAMPLES = Path(__file__).parents[2] / "examples"
# A file that names a class is a program: left out.
GOOD = [
    path.read_text(encoding="utf-8")
    for path in sorted(EXAMPLES.glob("*.toml"))
    if "own" not in path.name
]
WORDS = sorted({word for text in GOOD for word in re.findall(r"[a-z_0-9-]{3,}", text)})

numbers = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([math.inf, -math.inf, math.nan, 0.0, -0.0, 5e-324, 1.7e308, 2**53 + 1]),
)
texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=20),
    st.sampled_from(
        ["1 K", "-3.5e400 meV", "1 mev", "\0", "a" * 300, "../..", "leads[0].x", "x:y"]
    ),
    st.builds("{} {}".format, numbers, st.sampled_from(["K", "meV", "GHz", "rad/s", "", "Kg"])),
)
scalars = st.one_of(numbers, texts, st.booleans())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), inner, max_size=4),
    ),
    max_leaves=12,
)
tables = st.dictionaries(st.sampled_from(WORDS), values, max_size=5)
documents = st.fixed_dictionaries(
    {"machine": st.one_of(st.sampled_from(["flywheel", "rotor", "power-grid"]), scalars)},
    optional={
        name: st.one_of(tables, values)
        for name in ("units", "device", "leads", "sweep", "method", "output", "strange")
    },
)


def written(value):
    """Return `value` as TOML, inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    return repr(value) if isinstance(value, int) else str(float(value))


def quoted(text):
    """Return a text as a basic string."""
    escaped = (f"\\U{ord(c):08x}" if c in '"\\' or not c.isprintable() else c for c in text)
    return '"' + "".join(escaped).encode("utf-8", "replace").decode() + '"'


def as_toml(document):
    return "".join(f"{quoted(name)} = {written(value)}\n" for name, value in document.items())


@st.composite
def mutated(draw):
    """A file that is right, with one to three of its values or lines replaced."""
    lines = draw(st.sampled_from(GOOD)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[at].partition("=")
        kind = draw(st.sampled_from(["value", "value", "value", "drop", "twice", "word"]))
        if kind == "value" and equals:
            lines[at] = f"{key}= {written(draw(values))}"
        elif kind == "drop":
            lines[at] = ""
        elif kind == "twice":
            lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
        else:
            word = draw(st.sampled_from(WORDS))
            lines[at] = re.sub(r"[a-z_]{3,}", word, lines[at], count=1)
    return "\n".join(lines)


FILES = {
    "bytes": st.binary(max_size=200),
    "text": st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    "documents": documents.map(as_toml).map(str.encode),
    "mutations": mutated().map(lambda text: text.encode("utf-8", "replace")),
}


def _call(text):
    return text, lambda: load_text(text, Path("device.toml")), lambda job: None


CALLS = {
    "files, documents": documents.map(as_toml).map(_call),
    "files, mutations": mutated().map(_call),
}
