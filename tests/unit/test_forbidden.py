"""Nothing in the code loads pickles, evaluates text, or hands anything to a shell."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What passes through the pipes of a process that a benchmark itself has started comes from no one else.
PIPED = ROOT / "benchmarks" / "fresh.py"
FILES = sorted({file for folder in ("benchmarks", "featprune", "workflow") for file in (ROOT / folder).rglob("*.py")})
FILES.remove(PIPED)
RULES = sorted([ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")])
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "pd.read_pickle",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
}
PICKLES = {"np.load", "numpy.load"}  # unless they are told not to


def forbidden(source: str) -> list[str]:
    """What a file does that it must not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name, told = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            if name in CALLS or (name in PICKLES and told.get("allow_pickle") != "False") or "shell" in told:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_does_nothing_that_it_must_not(file):
    assert forbidden(file.read_text(encoding="utf-8")) == []


def test_what_must_not_be_done_is_seen():
    for source in (
        "import pickle",
        "from joblib import dump",
        "torch.load(x)",
        "np.load(x)",
        "np.load(x, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "yaml.load(x)",
        "eval(x)",
    ):
        assert forbidden(source), source
    assert not forbidden("np.load(x, allow_pickle=False); subprocess.run([x]); yaml.safe_load(x); re.compile(x)")


@pytest.mark.parametrize("file", RULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_rule_has_a_shell_command(file):
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if line.startswith(("shell", "run:")) or "shell(" in line or "eval(" in line]
