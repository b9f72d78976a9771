import pytest

from featprune.jobs import fingerprint

MODULES = {
    "__init__.py": "",
    "base.py": '"""Doc."""\nWIDTH = 3\n\n\nclass Entry:\n    """An entry."""\n',
    "extra.py": "def score():\n    return 1\n",
    "registry.py": """
from typing import TYPE_CHECKING

from featprune.base import Entry
from featprune.extra import score

if TYPE_CHECKING:
    from featprune.typed import X


def helper(x):
    return x + 1


def first(x):
    return helper(x)


def second(x):
    return x


THINGS: dict = {"first": first, "second": second, "third": score}


def use(name):
    return THINGS[name], Entry
""",
    "alone.py": "X = 1\n",
    "typed.py": "X = 1\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "featprune"
    root.mkdir()
    for name, text in MODULES.items():
        (root / name).write_text(text)
    script = tmp_path / "script.py"
    script.write_text("def run():\n    from featprune.registry import use\n    use('first')\n")
    monkeypatch.setattr(fingerprint, "PACKAGE", root)

    def edited(name, old, new):
        """The script's fingerprint after an edit, which is taken back; `entries` as for `code`."""

        def measure(**entries):
            path = script if name == "script.py" else root / name
            before = path.read_text()
            assert old in before
            path.write_text(before.replace(old, new))
            fingerprint._read.cache_clear()
            result = fingerprint.code(script, **entries)
            path.write_text(before)
            fingerprint._read.cache_clear()
            return result

        return measure

    fingerprint._read.cache_clear()
    yield lambda **entries: fingerprint.code(script, **entries), edited
    fingerprint._read.cache_clear()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "use('first')", "use('second')"),
        ("registry.py", "return helper(x)", "return helper(x) * 2"),
        ("registry.py", "return x + 1", "return x + 2"),
        ("base.py", "WIDTH = 3", "WIDTH = 4"),
        ("extra.py", "return 1", "return 2"),
    ],
)
def test_a_change_in_meaning_anywhere_below_counts(package, name, old, new):
    code, edited = package
    assert edited(name, old, new)() != code()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("base.py", "Doc.", "Another text."),
        ("base.py", "An entry.", "Another text."),
        ("registry.py", "def helper(x):", "# a comment\n\ndef helper(x):  # and one more"),
        ("alone.py", "X = 1", "X = 2"),
        ("typed.py", "X = 1", "X = 2"),
    ],
)
def test_comments_docstrings_layout_and_other_modules_do_not_count(package, name, old, new):
    code, edited = package
    assert edited(name, old, new)() == code()


def test_of_a_registry_only_the_entry_in_use_counts(package):
    code, edited = package
    other = edited("registry.py", "def second(x):\n    return x", "def second(x):\n    return -x")
    assert other(THINGS="first") == code(THINGS="first")
    assert other(THINGS="second") != code(THINGS="second")
    assert other() != code()
    # What the entry in use reaches counts, and so does what others share with it.
    helper = edited("registry.py", "return x + 1", "return x + 2")
    assert helper(THINGS="first") != code(THINGS="first")
    assert helper(THINGS="second") == code(THINGS="second")
    imported = edited("extra.py", "return 1", "return 2")
    assert imported(THINGS="third") != code(THINGS="third")
    assert imported(THINGS="first") == code(THINGS="first")
    assert edited("registry.py", "return THINGS[name], Entry", "return None")(THINGS="first") != code(THINGS="first")


def test_adding_an_entry_changes_no_other(package):
    code, edited = package
    grown = edited("registry.py", "THINGS: dict = {", "def new(x):\n    return 0\n\n\nTHINGS: dict = {'new': new, ")
    assert grown(THINGS="first") == code(THINGS="first")
    assert grown(THINGS="new") != code(THINGS="first")


def test_training_reaches_neither_figures_nor_tables_nor_download_code():
    script = fingerprint.PACKAGE.parent / "workflow" / "scripts" / "train_pruned.py"
    reached, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += fingerprint._read(path, ())[1]
    names = {path.name for path in reached}
    assert {"training.py", "kernels.py", "masks.py", "rewind.py", "criteria.py"} <= names
    assert not names & {"tables.py", "sources.py", "data.py", "config.py", "study.py", "features.py", "style.py"}
