"""Figures of claims and of the toy show what their tables say: verdicts, order parameters and trajectories."""

import itertools
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from scipy.stats import spearmanr

from featprune.errors import FeatpruneError
from featprune.figures import FIGURES, save
from featprune.figures.claims import LOOKS
from featprune.figures.style import STRATEGIES, density_palette
from featprune.figures.toy_preactivations import matched_correlation

matplotlib.use("Agg")
VERDICTS = ("holds", "fails", "undecided")
NAMES = {"claims": "estimate", "teacher_overlap": "overlap"} | dict.fromkeys(
    ("toy_preactivations", "preactivation_dynamics"), "preactivation"
)


def make_claims(alphas=(0.1, 1.0), rewinds=("init", "random"), compared=(2, 4), hypothesis=True, gain=True):
    """A table `claims` of 4 rounds; every estimate differs. SNIP, statistics beside and other rates are noise."""
    verdicts, rows = itertools.cycle(VERDICTS), []

    def add(claim, statistic, estimate, half, **more):
        verdict = next(verdicts)
        rows.append({"claim": claim, "statistic": statistic, "estimate": estimate, "verdict": verdict, **more})
        rows[-1] |= {"ci_low": estimate - half, "ci_high": estimate + half, "null_estimate": 0.0, "decides": True}

    pairs = [*(("magnitude", rewind) for rewind in rewinds), ("snip", "init")]
    for index, ((criterion, rewind), alpha, number) in enumerate(itertools.product(pairs, alphas, range(1, 5))):
        cell = {"alpha": alpha, "criterion": criterion, "rewind": rewind, "round": number, "density": 0.5**number}
        add("1", "test_error", 0.0123 * (1 + index) * (-1) ** index, 0.01, lr=0.3, **cell)
        rows.append({**rows[-1], "statistic": "not_worse", "estimate": 9.0, "decides": False})
        for claim, lr in itertools.product("23" if number in compared and criterion != "snip" else "", (1.0, 30.0)):
            add(claim, "correlation", int(claim) + 0.01 * index if lr == 1 else 8.0, 0.1, lr=lr, **cell)
    for index, (criterion, rewind) in enumerate(pairs if hypothesis else []):
        statistic = "messier" if index else "interaction"
        add("hypothesis", statistic, 0.1 + 0.2 * index, 0.15, criterion=criterion, rewind=rewind)
    for number in range(4 if gain else 0):
        add("headline", "gain", 0.01 * number, 0.02, criterion="magnitude", rewind="init", round=number)
        rows[-1]["density"] = 0.5**number
    return pd.DataFrame(rows).assign(experiment="demo").astype({"round": "Int32"}).sample(frac=1, random_state=0)


def make_overlap(alphas=(0.1, 0.3, 1.0, 10.0), seeds=3, units=20, steps=(0, 1, 10, 100)):
    """Two tickets and the dense network. In the tickets unit 0 has no weights; seed 2 of the first diverges."""
    rng = np.random.default_rng(0)
    rows = []
    runs = [("dense", "dense", 0, 1.0), ("magnitude", "init", 1, 0.5), ("magnitude", "init", 2, 0.12)]
    for (criterion, rewind, number, density), alpha, seed in itertools.product(runs, alphas, range(seeds)):
        for unit, step in itertools.product(range(units), steps):
            lost, diverged = number and not unit, number == 1 and seed == 2 and step > 1 and unit > 3
            strength = np.nan if diverged else 0.0 if lost else rng.uniform(0.1, 2)
            for k, overlap in enumerate(rng.uniform(-1, 1, 3)):
                overlap = np.nan if lost or diverged else overlap
                run = (alpha, criterion, rewind, number, density, seed, step, unit, k, overlap, strength)
                rows.append((*run, 0 if lost else (unit * (7 + number)) % 11))
    columns = ["alpha", "criterion", "rewind", "round", "density", "seed", "step", "unit", "teacher_unit", "overlap"]
    return pd.DataFrame(rows, columns=[*columns, "strength", "survivors"]).assign(experiment="demo", lr=1.0)


def make_preactivations(rewinds=("init", "none"), units=6, samples=9, steps=(0, 1, 10, 100)):
    """Networks at 2 alphas. A ticket is 2 times the dense network but has lost unit 0; `none` is minus the dense."""
    rng = np.random.default_rng(1)
    rows = []
    for alpha, step, sample, unit in itertools.product((1.0, 30.0), steps, range(samples), range(units)):
        value = rng.normal()
        for name in ("dense", *rewinds):
            mine = {"dense": value, "init": 2 * value * (unit > 0), "none": -value}.get(name, rng.normal())
            rows.append((alpha, name, step, sample, (sample * 4) % samples / 10, unit, mine))
    table = pd.DataFrame(rows, columns=["alpha", "rewind", "step", "sample", "label", "unit", "preactivation"])
    dense = table["rewind"] == "dense"
    table = table.assign(criterion=np.where(dense, "dense", "magnitude"), density=np.where(dense, 1.0, 0.12))
    return table.assign(round=3 * ~dense, lr=1.0, layer=1, seed=0, experiment="demo").sample(frac=1, random_state=0)


MAKERS = {"claims": make_claims, "overlap": make_overlap, "preactivations": make_preactivations}


def make_tuned(accuracy=0.9):
    return pd.DataFrame({"test_accuracy": [accuracy], "test_loss": [0.1]})


def draw(name, table, tuned=None):
    tables = {FIGURES[name].tables[0]: table}
    return FIGURES[name].draw(tables | {"tuned": make_tuned() if tuned is None else tuned})


def where(table, **values):
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def cells_of(ax):
    """(column, row) -> (colour, text) of the cells of a panel."""
    colors = {(p.get_x() + 0.5, round(p.get_y() + 0.5, 6)): to_hex(p.get_facecolor()) for p in ax.patches}
    texts = {(text.get_position()[0], round(text.get_position()[1], 6)): text.get_text() for text in ax.texts}
    heights = sorted({y for _, y in colors})
    return {(int(x), heights.index(y)): (color, texts[x, y]) for (x, y), color in colors.items()}


def legend_of(part):
    return [text.get_text() for text in part.legends[0].get_texts()]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_names_figure_and_table(name):
    table = FIGURES[name].tables[0]
    full = MAKERS[table]()
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' is empty"):
        draw(name, full.head(0))
    with pytest.raises(FeatpruneError, match=f"figure '{name}': table '{table}' has no finite"):
        draw(name, full.assign(**{NAMES[name]: np.nan}, **({"strength": np.nan} if table == "overlap" else {})))


@pytest.mark.parametrize("name", NAMES)
def test_save_writes_the_same_bytes_twice(name, tmp_path):
    for take, kind in itertools.product("ab", FIGURES[name].formats):
        save(draw(name, MAKERS[FIGURES[name].tables[0]]()), [tmp_path / take / f"{name}.{kind}"])
    for kind in FIGURES[name].formats:
        assert (tmp_path / "a" / f"{name}.{kind}").read_bytes() == (tmp_path / "b" / f"{name}.{kind}").read_bytes()
    assert len(list((tmp_path / "a").iterdir())) == len(FIGURES[name].formats)


def test_claims_has_a_cell_a_row_in_the_colour_of_its_verdict():
    claims = make_claims()
    figure = draw("claims", claims)
    for ax, rewind in zip(figure.axes, ("init", "random"), strict=False):
        assert ax.get_title() == STRATEGIES[rewind]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.1", "1"]
        cells = cells_of(ax)
        assert len(cells) == 3 * 2 * 2
        for (x, alpha), (y, (claim, number)) in itertools.product(
            enumerate((0.1, 1.0)), enumerate(itertools.product("123", (2, 4)))
        ):
            row = where(claims, claim=claim, alpha=alpha, rewind=rewind, round=number, decides=True)
            row = row[(row["criterion"] == "magnitude") & (row["lr"] <= 1)].iloc[0]
            color, text = cells[x, y]
            assert color == to_hex(LOOKS[row["verdict"]].color)
            sign, number = text.split("\n")
            better = claim == "1" and row["verdict"] == "fails" and row["estimate"] > 0
            assert sign == LOOKS[row["verdict"]].sign + ("↑" if better else "")
            expected = (100 if claim == "1" else 1) * row["estimate"]
            assert float(number.replace("−", "-")) == pytest.approx(expected, rel=0.05, abs=0.05)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == 3 * ["25 %", "6.2 %"]
    assert figure.get_suptitle() == "demo"


@pytest.mark.parametrize(("accuracy", "written"), [(0.9, "+12.3"), (np.nan, "×0.884")])
def test_claims_writes_test_errors_in_the_unit_of_the_experiment(accuracy, written):
    claims = where(make_claims(compared=()), claim="1").assign(estimate=0.123, verdict="fails")
    figure = draw("claims", claims, make_tuned(accuracy))
    assert {text for ax in figure.axes for _, text in cells_of(ax).values()} == {f"✗↑\n{written}"}
    assert legend_of(figure.subfigs[0])[-1] == "↑  better than dense"


def test_claims_shows_the_deciding_statistics_of_hypothesis_and_headline():
    claims = make_claims()
    *_, hypothesis, headline = draw("claims", claims).axes
    names = ["tickets", "SNIP − tickets", "random re-draw − tickets"]
    assert [tick.get_text() for tick in hypothesis.get_yticklabels()] == names
    rows = claims[claims["claim"] == "hypothesis"].sort_values("estimate").iloc[[0, 2, 1]].assign(place=range(3))
    gains = where(claims, claim="headline")
    gains = gains.assign(place=gains["density"], **{c: 100 * gains[c] for c in ("estimate", "ci_low", "ci_high")})
    for ax, shown, flip in ((hypothesis, rows, 1), (headline, gains, -1)):
        for lines, points, (verdict, look) in zip(
            ax.collections[:6:2], ax.collections[1:6:2], LOOKS.items(), strict=True
        ):
            mine = where(shown, verdict=verdict)
            assert to_hex(points.get_facecolor()[0]) == to_hex(lines.get_color()[0]) == to_hex(look.color)
            np.testing.assert_allclose(points.get_offsets()[:, ::flip], mine[["estimate", "place"]])
            ends = [np.r_[path.vertices[:, ::flip][:, 0], path.vertices[0, ::flip][1]] for path in lines.get_paths()]
            np.testing.assert_allclose(ends, mine[["ci_low", "ci_high", "place"]])


@pytest.mark.parametrize("alphas", [(1.0,), (0.1, 1.0, 10.0)])
@pytest.mark.parametrize("rewinds", [("init",), ("init", "late", "random", "none", "same_sign")])
@pytest.mark.parametrize(("compared", "strips"), [((), 0), ((3,), 1), ((1, 2, 3, 4), 2)])
def test_claims_of_any_experiment(alphas, rewinds, compared, strips, tmp_path):
    figure = draw("claims", make_claims(alphas, rewinds, compared, hypothesis=strips > 1, gain=strips > 0))
    assert len(figure.axes) == len(rewinds) + strips
    rows = 3 * len(compared) if compared else 4  # without features claim 1 alone, at all of the few densities
    assert {len(cells_of(ax)) for ax in figure.axes[: len(rewinds)]} == {rows * len(alphas)}
    assert [ax.get_title() for ax in figure.axes[len(rewinds) :]] == [
        "hypothesis: $\\alpha$ acts uniformly on tickets",
        "headline",
    ][2 - strips :]
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_claims_without_an_estimate_have_an_empty_number():
    claims = make_claims(rewinds=("init",))
    lost = (claims["claim"] == "2") & (claims["round"] == 2) & (claims["alpha"] == 1)
    table = claims.assign(estimate=claims["estimate"].mask(lost), verdict=claims["verdict"].mask(lost, "undecided"))
    assert cells_of(draw("claims", table).axes[0])[1, 2] == (to_hex(LOOKS["undecided"].color), "?\n–")


def test_verdicts_are_told_apart_in_grey():
    grey = sorted(np.dot(matplotlib.colors.to_rgb(look.color), (0.3, 0.6, 0.1)) for look in LOOKS.values())
    assert np.diff(grey).min() > 0.15
    assert len({look.sign for look in LOOKS.values()}) == len({look.marker for look in LOOKS.values()}) == 3


def expected_specialization(runs):
    """The mean over units of the largest overlap, weighted by strength: run by run, without the code under test."""
    values = {}
    for seed, mine in runs.groupby("seed"):
        units = [(unit["overlap"].abs().max(), unit["strength"].iloc[0]) for _, unit in mine.groupby("unit")]
        alive = [(most, strength) for most, strength in units if strength != 0]
        values[seed] = sum(most * strength for most, strength in alive) / sum(strength for _, strength in alive)
    return pd.Series(values)


def test_teacher_overlap_shows_weighted_specialization():
    overlap = make_overlap()
    figure = draw("teacher_overlap", overlap)
    tops = figure.axes[:3]
    assert [ax.get_title() for ax in tops] == [rf"$\alpha$ = {alpha}" for alpha in ("0.1", "1", "10")]
    palette = density_palette([0.5, 0.12])
    for ax, alpha in zip(tops, (0.1, 1.0, 10.0), strict=True):
        runs = [(1, to_hex(palette[0.5])), (2, to_hex(palette[0.12])), (0, "#000000")]
        *curves, null = ax.lines
        for line, (number, color) in zip(curves, runs, strict=True):
            mine = where(overlap, alpha=alpha, round=number)
            expected = [expected_specialization(step).mean() for _, step in mine.groupby("step")]
            assert to_hex(line.get_color()) == color
            np.testing.assert_allclose(line.get_xdata(), [0, 1, 10, 100])
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert np.isfinite(expected).all()
        np.testing.assert_allclose(null.get_ydata(), curves[-1].get_ydata()[0])
        assert null.get_linestyle() == "--"
    assert legend_of(figure) == ["100 (dense)", "50", "12", "random directions\n(dense, step 0)"]


def test_teacher_overlap_shows_which_units_the_mask_keeps():
    overlap = make_overlap()
    figure = draw("teacher_overlap", overlap)
    assert figure.axes[3].get_ylabel() == "incoming weights kept\n(ticket of 12 %)"
    for ax, alpha in zip(figure.axes[3:], (0.1, 1.0, 10.0), strict=True):
        last = where(overlap, alpha=alpha, step=100)
        largest = last["overlap"].abs().groupby([last["round"], last["seed"], last["unit"]]).max()
        first = last.groupby(["round", "seed", "unit"])[["strength", "survivors"]].first()
        use, kept = (largest * first["strength"]).loc[0], first["survivors"].loc[2]
        points = ax.collections[0].get_offsets()
        np.testing.assert_allclose(sorted(map(tuple, points)), sorted(zip(use, kept, strict=True)))
        rho = np.mean([spearmanr(use.loc[seed], kept.loc[seed]).statistic for seed in range(3)])
        assert ax.get_title() == rf"Spearman's $\rho$ = {rho:.2f}".replace("-", "−")
        bins = np.digitize(np.log(use), np.linspace(np.log(use.min()), np.log(use.max()), 11)[1:-1])
        means = [kept[bins == index].mean() for index in range(10) if (bins == index).sum() >= 3]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), means)


@pytest.mark.parametrize("rounds", [(0,), (0, 1)])
def test_teacher_overlap_of_one_alpha_and_seed_with_and_without_tickets(rounds, tmp_path):
    overlap = make_overlap(alphas=(1.0,), seeds=1)
    figure = draw("teacher_overlap", overlap[overlap["round"].isin(rounds)])
    assert len(figure.axes[0].lines) == len(rounds) + 1
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_teacher_overlap_where_every_dense_network_diverged():
    overlap = make_overlap()
    lost = (overlap["alpha"] == 0.1) & (overlap["rewind"] == "dense")
    figure = draw("teacher_overlap", overlap.assign(**overlap[["overlap", "strength"]].mask(lost)))
    assert np.isnan(figure.axes[0].lines[2].get_ydata()).all() and not figure.axes[3].lines
    assert len(figure.axes[4].lines) == 1


def test_matched_correlation_is_unit_by_unit_and_counts_what_is_missing():
    dense = pd.DataFrame(np.random.default_rng(0).normal(size=(8, 4)))
    assert matched_correlation(-3 * dense + 1, dense) == pytest.approx(-1)
    assert matched_correlation(dense * [2, 1, 0, 1], dense) == pytest.approx(3 / 4)
    assert matched_correlation(dense.drop(columns=0), dense) == pytest.approx(3 / 4)
    other = dense[[1, 0, 3, 2]].set_axis(dense.columns, axis=1)
    expected = np.mean([np.corrcoef(dense[unit], other[unit])[0, 1] for unit in dense])
    assert matched_correlation(other, dense) == pytest.approx(expected)
    assert np.isnan(matched_correlation(dense, 0 * dense))


def test_toy_preactivations_follow_units_in_the_colour_of_the_dense_network():
    table = make_preactivations()
    figure = draw("toy_preactivations", table)
    axes = np.array(figure.axes[:9]).reshape(3, 3)
    titles = [ax.get_title().split("\n") for ax in axes[0]]
    assert [title[0] for title in titles] == [STRATEGIES[name] for name in ("dense", "init", "none")]
    # Of six units the ticket has five, which follow the dense network's exactly.
    assert [title[2:] for title in titles] == [[], ["$r$ = 0.83"], ["$r$ = −1.00"]]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["target 0.10", "target 0.40", "target 0.70"]
    colors = {}
    for (row, label), (column, name) in itertools.product(
        enumerate((0.1, 0.4, 0.7)), enumerate(("dense", "init", "none"))
    ):
        mine = where(table, alpha=1.0, rewind=name, label=label)
        values = mine.pivot_table(index="step", columns="unit", values="preactivation").loc[1:]
        (lines,) = axes[row, column].collections
        for segment, color in zip(lines.get_segments(), lines.get_colors(), strict=True):
            (unit,) = (u for u in values if np.allclose(segment[:, 1], values[u]))
            np.testing.assert_allclose(segment[:, 0], [1, 10, 100])
            assert colors.setdefault((row, unit), to_hex(color)) == to_hex(color)
            if name == "dense":
                red, _, blue, _ = color
                assert (red > blue) == (values.loc[100, unit] > 0)
    assert axes[0, 0].get_xscale() == "log"


def test_dynamics_has_a_frame_a_step_with_the_matrices_of_that_step(tmp_path):
    table = make_preactivations()
    animation = draw("preactivation_dynamics", table)
    figure = animation._fig
    assert list(animation.new_frame_seq()) == [0, 1, 2, 3]
    dense = where(table, alpha=1.0, rewind="dense")
    orders = set()
    for frame, step in enumerate((0, 1, 10, 100)):
        animation._func(frame)
        assert figure.get_suptitle() == rf"demo: $\alpha$ = 1, step {step}"
        values = where(dense, step=step).sort_values("label").pivot_table("preactivation", "unit", "label").to_numpy()
        shown, ticket, none = (ax.images[0].get_array() for ax in figure.axes[:3])
        orders.add(tuple(int(np.flatnonzero((values == row).all(axis=1))[0]) for row in shown))
        (order,) = orders
        np.testing.assert_allclose(ticket, 2 * shown * (np.array(order) > 0)[:, None])
        np.testing.assert_allclose(none, -shown)
        assert [ax.get_xlabel() for ax in figure.axes[:3]] == ["$r$ = 1.00", "$r$ = 0.83", "$r$ = −1.00"]
    assert len({ax.images[0].get_clim() for ax in figure.axes[:3]}) == 1
    save(animation, [tmp_path / "moves.gif"])
    with Image.open(tmp_path / "moves.gif") as image:
        assert (image.format, image.n_frames, image.info["duration"], image.info["loop"]) == ("GIF", 4, 500, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["moves.gif"]


def test_animations_and_figures_keep_their_formats(tmp_path):
    with pytest.raises(FeatpruneError, match=r"saved as \.svg or \.png, an animation as \.gif"):
        save(draw("claims", make_claims()), [tmp_path / "figure.gif"])
    animation = draw("preactivation_dynamics", make_preactivations())
    with pytest.raises(FeatpruneError, match=r"an animation as \.gif"):
        save(animation, [tmp_path / "figure.png"])
    assert not list(tmp_path.iterdir())
    animation._draw_was_started = True  # else matplotlib warns that nothing came of it


def test_a_failed_animation_leaves_no_file(tmp_path, monkeypatch):
    animation = draw("preactivation_dynamics", make_preactivations())

    def fail(writer):
        Path(writer.outfile).write_text("half of it")
        raise OSError("no space left")

    monkeypatch.setattr("matplotlib.animation.PillowWriter.finish", fail)
    with pytest.raises(OSError, match="no space"):
        save(animation, [tmp_path / "moves.gif"])
    assert not list(tmp_path.iterdir())
