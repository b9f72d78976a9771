"""Fingerprints of code, on a small package made here: what counts, and what doesn't."""

from pathlib import Path

import pytest

from featprune.jobs import fingerprint

MODULES = {
    "featprune/__init__.py": "",
    "featprune/base.py": '"""Doc."""\nWIDTH = 3\n\n\nclass Entry:\n    """An entry."""\n',
    "featprune/parts/__init__.py": "",
    "featprune/parts/extra.py": "def score():\n    return 1\n\n\ndef unused():\n    return 1\n",
    "featprune/registry.py": """
from typing import TYPE_CHECKING

from featprune.base import Entry
from featprune.parts.extra import score

if TYPE_CHECKING:
    from featprune.typed import X

SHIFT = 1


def helper(x):
    return x + SHIFT


def first(x):
    return helper(x)


def second(x):
    return x


THINGS: dict = {"first": first, "second": second, "third": score}


def use(name):
    return THINGS[name], Entry
""",
    "featprune/alone.py": "X = 1\n",
    "featprune/typed.py": "X = 1\n",
    "script.py": "def run():\n    from featprune.registry import use\n    use('first')\n",
}

# Of all kinds of syntax in Python 3.10, those in particular whose trees or texts differ between versions.
SYNTAX = '''
from __future__ import annotations
import os.path as path, sys
from collections import *

async def f(a: int = 1, /, b="\\u00e9\\n\\ud800", *args: str, c=..., **kwargs) -> None:
    global g
    async with a as (b, c), b: await b
    async for x, *y in b: yield x
    return

@property
class C(object, metaclass=type):
    """Doc."""
    field: int
    def __init__(self): """Doc."""

def g(x, y=u"unicode", z=-1.5e300j):
    nonlocal_ = lambda *, q=0: (yield)
    with (x as a, y as (b, c)): pass
    match x:
        case {"k": [1, *_], **rest} if rest: ...
        case C(field=1 | None) | "s" as s: ...
        case _: raise ValueError(s) from None
    try: del a[1:2, ::3, (4, 5)], b.c
    except (ValueError, TypeError) as e: raise
    else: assert x, "why"
    finally: x @= y; x: int = 0
    while (n := x) > 1 < 2 not in [] is not None: continue
    else: break_ = not x
    return *x, {**y, "a": 1}, {1, 2}, [a for a in b if a async for c in d], {k: v for k, v in z}, b"\\0", 10**20, 1e999

s = f"a{s}{s!r:>{w}.{p}f}{{}}" "b" f"{s=}{s:%Y}{s:}" rf"\\d{d['k']}{f'{x:{y}}'}" f"{(lambda: 1)()}{x if y else z,}" f""
for i in (yield_ := 1,): print(*i, **i, sep="\'\\"")
if a and b or c: a = b = c < d == e; a[b], (c.d, *e) = -a, ~b
'''


class Package:
    """The package in a folder of its own, with a script that reaches most of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in MODULES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def code(self, script: str = "script.py", **entries: str) -> str:
        for function in (fingerprint.code, fingerprint._read, fingerprint._statements, fingerprint._registries):
            function.cache_clear()
        return fingerprint.code(self.root / script, **entries)


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path / "featprune")
    return Package(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "use('first')", "use('second')"),
        ("featprune/registry.py", "return helper(x)", "return helper(x) * 2"),
        ("featprune/registry.py", "SHIFT = 1", "SHIFT = 2"),
        ("featprune/base.py", "WIDTH = 3", "WIDTH = 4"),
        ("featprune/base.py", "WIDTH = 3", "WIDTH = None"),
        ("featprune/base.py", "WIDTH = 3", "WIDTH = 3.0"),
        ("featprune/parts/extra.py", "score():\n    return 1", "score():\n    return 2"),
        ("featprune/parts/extra.py", "unused():\n    return 1", "unused():\n    return 2"),
    ],
)
def test_a_change_in_meaning_anywhere_below_counts(package, name, old, new):
    before = package.code()
    package.edit(name, old, new)
    assert package.code() != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("featprune/base.py", "Doc.", "Another text."),
        ("featprune/base.py", '"""An entry."""', "pass"),
        ("featprune/registry.py", "def helper(x):", "# a comment\n\ndef helper(x):  # and one more"),
        ("featprune/registry.py", "import Entry", "import (\n    Entry,\n)"),
        ("featprune/alone.py", "X = 1", "X = 2"),
        ("featprune/typed.py", "X = 1", "X = 2"),
        # Parent packages are not followed.
        ("featprune/__init__.py", "", "X = 1"),
        ("featprune/parts/__init__.py", "", "X = 1"),
    ],
)
def test_comments_docstrings_layout_and_other_modules_do_not_count(package, name, old, new):
    before = package.code()
    (package.edit if old else lambda name, _, text: package.write(name, text))(name, old, new)
    assert package.code() == before


@pytest.mark.parametrize(
    "line",
    [
        "import featprune.alone",
        "import featprune.alone as other",
        "from featprune import alone",
        "from featprune.alone import X",
        "from featprune.alone import *",
        "from . import alone",
        "from .alone import X",
        "def f():\n    from featprune.alone import X",
    ],
)
def test_every_kind_of_import_is_followed(package, line):
    package.edit("featprune/base.py", "WIDTH = 3", line)
    before = package.code()
    package.edit("featprune/alone.py", "X = 1", "X = 2")
    assert package.code() != before


def test_imports_of_inner_modules_and_packages_are_followed(package):
    package.write("script.py", "from featprune import parts\nfrom featprune.inner.deep import x\n")
    package.write("featprune/inner/deep.py", "from ..parts.extra import score\nx = 1\n")
    prints = {package.code()}
    for name in ("featprune/parts/extra.py", "featprune/parts/__init__.py", "featprune/inner/deep.py"):
        package.write(name, "x = 2\n")
        prints.add(package.code())
    assert len(prints) == 4


def test_a_module_is_known_by_its_place_in_the_package(package):
    package.write("script.py", "import featprune.left.x, featprune.right.x\n")
    prints = set()
    for left, right in ((1, 2), (2, 1)):
        package.write("featprune/left/x.py", f"X = {left}\n")
        package.write("featprune/right/x.py", f"X = {right}\n")
        prints.add(package.code())
    assert len(prints) == 2


def test_a_checkout_elsewhere_gives_the_same(package, tmp_path, monkeypatch):
    before = package.code(THINGS="first")
    elsewhere = Package(tmp_path / "elsewhere")
    monkeypatch.setattr(fingerprint, "PACKAGE", elsewhere.root / "featprune")
    assert elsewhere.code(THINGS="first") == before


def test_every_version_of_python_gives_the_same(package):
    package.write("syntax.py", SYNTAX)
    assert package.code("syntax.py") == "6a94c56f28dc200e"


def test_of_a_registry_only_the_entry_in_use_counts(package):
    names = ("first", "second", "third")

    def affected() -> set[str]:
        """The entries whose fingerprint has changed since the last call."""
        new = {name: package.code(THINGS=name) for name in names} | {"": package.code()}
        changed = {name for name, print in new.items() if known.get(name) != print}
        known.update(new)
        return changed

    known: dict[str, str] = {}
    assert affected() == {*names, ""}
    package.edit("featprune/registry.py", "def second(x):\n    return x", "def second(x):\n    return -x")
    assert affected() == {"second", ""}
    # What the entry in use reaches counts, and so does what others share with it.
    package.edit("featprune/registry.py", "x + SHIFT", "x - SHIFT")
    assert affected() == {"first", ""}
    package.edit("featprune/registry.py", "SHIFT = 1", "SHIFT = 2")
    assert affected() == {"first", ""}
    package.edit("featprune/parts/extra.py", "score():\n    return 1", "score():\n    return 2")
    assert affected() == {"third", ""}
    package.edit("featprune/registry.py", "return THINGS[name], Entry", "return None")
    assert affected() == {*names, ""}


COLLISIONS = {
    "an attribute": "def use(name):\n    return THINGS[name], Entry.new",
    "a parameter": "def use(name, new=None):\n    return THINGS[name], Entry, new",
    "a local variable": "def use(name):\n    new = THINGS[name]\n    return new, Entry",
    "a variable of an outer function": "def use(name):\n    new = 1\n    return lambda: (new, Entry)",
    "a keyword": "def use(name):\n    return dict(new=THINGS[name]), Entry",
    "a variable of a comprehension": "ALL = [Entry for new in range(3) if new]\n\n\ndef use(name):\n    return 1",
    "a field": "class Named:\n    new: int = 0\n\n\ndef use(name):\n    return THINGS[name], Entry, Named",
    "a method": "class Named:\n    def new(self):\n        return self.new()\n\n\ndef use(name):\n    return Named",
}


@pytest.mark.parametrize("text", COLLISIONS.values(), ids=COLLISIONS)
@pytest.mark.parametrize("merged", [False, True], ids=["alone", "among others"])
def test_adding_an_entry_changes_no_other(package, text, merged):
    package.edit("featprune/registry.py", "def use(name):\n    return THINGS[name], Entry", text)
    before = {name: package.code(THINGS=name) for name in ("first", "second", "third")}
    alone, whole = package.code("featprune/parts/extra.py"), package.code()

    # A score in a module of its own, an import, an entry, and what an author may need around them.
    package.write("featprune/parts/new.py", "SCALE = 2\n\n\ndef new(x):\n    return 0\n")
    new, above = ("partial(new, FACTOR)", "\n\nFACTOR = SCALE * WIDTH\n") if merged else ("new", "")
    line = f"from featprune.parts.new import {'SCALE, ' if merged else ''}new\n"
    package.edit("featprune/registry.py", "import Entry\n", f"import Entry{', WIDTH' if merged else ''}\n{line}{above}")
    package.edit("featprune/registry.py", "THINGS: dict = {", f'THINGS: dict = {{"new": {new}, ')

    assert {name: package.code(THINGS=name) for name in before} == before
    assert package.code("featprune/parts/extra.py") == alone
    assert package.code() != whole
    added = package.code(THINGS="new")
    package.edit("featprune/parts/new.py", "return 0", "return 1")
    assert package.code(THINGS="new") != added
    assert {name: package.code(THINGS=name) for name in before} == before


@pytest.mark.parametrize(
    "text",
    [
        "RESULT = second(1)",
        "class Named:\n    function = second",
        "class Named:\n    second = second",
        "@second\ndef decorated():\n    pass",
        "def outer():\n    def inner(x=second):\n        pass",
        "def outer():\n    return lambda: [second(x) for x in ()]",
        "def outer():\n    global second\n    return second",
        "if True:\n    second(1)",
        "def outer(x: second):\n    pass",
    ],
)
def test_a_true_reference_counts_wherever_it_stands(package, text):
    package.edit("featprune/registry.py", "def use(name)", f"{text}\n\n\ndef use(name)")
    before = package.code(THINGS="first")
    package.edit("featprune/registry.py", "def second(x):\n    return x", "def second(x):\n    return -x")
    assert package.code(THINGS="first") != before


@pytest.mark.parametrize("line", ["from featprune.registry import second", "from featprune import registry"])
def test_what_other_modules_import_counts_though_another_entry_names_it(package, line):
    package.edit("featprune/base.py", "WIDTH = 3", line)
    before = package.code(THINGS="first")
    package.edit("featprune/registry.py", "def second(x):\n    return x", "def second(x):\n    return -x")
    assert package.code(THINGS="first") != before


def test_all_definitions_of_a_name_count(package):
    package.edit("featprune/registry.py", "THINGS: dict", "second = helper(second)\n\nTHINGS: dict")
    prints = {package.code(THINGS="second")}
    for old, new in (("return x\n", "return -x\n"), ("helper(second)", "helper(helper)"), ("SHIFT = 1", "SHIFT = 2")):
        package.edit("featprune/registry.py", old, new)
        prints.add(package.code(THINGS="second"))
    assert len(prints) == 4


def test_a_registry_is_kept_even_where_other_entries_refer_to_it(package):
    package.edit("featprune/registry.py", '"third": score', '"third": lambda x: THINGS["second"](x)')
    before = package.code(THINGS="first")
    package.edit("featprune/registry.py", '"first": first', '"first": lambda x: first(x)')
    assert package.code(THINGS="first") != before


@pytest.mark.parametrize("script", ["train_chain", "train_dense", "retrain"])
def test_training_reaches_neither_figures_nor_tables_nor_download_code(script):
    reached: set[Path] = set()
    waiting = [fingerprint.PACKAGE.parent / "workflow" / "scripts" / f"{script}.py"]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += fingerprint._read(path, (), frozenset())[1]
    places = {fingerprint._place(path) for path in reached}
    assert {"engine/training.py", "engine/kernels.py", "network.py", "runs/chain.py"} <= places
    assert not {place.split("/")[0] for place in places} & {"figures", "tables", "claims", "features", "compression"}
    assert not places & {"data.py", "config.py", "study.py", "datasets/sources.py", "datasets/images.py"}
