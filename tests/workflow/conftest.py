"""A tiny study, run once a session in a copy of the repository; tests plan or run changes to it in copies of that.

Copies keep the times of files, on which Snakemake's plans rest. PYTHONPATH makes the copied package the one that the
Snakefile and the jobs import.
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from tests.workflow.forked import python

# Of what is compiled, workspaces keep numba's kernels only, and their copies take those along.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

REPOSITORY = Path(__file__).parents[2]
COPIED = (
    "Snakefile",
    "config",
    "config.yaml",
    "environment.yml",
    "featprune",
    "presets",
    "profiles",
    "pyproject.toml",
    "workflow",
)

STUDY = """
seeds: {count: 2, block: 2}
keep_snapshots: true
run: [tiny, digits, digits_baseline]
datasets:
  small_teacher:
    source: teacher
    options: {inputs: 6, train: 60, validation: 30, test: 30}
experiments:
  tiny:
    dataset: small_teacher
    model: {hidden: [8]}
    training: {lr: 0.01, batch_size: 20, steps: 30, evaluation_steps: 3, snapshot_steps: 3}
    alphas: [0.3, 1]
    pruning: {rewinds: [init], rounds: 2, rates: {hidden: 0.4, output: 0.2}, rounds_per_job: 1}
    features: {probe: 10, rounds: [0, 2]}
  digits:
    dataset: digits
    model: {hidden: [12, 8]}
    training: {lr: 3.0e-3, batch_size: 50, steps: 30, evaluation_steps: 3, snapshot_steps: 3}
    alphas: [1]
    pruning: {rewinds: [init, none], rounds: 2, rates: {hidden: 0.4, output: 0.2}, rounds_per_job: 2}
    features: {probe: 20, rounds: [0]}
    baseline: digits_baseline
  digits_baseline:
    inherit: digits
    center: false
    pruning: {rewinds: [init]}
    baseline: null
"""


@dataclass(frozen=True)
class Job:
    """A job that a dry run announces."""

    rule: str
    outputs: tuple[str, ...]

    @property
    def trains(self) -> bool:
        return self.rule.startswith(("train_", "extract_", "retrain"))

    def __contains__(self, part: str) -> bool:
        return all(part in output for output in self.outputs)


class Plan(list):
    """The jobs of a dry run, without targets, which make nothing themselves."""

    @classmethod
    def parse(cls, text: str) -> "Plan":
        announced = re.findall(r"^rule (\w+):\n(?:    input:.*\n)?    output: (.*)$", text, re.M)
        plan = cls(Job(rule, tuple(outputs.split(", "))) for rule, outputs in announced)
        # Snakemake's own count of jobs guards the parsing of their announcements.
        stated = dict(re.findall(r"^(\w+) +(\d+)$", text.partition("Job stats:")[2].partition("\n\n")[0], re.M))
        stated = {rule: int(count) for rule, count in stated.items() if rule not in ("all", "theory", "total")}
        assert plan.counts() == stated, text
        return plan

    def counts(self) -> dict[str, int]:
        """Rule -> number of its jobs."""
        return dict(Counter(job.rule for job in self))

    def tables_and_figures(self) -> dict[str, set[str]]:
        """Experiment -> names of its tables and figures that are made."""
        made: dict[str, set[str]] = {}
        for path in (Path(output) for job in self for output in job.outputs):
            if path.parts[1] in ("tables", "figures"):
                made.setdefault(path.parts[2], set()).add(path.stem if path.parts[1] == "tables" else path.name)
        return made


@dataclass(frozen=True)
class Workspace:
    """A copy of the repository, in which Snakemake runs."""

    root: Path

    @property
    def results(self) -> Path:
        return self.root / "results"

    def snakemake(
        self, *arguments: str, base: str = "study.yaml", overlay: dict | None = None
    ) -> subprocess.CompletedProcess:
        """Run Snakemake with `overlay` merged over a file with a configuration. stdout holds stderr too."""
        (self.root / "study.yaml").write_text(STUDY)
        (self.root / "overlay.yaml").write_text(yaml.safe_dump(overlay or {}))
        command = [*python(), "-m", "snakemake", *arguments, "--configfile", base, "overlay.yaml"]
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        return subprocess.run(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *targets: str, overlay: dict | None = None, cores: int = 2) -> str:
        """Run the study, or the targets only, to the end."""
        done = self.snakemake(*targets, "--cores", str(cores), overlay=overlay)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, *arguments: str, base: str = "study.yaml", overlay: dict | None = None) -> Plan:
        """What Snakemake would run."""
        done = self.snakemake("-n", *arguments, base=base, overlay=overlay)
        assert done.returncode == 0, done.stdout
        return Plan.parse(done.stdout)

    def copy(self, to: Path) -> "Workspace":
        return Workspace(Path(shutil.copytree(self.root, to)))

    def append(self, path: str, text: str) -> None:
        """Add text to the end of a file."""
        file = self.root / path
        file.write_text(file.read_text() + text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Change the one place in a file that reads `old`."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        file.write_text(text.replace(old, new))

    def files(self) -> dict[str, int]:
        """Every file under results -> the time of its last change."""
        return {str(p.relative_to(self.root)): p.stat().st_mtime_ns for p in self.results.rglob("*") if p.is_file()}


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Workspace:
    """The repository as it is, with nothing run. Don't change it."""
    root = tmp_path_factory.mktemp("pristine")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / name)
    return Workspace(root)


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Workspace]:
    """once(name, make): a copy of the workspace that `make` puts into a folder, in one of the session's processes."""
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def copied(name: str, make: Callable[[Path], None]) -> Workspace:
        made, complete = common / name, common / f"{name}.complete"
        with FileLock(common / f"{name}.lock"):
            if not complete.exists():
                shutil.rmtree(made, ignore_errors=True)
                make(made)
                complete.touch()
        return Workspace(made).copy(tmp_path_factory.mktemp(name) / "study")

    return copied


@pytest.fixture(scope="session")
def finished(pristine, once) -> Workspace:
    """The study after its run. Don't change it: dry runs only."""
    return once("finished", lambda root: pristine.copy(root).run())


@pytest.fixture
def scratch(finished, tmp_path) -> Workspace:
    """The finished study, to change at will."""
    return finished.copy(tmp_path / "study")


def change(experiment: str, **keys) -> dict:
    """An overlay that changes keys of an experiment."""
    return {"experiments": {experiment: keys}}


@pytest.fixture(name="change", scope="session")
def change_fixture():
    return change
