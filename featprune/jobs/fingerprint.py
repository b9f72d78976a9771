"""Fingerprints of code, so that a change to a module reruns the rules that use it, and no others.

Snakemake tracks a rule's script, not what the script imports. A rule that lists `code(script)` among its params is
rerun when the script or any featprune module that it reaches changes in meaning: comments, docstrings and layout
don't count, nor does the version of Python. Where a rule uses one entry of a registry, the other entries don't count
either, so that adding one reruns nothing.

What a module imports is followed, its parent packages are not: `__init__.py` of inner packages are empty by
convention, or imported by name, as `featprune.figures` is.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from itertools import chain
from pathlib import Path
from symtable import symtable

PACKAGE = Path(__file__).parents[1]
WHOLE = "*"  # stands for all names of a module


@cache
def code(*paths: str | Path, **entries: str) -> str:
    """A short hash of these files and of every featprune module that they import, directly or not.

    entries: registry -> the one key of it that counts, such as CRITERIA="magnitude". A registry is a dict literal at
    the top of a module; what only its other entries refer to doesn't count: functions, classes, imports, constants.
    """
    # What other modules import from a file counts in it, whatever its registry's entries refer to.
    wanted = {Path(path).resolve(): frozenset[str]() for path in paths}
    digests: dict[Path, str] = {}
    waiting = list(wanted)
    while waiting:
        path = waiting.pop()
        chosen = tuple(sorted((name, entry) for name, entry in entries.items() if name in _registries(path)))
        digests[path], imports = _read(path, chosen, wanted[path] if chosen else frozenset())
        for other, names in imports.items():
            if other not in wanted or not names <= wanted[other]:
                wanted[other] = names | wanted.get(other, frozenset())
                waiting.append(other)
    # Names and not places: a result doesn't depend on where the checkout lies.
    lines = sorted(f"{_place(path)} {digest}" for path, digest in digests.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _place(path: Path) -> str:
    """A module's path within the package; of a script, its name."""
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name


def module(name: str) -> Path:
    """The file of a featprune module, such as "featprune.figures.headline"."""
    stem = PACKAGE.parent.joinpath(*name.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def import_from_here() -> None:
    """Let the processes that this one starts import this very package, whatever environment they run in."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))


@cache
def _read(
    path: Path, entries: tuple[tuple[str, str], ...], wanted: frozenset[str]
) -> tuple[str, dict[Path, frozenset[str]]]:
    """A file's own hash, and the featprune files that it imports, with the names that it imports from each."""
    statements = _kept(_statements(path), dict(entries), wanted) if entries else _statements(path)
    imports: dict[Path, frozenset[str]] = {}
    for name, imported in chain.from_iterable(_imported(statement, path) for statement in statements):
        if name.split(".")[0] == PACKAGE.name and (file := module(name)).is_file():
            imports[file] = imports.get(file, frozenset()) | {imported}
    return hashlib.sha256("\n".join(map(_text, statements)).encode()).hexdigest(), imports


@cache
def _statements(path: Path) -> tuple[ast.stmt, ...]:
    """What a file does: its statements without docstrings and imports for type checkers, with one name an import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            documented = ast.get_docstring(node, clean=False) is not None
            node.body = (node.body[1:] or [ast.Pass()]) if documented else node.body
    statements: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.If) and isinstance(statement.test, ast.Name):
            statements += statement.orelse if statement.test.id == "TYPE_CHECKING" else [statement]
        elif isinstance(statement, ast.Import):
            statements += [ast.Import([alias]) for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            statements += [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
        else:
            statements.append(statement)
    return tuple(statements)


@cache
def _registries(path: Path) -> frozenset[str]:
    """The names of the dict literals at the top of a file."""
    return frozenset(
        name
        for statement in _statements(path)
        for name in _defined(statement)
        if isinstance(getattr(statement, "value", None), ast.Dict)
    )


@cache
def _text(statement: ast.stmt) -> str:
    """What a statement means; most are in the code of many rules."""
    return _canonical(statement)


def _canonical(node: object) -> str:
    """A text of a syntax tree that tells what it means, the same in all versions of Python.

    Newer versions have more fields, which older code leaves empty; Python 3.12 adds empty strings to f-strings.
    """
    if isinstance(node, list):
        return f"[{', '.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name != "kind" and value not in (None, [])}
    if isinstance(node, ast.JoinedStr):
        fields["values"] = [part for part in node.values if not isinstance(part, ast.Constant) or part.value]
    return f"{type(node).__name__}({', '.join(f'{name}={_canonical(value)}' for name, value in fields.items())})"


def _kept(statements: Iterable[ast.stmt], entries: Mapping[str, str], wanted: Collection[str]) -> tuple[ast.stmt, ...]:
    """The statements without the other entries of these registries, and without what nothing but those refers to."""
    chosen: list[ast.stmt] = []
    registries: list[ast.stmt] = []
    dropped: list[ast.stmt] = []
    for statement in statements:
        registry = entries.keys() & set(_defined(statement))
        if registry and isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Dict):
            statement, others = _split(statement, entries[registry.pop()])
            registries.append(statement)
            dropped += others
        chosen.append(statement)
    definitions: dict[str, list[ast.stmt]] = {}
    for statement in chosen:
        for name in _defined(statement):
            definitions.setdefault(name, []).append(statement)

    def reached(roots: Iterable[ast.stmt]) -> set[ast.stmt]:
        """The definitions that these statements refer to, directly or not."""
        found: set[ast.stmt] = set()
        waiting = list(roots)
        while waiting:
            for name in _references(waiting.pop()) & definitions.keys():
                waiting += set(definitions[name]) - found
                found |= set(definitions[name])
        return found

    doubtful = reached(dropped) - set(registries)
    imported = [s for name, known in definitions.items() if name in wanted or WHOLE in wanted for s in known]
    sure = {s for s in chosen if s not in doubtful} | set(imported)
    needed = sure | reached(sure)
    return tuple(s for s in chosen if s in needed)


def _split(statement: ast.Assign | ast.AnnAssign, entry: str) -> tuple[ast.stmt, list[ast.stmt]]:
    """A registry with this entry only, and its other entries."""
    assert isinstance(statement.value, ast.Dict)
    pairs = list(zip(statement.value.keys, statement.value.values, strict=True))
    kept = [(key, value) for key, value in pairs if isinstance(key, ast.Constant) and key.value == entry]
    others: list[ast.stmt] = [ast.Expr(value) for key, value in pairs if (key, value) not in kept]
    fields = dict(ast.iter_fields(statement)) | {"value": ast.Dict([k for k, _ in kept], [v for _, v in kept])}
    return type(statement)(**fields), others


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module defines: of a function, a class, an import, or a value."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in statement.names)
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            yield targets[0].id


@cache
def _references(statement: ast.stmt) -> set[str]:
    """The names that are its module's, or built in, of those that a statement refers to, by Python's rules of scope.

    A parameter, local variable, attribute or class field of the same name is something else.
    """
    # List comprehensions as generators: for Python 3.12 their variables belong to the scope around them.
    text = ast.unparse(_Generators().visit(deepcopy(statement)))
    found, tables = set(), [symtable(text, "<statement>", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        # What the body of a class assigns is its own, but until then the module's.
        in_class = table.get_type() == "class"
        used = [symbol for symbol in table.get_symbols() if symbol.is_referenced()]
        found |= {symbol.get_name() for symbol in used if symbol.is_global() or (in_class and symbol.is_local())}
    return found


class _Generators(ast.NodeTransformer):
    """Makes generators of all comprehensions."""

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


@cache
def _imported(statement: ast.stmt, path: Path) -> tuple[tuple[str, str], ...]:
    """(module, name) of all that a statement of a file may import."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            found += [(alias.name, WHOLE) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            within = path.relative_to(PACKAGE.parent).parts[: -node.level] if node.level else ()
            package = ".".join((*within, *filter(None, [node.module])))
            for alias in node.names:
                inner = f"{package}.{alias.name}"
                found.append((inner, WHOLE) if module(inner).is_file() else (package, alias.name))
    return tuple(found)
