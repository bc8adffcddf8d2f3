"""The description in the metadata: README without links that would break away from the repository.

Everything else is declared in pyproject.toml. Relative links become absolute once `Source` is among
the project's URLs there; until then only their text is kept.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:)([^)]*)\)")


def description() -> str:
    urls = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"].get("urls", {})
    source = urls.get("Source", "").rstrip("/")

    def absolute(link: re.Match[str]) -> str:
        picture, text, target = link.groups()
        if source:
            return f"{picture}[{text}]({source}/{'raw' if picture else 'blob'}/main/{target})"
        return "" if picture else text

    return RELATIVE.sub(absolute, (HERE / "README.md").read_text("utf-8"))


setup(long_description=description(), long_description_content_type="text/markdown")
