"""Check what a source distribution and a wheel hold: `python .ci/contents.py dist/*`."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)[^)]*\)")


def check_source(path: Path) -> None:
    """All that is under version control is there, and all that README points to."""
    with tarfile.open(path) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
        top = file.getnames()[0].partition("/")[0]
        readme = file.extractfile(f"{top}/README.md").read().decode()
    if Path(".git").exists():
        listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)
        missing = set(listed.stdout.splitlines()) - held
        assert not missing, f"{path.name} lacks {sorted(missing)}"
    broken = [link for link in LINK.findall(readme) if link.rstrip("/") not in held]
    assert not broken, f"README of {path.name} points to {broken}"


def check_wheel(path: Path) -> None:
    """The package alone, and a description without links that break elsewhere."""
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        description = file.read(metadata).decode()
    files = (each for each in Path("src/wheelwork").rglob("*") if each.is_file())
    package = {each.relative_to("src").as_posix() for each in files if each.suffix != ".pyc"}
    held = {name for name in names if ".dist-info/" not in name}
    assert held == package, f"{path.name} and src/wheelwork differ in {sorted(held ^ package)}"
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not LINK.findall(description), LINK.findall(description)


for each in map(Path, sys.argv[1:]):
    check_wheel(each) if each.suffix == ".whl" else check_source(each)
    print(f"{each.name}: complete")
