"""Fingerprints of code, so that a change to a module reruns the rules that use it, and no others.

Snakemake tracks a rule's script, not what the script imports. A rule that lists `code(script)` among its params is
rerun when the script or any featprune module that it reaches changes in meaning: comments, docstrings and layout
don't count. Where a rule uses one entry of a registry, the other entries don't count either, so that adding one
reruns nothing.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def code(*paths: str | Path, **entries: str) -> str:
    """A short hash of these files and of every featprune module that they import, directly or not.

    entries: registry -> the one key of it that counts, such as CRITERIA="magnitude". A registry is a dict literal at
    the top of a module; functions that only its other entries name don't count.
    """
    reached: dict[Path, str] = {}
    waiting = [Path(path).resolve() for path in paths]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached[path], imports = _read(path, tuple(sorted(entries.items())))
            waiting += imports
    # Names and not places: a result doesn't depend on where the checkout lies.
    lines = sorted(f"{_place(path)} {digest}" for path, digest in reached.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _place(path: Path) -> str:
    """A module's path within the package; of a script, its name."""
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name


def module(name: str) -> Path:
    """The file of a featprune module, such as "featprune.figures.headline"."""
    stem = PACKAGE.parent.joinpath(*name.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def import_from_here() -> None:
    """Let the processes that this one starts import this very package, whatever environment they run in."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))


@cache
def _read(path: Path, entries: tuple[tuple[str, str], ...]) -> tuple[str, tuple[Path, ...]]:
    """A file's own hash and the featprune files that it imports, at the top or inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    _strip_docstrings(tree)
    # What is imported for type checkers only never runs.
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and _is_type_checking(node.test))]
    _keep_entries(tree, dict(entries))
    imports = {module(name) for name in _imported(tree) if name.split(".")[0] == PACKAGE.name}
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return digest, tuple(sorted(path for path in imports if path.is_file()))


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _strip_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]


def _keep_entries(tree: ast.Module, entries: Mapping[str, str]) -> None:
    """Drop the other entries of the registries named, and the definitions that nothing but these entries needs."""
    dropped: list[ast.AST] = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(names) == 1 and names[0] in entries and isinstance(node.value, ast.Dict):
            pairs = list(zip(node.value.keys, node.value.values, strict=True))
            kept = [(k, v) for k, v in pairs if isinstance(k, ast.Constant) and k.value == entries[names[0]]]
            dropped += [value for key, value in pairs if (key, value) not in kept]
            node.value.keys, node.value.values = [k for k, _ in kept], [v for _, v in kept]
    definitions = {name: node for node in tree.body for name in _defined(node)}

    def closure(roots: list[ast.AST]) -> set[int]:
        """The ids of the definitions that these nodes need, directly or not."""
        needed: set[int] = set()
        waiting = list(roots)
        while waiting:
            for inner in ast.walk(waiting.pop()):
                node = definitions.get(inner.id) if isinstance(inner, ast.Name) else None
                if node is not None and id(node) not in needed:
                    needed.add(id(node))
                    waiting.append(node)
        return needed

    doubtful = closure(dropped)
    sure = [node for node in tree.body if id(node) not in doubtful]
    needed = closure(sure)
    tree.body = [node for node in tree.body if id(node) not in doubtful or id(node) in needed]


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a function, class or import at the top of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names of the modules that may be imported anywhere in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from featprune import masks` names a module behind the import, the longer form does not.
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
