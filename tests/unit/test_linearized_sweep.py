"""The lazy limit as a part of the sweep: what may be written, which runs there are, and what the others keep."""

import pytest
import yaml

from featprune.config import ConfigError, resolve
from featprune.engine.settings import Settings
from featprune.experiment import LAZY
from featprune.rates import read_rates
from featprune.runs.paths import DENSE, LINEARIZED, REDRAWN, TICKET, Kind
from featprune.study import Study
from featprune.workload import step_cost
from tests.unit.configs import KINDS, mnist, written
from tests.unit.configs import SCHEMA as PLAIN_SCHEMA
from tests.unit.test_study import CHOICES, CONFIG, SCHEMA, cell

NOT_THERE = ("all", "connected", "compressed")


def study(linearize: bool = True, **overlay) -> Study:
    raw = yaml.safe_load(CONFIG)
    raw["experiments"]["a"] |= {"linearize": linearize} | overlay
    raw["experiments"]["b"]["linearize"] = raw["experiments"]["c"]["linearize"] = False
    return Study(resolve(raw, SCHEMA, CHOICES))


def lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        resolve(written(text), PLAIN_SCHEMA, KINDS)
    return caught.value.lines


def test_it_is_off_and_no_alpha_that_may_be_written():
    assert resolve(written(), PLAIN_SCHEMA, KINDS)["experiments"]["mnist"]["linearize"] is False
    assert lines(mnist("alphas: [1, inf]")) == ["config: experiments.mnist.alphas[1]: expected a number, got 'inf'"]


@pytest.mark.parametrize(
    ("overlay", "needed"),
    [("center: false", "center: true"), ("training: {weight_decay: 0.1}", "training.weight_decay: 0")],
)
def test_what_has_no_limit_is_one_line(overlay, needed):
    assert lines(mnist(f"linearize: true, {overlay}")) == [f"config: experiments.mnist.linearize: needs {needed}"]


def test_rates_of_its_own_go_under_inf():
    plain = "linearize: true, lrs: [1, 3.3], lrs_by_alpha: {%s: [3.3], 0.1: [1]}"
    for key in ("inf", ".inf"):
        config = resolve(written(mnist(plain % key)), PLAIN_SCHEMA, KINDS)
        assert config["experiments"]["mnist"]["lrs_by_alpha"] == {"0.1": ["1"], "inf": ["3.3"]}
        # What is published may be run again.
        again = resolve(config, PLAIN_SCHEMA, KINDS)
        assert again["experiments"] == config["experiments"]
    (line,) = lines(mnist("linearize: true, lrs: [1, 3.3], lrs_by_alpha: {inf: [2]}"))
    assert line == "config: experiments.mnist.lrs_by_alpha.inf[0]: 2 is not one of lrs (known: 1, 3.3)"


def test_dense_networks_tickets_and_their_nulls_are_run():
    e = study(lrs_by_alpha={"inf": [2]}).experiments["a"]
    assert e.alphas == ("0.3", "1", LINEARIZED) and e.lrs_at(LINEARIZED) == ["2"]
    mine = [c for c in (*e.dense_cells, *e.chains) if c.alpha == LINEARIZED]
    assert [c.kind for c in mine] == [DENSE, TICKET, REDRAWN] and {c.lr for c in mine} == {"2"}


def test_a_run_trains_the_expansion_at_an_alpha_that_leaves_the_weights_alone():
    made = study()
    settings = made.training_params(cell(TICKET, alpha=LINEARIZED), [3], "0-1")["settings"][0]
    assert Settings(**settings).linearize and settings["alpha"] == LAZY
    assert made.extraction_params(cell(TICKET, alpha=LINEARIZED), [3], "0-1")["objective"]["alpha"] == LAZY
    assert made.dense_params(cell(DENSE, alpha=LINEARIZED), [DENSE], "0-1")["settings"]["linearize"]
    assert made.feature_params(cell(DENSE, alpha=LINEARIZED))["linearize"]


def test_no_other_run_changes_and_so_none_is_run_again():
    with_it, without = study(), study(linearize=False)

    def params(made: Study) -> dict:
        return {
            run: (
                made.training_params(run.cell, [run.round], run.block),
                made.extraction_params(run.cell, [run.round], run.block),
                made.feature_params(run.cell),
            )
            for run in made.runs("a")
            if run.cell.alpha != LINEARIZED
        }

    assert params(with_it) == params(without) and len(params(without)) > 50
    groups = {key: names for key, names in with_it.comparisons.items() if not key[0]}
    assert groups == without.comparisons
    assert [key for key in with_it.comparisons if key[0]] == [(True, (TICKET, REDRAWN), (3,))]
    assert (with_it.dense_dumps, with_it.chain_dumps) == (without.dense_dumps, without.chain_dumps)


def test_its_features_are_compared_and_measured_and_no_lines_followed():
    made = study()
    there = {name: {run.cell.alpha for run in made.select("a", name)} for name in (*NOT_THERE, "compared", "measured")}
    assert [LINEARIZED in there[name] for name in there] == [True, False, False, True, True]
    assert all(run.cell.alpha != LINEARIZED for run in made.drawn_runs("a"))


def test_frozen_rates_without_it_are_those_of_the_largest_alpha(tmp_path):
    text = (
        "alpha,criterion,rewind,lr,edge\n0.3,dense,dense,1,False\n1000,dense,dense,7,True\n1,magnitude,init,2,False\n"
    )
    file = tmp_path / "rates.csv"
    file.write_text(text)
    rates = read_rates(str(file))
    assert (rates.of(LINEARIZED, DENSE).lr, rates.of(LINEARIZED, TICKET).lr) == ("7", "2")
    (row,) = rates.rows([(LINEARIZED, DENSE)])
    assert row["alpha"] == float("inf") and row["lr"] == 7
    file.write_text(text + "inf,dense,dense,9,False\n")
    assert read_rates(str(file)).of(LINEARIZED, DENSE).lr == "9"
    with pytest.raises(Exception, match="no rate for criterion snip"):
        rates.of(LINEARIZED, Kind("snip", "init"))


def test_a_step_costs_more():
    costs = [step_cost(run) for run in study().runs("a")]
    assert set(costs) == {1, 1.6}
