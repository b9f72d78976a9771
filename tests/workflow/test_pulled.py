"""Results that were computed elsewhere are accepted with one command; then only what is missing is made."""

import random
import shutil

from tests.workflow.conftest import Workspace

TRAINING = {"train_dense", "train_references", "extract_mask", "retrain", "train_chain_1_2"}


def pulled(finished: Workspace, pristine: Workspace, root) -> Workspace:
    """Another checkout with copies of all results: without their times, and without what Snakemake noted of them."""
    clone = pristine.copy(root)
    files = sorted(path for path in finished.results.rglob("*") if path.is_file())
    random.Random(0).shuffle(files)
    for path in files:
        copy = clone.results / path.relative_to(finished.results)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return clone


def test_a_figure_of_pulled_results_is_drawn_without_computing_anything(finished, pristine, tmp_path):
    clone = pulled(finished, pristine, tmp_path / "clone")
    figure = clone.results / "figures/digits/accuracy_vs_density.png"
    figure.unlink()
    touched = clone.snakemake("--touch", "--cores", "1")
    assert touched.returncode == 0, touched.stdout
    assert clone.plan().counts() == {"plot_accuracy_vs_density": 1}
    # What changes from then on is seen as ever.
    margin = clone.plan(overlay={"claims": {"margins": {"accuracy": 0.01}}}).counts()
    assert margin.items() >= {"aggregate_claims": 3, "plot_claims": 3}.items() and not TRAINING & margin.keys()
    clone.run(str(figure.relative_to(clone.root)))
    assert figure.read_bytes() == (finished.root / figure.relative_to(clone.root)).read_bytes()
