"""Imports go downwards in the table of docs/architecture.md."""

import ast
from itertools import chain
from pathlib import Path

import featprune

PACKAGE = Path(featprune.__file__).parent
PAGE = PACKAGE.parent / "docs/architecture.md"
KNOWN_TO_ALL = "featprune.pruning.masks"


def levels() -> dict[str, int]:
    """Folder or module of the package -> its row in the table."""
    rows = PAGE.read_text(encoding="utf-8").partition("| folder |")[2].partition("\n\n")[0].splitlines()[2:]
    named = [row.split("|")[1].replace("`", "").split(",") for row in rows]
    return {name.strip().rstrip("/").removesuffix(".py"): row for row, names in enumerate(named) for name in names}


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = chain.from_iterable(node.names for node in nodes if isinstance(node, ast.Import))
    names = {alias.name for alias in plain} | {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module
    }
    return {name for name in names if name.startswith("featprune.")} - {KNOWN_TO_ALL}


def test_imports_go_downwards():
    rows = levels()
    seen = 0
    for path in PACKAGE.rglob("*.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path) if own != "__init__" else ():
            other = name.split(".")[1]
            assert rows[own] <= rows[other], f"{path.relative_to(PACKAGE)} imports {name}, which lies above it"
            seen += rows[own] < rows[other]
    assert seen > 300
