"""Good parameter files, damaged at random: bytes, lines, types, sizes, nesting, encodings.

    python tests/properties/damaged_files.py 1000    # outcomes by kind of damage, as a table

Each goes through the whole command line up to the solution, which is not begun. It must end with
code 0 and a job, or with code 2 and lines that name a key and are not long; never in a traceback.
"""

import contextlib
import dataclasses
import io
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from wheelwork.cli import commands, main
from wheelwork.papers.runs import Run

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = [
    path.read_text(encoding="utf-8")
    for path in sorted(EXAMPLES.glob("*.toml"))
    if "own" not in path.name  # a file that names a class is a program
]
WORDS = sorted({word for text in GOOD for word in re.findall(r"[a-z_0-9-]{3,}", text)})
LONGEST_LINE = 500  # characters of a mistake, without the path of the file
MOST_LINES = 21

VALUES = {
    "booleans": ["true", "false", "[true]", "{ true = false }"],
    "dates": ["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[1979-05-27]"],
    "not finite": ["nan", "inf", "-inf", "[nan]", "[0.0, inf]"],
    "huge and tiny": ["1" + "0" * 400, "1" * 5000, "0x" + "f" * 300, "1e308", "-1e308", "1e-320",
                      "9007199254740993", "-9223372036854775808", "1e999", "[1e308, -1e308]"],
    "texts": ['""', '" "', "'" + "a" * 5000 + "'", '"\\u0000"', '"\\u202e\\U0001f600"', '"µ"',
              "'''\nseveral\nlines\n'''", '"../.."', '"nan"', '"e\\u0301e\\u0301"', '"x:y"'],
    "units": ['"5 nm"', '"1e400 K"', '"1 mev"', '"3 kg m^2/s^2"', '"1 kg^4 kg^4 kg^4 kg^4"',
              '"1 m^-4/Tm^4/Tm^4/Tm^4"', '"1 /"', '"1 K/"', '"2 (K"', '"1 ^2"', '"0 s"', '"1 e"',
              '"5 min"', '"-1 GHz"', '"1 µeV"', '"1 meV meV"', '"1' + "0" * 300 + ' K"'],
    "wrong arrays": ["[]", "[[]]", "[1, 'a', true]", "[[1, 2], 3]", "[{}]", "[[1, 1]]",
                     "[" + "0, " * 3000 + "]", "[" + "true, " * 3000 + "]"],
    "tables for values": ["{}", "{ a = 1 }", "{ kind = 1 }", "{ kind = 'x:y' }", "{ 1 = 2 }",
                          "{ kind = 'lorentzian' }", "{ node = 1 }", "{ '' = 0 }"],
    "deep nesting": ["[" * 60 + "]" * 60, "[" * 4000 + "]" * 4000,
                     "{ a = " * 50 + "1" + " }" * 50, "{ a = " * 3000 + "1" + " }" * 3000],
    "small numbers": ["0", "-1", "0.5", "-0.0", "3", "1_000", "0b11", "1e-3"],
}  # fmt: skip


def _with_value(kind):
    def change(text, chance):
        lines = text.splitlines()
        at = chance.choice([i for i, line in enumerate(lines) if "=" in line])
        inner = re.findall(r"= ?[^=,{}\[\]]+(?=,| ?\})", lines[at])
        value = chance.choice(VALUES[kind])
        if inner and chance.random() < 0.7:
            lines[at] = lines[at].replace(chance.choice(inner), f"= {value}", 1)
        else:
            lines[at] = f"{lines[at].partition('=')[0]}= {value}"
        return "\n".join(lines)

    return change


def _dropped(text, chance):
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        del lines[chance.randrange(len(lines))]
    return "\n".join(lines)


def _repeated(text, chance):
    lines = text.splitlines()
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines)


def _swapped(text, chance):
    lines = text.splitlines()
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _cut(text, chance):
    return text[: chance.randrange(len(text))]


def _other_key(text, chance):
    words = [*re.findall(r"(?m)^[a-z_]+", text), *re.findall(r"(?<=[{,] )[a-z_]+", text)]
    new = chance.choice([chance.choice(WORDS), '""', '"a b"', "a.b", '"\\n"', "k" * 3000, "é"])
    return re.sub(rf"\b{chance.choice(words)}\b", lambda _: new, text, count=1)


def _typo(text, chance):
    words = [*re.findall(r"[a-z_]{4,}", text)]
    word = chance.choice(words)
    at = chance.randrange(len(word))
    return text.replace(word, word[:at] + word[at + 1 :], 1)


TABLES = [
    "[device]",
    "[sweep]",
    "[x]",
    "[[leads]]",
    "[units]",
    "[method]",
    "[]",
    "[output]",
    "[[device]]",
    "[a.b.c]",
    "[leads.x]",
    "[device.leads]",
]
SWEPT = [
    r"bias",
    r"leads",
    r"leads[0]",
    r"leads[9].temperature",
    r"leads[0].x",
    r"[",
    r"leads[0].lineshape.kind",
    r"device.bias",
    r"a.b[c].d",
    r"leads[-1].rate",
    r"engines[1].rate",
    r"extraction[7]",
    r"sites",
    r"kind",
    r"machine",
    r"edges",
    r"temperature_hot",
    r"leads[0].temperature.x",
    r"\u0000",
]


def _more_tables(text, chance):
    lines = text.splitlines()
    lines.insert(chance.randrange(len(lines)), chance.choice(TABLES))
    return "\n".join(lines)


def _other_sweep(text, chance):
    name = chance.choice([*SWEPT, "", "n" * 3000])
    sweep = f'[sweep]\nparameter = "{name}"\nvalues = [1.0, 2.0]'
    return re.sub(r"(?s)\[sweep\].*?(?=\n\[|\Z)", lambda _: sweep, text)


def _flipped(text, chance):
    content = bytearray(text.encode())
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def _encoded(text, chance):
    encoding = chance.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp500"])
    content = (text + "\n# µ").encode(encoding)
    return chance.choice([content, content.replace(b"\n", b"\r\n"), content.replace(b"\n", b"\r")])


DAMAGE = {
    "bytes flipped": _flipped,
    "another encoding": _encoded,
    "lines dropped": _dropped,
    "lines repeated": _repeated,
    "lines swapped": _swapped,
    "cut short": _cut,
    "other keys": _other_key,
    "misspelt words": _typo,
    "other tables": _more_tables,
    "other parameters swept": _other_sweep,
    **{kind: _with_value(kind) for kind in VALUES},
}


def damaged(number):
    """Return the kind of damage of file `number`, and its content."""
    chance = random.Random(number)
    kind = list(DAMAGE)[number % len(DAMAGE)]
    text = chance.choice(GOOD)
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        changed = DAMAGE[chance.choice(list(DAMAGE)[2:])](text, chance)
        text = changed if changed.strip() and "=" in changed else text
    content = DAMAGE[kind](text, chance)
    return kind, content if isinstance(content, bytes) else content.encode("utf-8", "replace")


def outcome(path, content):
    """Return "job" or "refused" of a file with this content; raises AssertionError otherwise."""
    path.write_bytes(content)
    jobs, said = [], io.StringIO()
    with (
        mock.patch.object(commands, "_run", lambda job, how: jobs.append(job) or 0),
        contextlib.redirect_stderr(said),
    ):
        code = main(["run", str(path)])
    lines = said.getvalue().splitlines()
    if code == 0:
        assert [type(job.run) for job in jobs] == [Run]
        assert dataclasses.is_dataclass(jobs[0].run.machine)
        assert not lines
        return "job"
    assert code == 2, said.getvalue()
    assert 1 <= len(lines) <= MOST_LINES, said.getvalue()
    for line in lines:
        assert line.startswith("wheelwork: "), line
        assert len(line.replace(str(path), "")) < LONGEST_LINE, line
        assert re.search(r"`[^`]+`|the file|more mistakes", line), line
        assert line.isprintable(), line
    return "refused"


def report(count):
    found = {kind: Counter() for kind in DAMAGE}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            kind, content = damaged(number)
            try:
                found[kind][outcome(Path(folder) / "device.toml", content)] += 1
            except Exception as reason:
                found[kind]["bad"] += 1
                print(f"{number} ({kind}): {type(reason).__name__}: {reason}", file=sys.stderr)
    print("| damage | files | a job | refused by name | bad |\n|---|---:|---:|---:|---:|")
    found["all"] = sum(found.values(), Counter())
    for kind, each in found.items():
        print(f"| {kind} | {each.total()} | {each['job']} | {each['refused']} | {each['bad']} |")


if __name__ == "__main__":
    report(int(sys.argv[1]))
