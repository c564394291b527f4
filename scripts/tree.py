"""The tree of docs/structure.md: one line per file of the package, from the file's own first sentence."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "structure.md"
BEGIN, END = "<!-- tree: made by scripts/tree --write -->\n", "<!-- end of the tree -->\n"


def tree_lines() -> Iterator[str]:
    """``path   first sentence`` for each file; a package's line comes before its files."""
    package = ROOT / "bmtrain"
    for directory in [
        package,
        *sorted(p for p in package.rglob("*") if (p / "__init__.py").exists()),
    ]:
        depth = len(directory.relative_to(ROOT).parts) - 1
        yield _line("  " * depth + directory.name + "/", directory / "__init__.py")
        for file in sorted(directory.glob("*.py")):
            if file.name != "__init__.py":
                yield _line("  " * (depth + 1) + file.name, file)


def _line(name: str, file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.])\s", paragraph)[0].rstrip(".")
    return f"{name:<28}{sentence}".replace("``", "")


def page_with_tree() -> str:
    """The page's text with the tree as it is now."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    tree = "\n".join(tree_lines())
    return f"{before}{BEGIN}```\n{tree}\n```\n{END}{after}"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page_with_tree(), encoding="utf-8")
    else:
        print("\n".join(tree_lines()))
