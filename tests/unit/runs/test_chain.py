from dataclasses import replace

import numpy as np
import pytest
import torch

from featprune.criteria import CRITERIA
from featprune.engine.settings import Start
from featprune.engine.training import train
from featprune.errors import FeatpruneError
from featprune.network import Parameters
from featprune.pruning.criterion import AfterTraining
from featprune.pruning.magnitude import magnitude
from featprune.pruning.masks import all_ones, remaining
from featprune.pruning.repair import repaired
from featprune.pruning.surgeon import surgeon
from featprune.rewind import REWINDS, Origin, make_origin
from featprune.runs.chain import Trainer, train_dense, train_round
from featprune.runs.files import pack, pack_snapshots, unpack_snapshots
from featprune.storage import load_table, save_arrays
from tests.unit.engine.test_training import NETWORK, made_data, some_masks
from tests.unit.runs.chains import (
    ROUNDS,
    SCHEDULE,
    SEEDS,
    SETTINGS,
    chain,
    dense,
    masks_of,
    run_of,
    settings_of,
    starts,
    steps_of,
)


def same(p: Parameters, q: Parameters) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(p.weights + p.biases, q.weights + q.biases, strict=True))


def test_init_restarts_from_the_initial_values_under_the_mask(tmp_path):
    folders = chain(tmp_path, "init")
    for round in ROUNDS:
        assert same(starts(folders[round]), NETWORK.initial(SEEDS).masked(masks_of(folders[round])))


def test_late_restarts_from_the_dense_runs_early_step(tmp_path):
    folders = chain(tmp_path, "late", late_step=5)
    early = steps_of(folders[0])[5]
    for round in ROUNDS:
        assert same(starts(folders[round]), early.masked(masks_of(folders[round])))


@pytest.mark.parametrize("late_step", [5, 12])
def test_late_without_a_mask_is_the_rest_of_the_dense_run(late_step):
    """Of its steps, its data order and its schedule, by the same numbers: gradient descent remembers nothing else."""
    settings = replace(SETTINGS, optimizer="sgd", lr=0.1, milestones=(8, 15))
    trainer = Trainer(NETWORK, made_data(), SEEDS)
    mask, dense_run = train_dense(trainer, settings)
    late = settings_of(settings, "magnitude", "late", [1], late_step)[1]
    assert late.steps == settings.steps - late_step
    outcome = train_round(trainer, REWINDS["late"], 1, mask, late, late_step=late_step)
    assert same(outcome.parameters, dense_run.parameters)
    common = set(outcome.snapshots) - {late_step}
    assert common == {step for step in settings.snapshot_at if step > late_step}
    assert all(same(outcome.snapshots[step], dense_run.snapshots[step]) for step in common)
    ours, theirs = (
        {(seed, step, split): loss for seed, step, split, loss, _ in zip(*run.history.values(), strict=True)}
        for run in (outcome, dense_run)
    )
    at_start = {key for key in ours if key[1] == late_step}
    assert at_start and (ours.keys() - at_start) == {key for key in theirs if key[1] > late_step}
    assert all(ours[key] == theirs[key] for key in ours.keys() - at_start)


def test_reordered_is_the_ticket_on_another_data_order():
    trainer = Trainer(NETWORK, made_data(), SEEDS)
    mask, dense_run = train_dense(trainer, SETTINGS)
    ends = {}
    for rewind in ("init", "reordered"):
        settings = settings_of(SETTINGS, "ticket", rewind, [1])[1]
        outcome = train_round(trainer, REWINDS[rewind], 1, mask, settings)
        assert same(outcome.snapshots[0], NETWORK.initial(SEEDS))
        ends[rewind] = outcome.parameters
    assert same(ends["init"], dense_run.parameters)
    # The dense run's own twin on another order.
    assert same(ends["reordered"], train_dense(trainer, SETTINGS, "reordered")[1].parameters)


def test_random_restarts_from_a_fresh_draw_each_round(tmp_path):
    folders = chain(tmp_path, "random")
    drawn = [starts(folders[round]) for round in ROUNDS]
    masks = [masks_of(folders[round]) for round in ROUNDS]
    for i, round in enumerate(ROUNDS):
        assert same(drawn[i], NETWORK.initial(SEEDS, "redraw", round).masked(masks[i]))
        assert not same(drawn[i], NETWORK.initial(SEEDS).masked(masks[i]))


def test_none_goes_on_from_the_last_rounds_values(tmp_path):
    folders = chain(tmp_path, "none")
    for round in ROUNDS:
        before = run_of(folders[round - 1]).parameters
        assert same(starts(folders[round]), before.masked(masks_of(folders[round])))


@pytest.mark.parametrize("criterion", ["magnitude", "snip"])
@pytest.mark.parametrize("rewind", ["distilled", "distilled_logits"])
def test_distilled_tickets_restart_at_init_and_learn_from_the_dense_run(tmp_path, rewind, criterion):
    settings = replace(SETTINGS, center=False, distillation=1.0)
    options = {"criterion": criterion, "samples": 40}
    folders = chain(tmp_path, rewind, settings=settings, **options)
    tickets = chain(tmp_path, "init", settings=settings, **options)
    weak = chain(tmp_path / "weak", rewind, settings=replace(settings, distillation=0.0), **options)
    masks = masks_of(folders[1])
    assert all(np.array_equal(a, b) for a, b in zip(masks, masks_of(tickets[1]), strict=True))
    layers = {"distilled": [0, 1], "distilled_logits": [2]}[rewind]

    def far(folder):
        ends, x = [run_of(place).parameters for place in (folder, folders[0])], made_data().train_x
        mine, dense_run = (NETWORK.preactivations(p.weights, p.biases, x) for p in ends)
        return [((mine[layer] - dense_run[layer]) ** 2).mean() for layer in layers]

    for round in ROUNDS:
        assert same(starts(folders[round]), NETWORK.initial(SEEDS).masked(masks_of(folders[round])))
        assert same(run_of(weak[round]).parameters, run_of(tickets[round]).parameters)
        if round == 1 or criterion == "snip":
            assert all(np.array(far(folders[round])) < far(tickets[round]))


@pytest.mark.parametrize("rewind", ["init", "random"])
def test_centered_output_is_zero_at_the_start_of_every_round(tmp_path, rewind):
    for folder in list(chain(tmp_path, rewind).values()):
        history = load_table(folder / "history.parquet").to_pandas()
        np.testing.assert_allclose(history.loc[history["step"] == 0, "loss"], np.log(3), atol=1e-6)


def test_masks_follow_the_chains_own_weights_and_are_nested(tmp_path):
    folders = chain(tmp_path, "none")
    sizes = [out * fan_in for out, fan_in in NETWORK.shapes]
    for round in ROUNDS:
        before, masks = masks_of(folders[round - 1]), masks_of(folders[round])
        trained = run_of(folders[round - 1]).parameters.weights
        for b, m, w, count in zip(before, masks, trained, SCHEDULE.counts(sizes, round), strict=True):
            assert (m <= b).all() and m[0].sum() == m[1].sum() == count
            for replica in range(2):
                kept, lost = np.abs(w[replica][m[replica]]), np.abs(w[replica][b[replica] & ~m[replica]])
                assert kept.min() >= lost.max()


def test_first_round_is_the_same_for_every_strategy(tmp_path):
    masks = [masks_of(chain(tmp_path, rewind)[1]) for rewind in ("init", "random", "none")]
    assert all(np.array_equal(a, b) for other in masks[1:] for a, b in zip(masks[0], other, strict=True))


def test_mask_source_ticket_uses_the_tickets_masks(tmp_path):
    tickets = chain(tmp_path, "init")
    own = chain(tmp_path, "random")
    control = chain(tmp_path / "control", "random", tickets=tickets)
    for round in ROUNDS:
        mine, theirs = masks_of(control[round]), masks_of(tickets[round])
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert not np.array_equal(masks_of(own[3])[0], masks_of(control[3])[0])


@pytest.mark.parametrize(
    ("criterion", "rewind"),
    [
        *(("magnitude", rewind) for rewind in ("init", "random", "none", "late")),
        *((criterion, "none") for criterion in ("magnitude_fold", "fisher_surgeon", "obs", "fisher_obs")),
        ("obs", "lr"),
        ("obs", "init"),
        ("magnitude", "distilled"),
    ],
)
def test_a_job_a_round_gives_the_bits_of_one_job_for_all_rounds(tmp_path, criterion, rewind):
    options = {"criterion": criterion, "late_step": 5 if rewind == "late" else None, "samples": 40}
    whole = chain(tmp_path / "whole", rewind, **options)
    apart = chain(tmp_path / "apart", rewind, **options, alone=True)
    for round in ROUNDS:
        for file in whole[round].iterdir():
            assert file.read_bytes() == (apart[round] / file.name).read_bytes(), file.name


@pytest.mark.parametrize("rewind", ["none", "lr"])
@pytest.mark.parametrize("criterion", ["magnitude_fold", "magnitude_surgeon", "fisher_obs"])
def test_a_repaired_round_starts_from_the_repaired_values(tmp_path, criterion, rewind):
    folders = chain(tmp_path, rewind, criterion=criterion, samples=40)
    for round in ROUNDS:
        before, masks = run_of(folders[round - 1]).parameters, masks_of(folders[round])
        values = repaired(CRITERIA[criterion].repair, NETWORK, made_data(), SEEDS, 40, before, masks)
        assert same(starts(folders[round]), values.masked(masks))
        assert not same(starts(folders[round]), before.masked(masks))


def test_what_is_pruned_at_once_is_repaired_from_the_dense_values_each_round(tmp_path, monkeypatch):
    entry = AfterTraining(magnitude, at_once=True, gradients=False, repair=surgeon)
    monkeypatch.setitem(CRITERIA, "at_once", entry)
    folders = chain(tmp_path, "none", criterion="at_once", samples=40)
    for round in ROUNDS:
        masks = masks_of(folders[round])
        values = repaired(surgeon, NETWORK, made_data(), SEEDS, 40, run_of(folders[0]).parameters, masks)
        assert same(starts(folders[round]), values.masked(masks))


@pytest.mark.parametrize("rewind", ["init", "late", "random"])
def test_what_is_rewound_is_not_repaired(tmp_path, monkeypatch, rewind):
    def never(problem, masks, batch):
        raise AssertionError("repaired for nothing")

    monkeypatch.setitem(CRITERIA, "obs", replace(CRITERIA["obs"], repair=never))
    late_step = 5 if rewind == "late" else None
    folders = chain(tmp_path, rewind, criterion="obs", late_step=late_step, samples=40)
    monkeypatch.setitem(CRITERIA, "obs", replace(CRITERIA["obs"], repair=None))
    plain = chain(tmp_path / "plain", rewind, criterion="obs", late_step=late_step, samples=40)
    for round in ROUNDS:
        for file in folders[round].iterdir():
            assert file.read_bytes() == (plain[round] / file.name).read_bytes(), file.name


def test_dense_none_never_prunes(tmp_path):
    folders = chain(tmp_path, "none", criterion="dense")
    assert remaining(masks_of(folders[3])).tolist() == [sum(a * b for a, b in NETWORK.shapes)] * 2
    assert same(starts(folders[2]), run_of(folders[1]).parameters)


def test_random_criterion_is_paired_by_seed(tmp_path):
    a = chain(tmp_path / "a", "init", criterion="random")
    b = chain(tmp_path / "b", "init", criterion="random", settings=replace(SETTINGS, alpha=3.0))
    assert all(np.array_equal(x, y) for x, y in zip(masks_of(a[2]), masks_of(b[2]), strict=True))


def test_a_diverged_chain_stays_diverged_and_does_not_stop_the_others(tmp_path):
    dense(tmp_path / "dense")
    run = run_of(tmp_path / "dense")
    run.parameters.weights[0][1] = np.nan
    block = {"seeds": np.array(run.seeds, np.int32)}
    save_arrays(tmp_path / "dense/weights.safetensors", pack(run.parameters, run.masks) | block)
    folders = chain(tmp_path, "init")
    for round in ROUNDS:
        history = load_table(folders[round] / "history.parquet").to_pandas()
        assert history.loc[history["seed"] == 1, "loss"].isna().all()
        assert history.loc[history["seed"] == 0, "loss"].notna().all()
        assert len({tuple(m.reshape(2, -1).sum(1)) for m in masks_of(folders[round])}) == 3


def test_steps_behind_each_strategys_start():
    behind = {name: [r.trained(round, 100, 7) for round in (1, 2)] for name, r in REWINDS.items()}
    assert behind.pop("late") == [7, 7]
    assert behind.pop("none") == behind.pop("lr") == [100, 200]
    assert set(map(tuple, behind.values())) == {(0, 0)}


def test_strategies_make_nothing_that_they_do_not_need():
    def never():
        raise AssertionError("made for nothing")

    p = NETWORK.initial([0])
    REWINDS["init"].start(Origin(lambda: p, never, never, never, never))
    REWINDS["none"].start(Origin(lambda: p, lambda: p, never, never, never))


def test_sparse_mup_keeps_the_size_of_preactivations():
    initial, masks = NETWORK.initial([0, 1]), [m.copy() for m in all_ones(NETWORK.shapes, 2)]
    rng = np.random.default_rng(0)
    for mask in masks:
        mask[0], mask[1] = rng.random(mask[0].shape) < 0.5, False
    start = REWINDS["sparse_mup"].start(make_origin(NETWORK, [0, 1], 1, mask=masks))
    for new, old, mask in zip(start.parameters.weights, initial.weights, masks, strict=True):
        np.testing.assert_allclose(new[0] ** 2 * mask[0].mean(), old[0] ** 2, rtol=1e-5)
        assert np.isfinite(new).all()  # of a layer without any weight, too
    # A dense network is as it was.
    dense = REWINDS["sparse_mup"].start(make_origin(NETWORK, [0, 1], 1))
    assert all((new == old).all() for new, old in zip(dense.parameters.weights, initial.weights, strict=True))


def test_snapshots_hold_only_survivors_and_unpack_to_exact_zeros():
    masks = some_masks(2, 0.3)
    snapshots = {step: NETWORK.initial([0, 1], step).masked(masks) for step in (0, 7)}
    packed = pack_snapshots(snapshots, masks)
    assert packed["weights"].shape == (2, 2, remaining(masks)[0])
    again = unpack_snapshots(packed, masks)
    assert all(same(again[step], snapshots[step]) for step in snapshots)


def test_files_of_other_seeds_are_refused(tmp_path):
    folders = chain(tmp_path, "init")
    with pytest.raises(FeatpruneError, match=r"mask\.safetensors: holds seeds \[0, 1\], not \[2\]"):
        run_of(folders[1], [2])


@pytest.mark.parametrize("file", ["mask.safetensors", "weights.safetensors"])
def test_a_truncated_file_is_named(tmp_path, file):
    path = chain(tmp_path, "init")[1] / file
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FeatpruneError, match=f"{file}: missing, truncated"):
        run_of(path.parent)


@pytest.mark.parametrize("criterion", ["snip", "snip_iterative", "grasp", "synflow", "magnitude_init", "random"])
def test_criteria_of_the_initialization_keep_the_tickets_total_and_restart_at_init(tmp_path, criterion):
    folders = chain(tmp_path, "init", criterion=criterion, samples=40)
    sizes = [out * fan_in for out, fan_in in NETWORK.shapes]
    for round in ROUNDS:
        masks = masks_of(folders[round])
        assert remaining(masks).tolist() == [sum(SCHEDULE.counts(sizes, round))] * 2
        assert same(starts(folders[round]), NETWORK.initial(SEEDS).masked(masks))


def test_the_snip_mask_of_a_run_is_that_of_its_score(tmp_path):
    masks = masks_of(chain(tmp_path, "init", criterion="snip", samples=60)[2])
    data, p = made_data(), NETWORK.initial([1])
    weights = [torch.from_numpy(w[0]).double().requires_grad_() for w in p.weights]
    biases = [torch.from_numpy(b[0]).double() for b in p.biases]
    h = NETWORK.output(weights, biases, torch.from_numpy(data.train_x).double())
    loss = torch.nn.functional.cross_entropy(h - h.detach(), torch.from_numpy(data.train_y))
    scores = [(g * w).abs().detach().numpy() for g, w in zip(torch.autograd.grad(loss, weights), weights, strict=True)]
    count = remaining(masks)[1]
    threshold = np.sort(np.concatenate([s.ravel() for s in scores]))[-count]
    assert all(((s >= threshold) == m[1]).all() for s, m in zip(scores, masks, strict=True))


def test_one_shot_prunes_and_continues_the_dense_run_at_every_round(tmp_path):
    folders = chain(tmp_path, "none", criterion="magnitude_one_shot")
    dense = run_of(folders[0]).parameters
    for round in ROUNDS:
        assert same(starts(folders[round]), dense.masked(masks_of(folders[round])))


def test_shuffled_masks_have_the_tickets_density_in_every_layer(tmp_path):
    tickets = chain(tmp_path, "init")
    control = chain(tmp_path, "init", criterion="shuffled", tickets=tickets)
    for round in ROUNDS:
        theirs, mine = masks_of(tickets[round]), masks_of(control[round])
        for a, b in zip(theirs, mine, strict=True):
            assert a.sum((1, 2)).tolist() == b.sum((1, 2)).tolist() and (a != b).any()


def test_same_sign_keeps_the_tickets_mask_and_signs_and_nothing_else(tmp_path):
    tickets = chain(tmp_path, "init")
    control = chain(tmp_path, "same_sign", criterion="ticket", tickets=tickets)
    for round in ROUNDS:
        masks = masks_of(control[round])
        assert all(np.array_equal(a, b) for a, b in zip(masks, masks_of(tickets[round]), strict=True))
        for drawn, initial in zip(starts(control[round]).weights, starts(tickets[round]).weights, strict=True):
            assert (np.sign(drawn) == np.sign(initial)).all() and not np.array_equal(drawn, initial)


def test_rate_rewinding_repeats_the_schedule_and_fine_tuning_its_end(tmp_path):
    settings = replace(SETTINGS, milestones=(10,), snapshot_at=(0, 1))
    moved = {}
    for rewind in ("none", "lr"):
        steps = steps_of(chain(tmp_path, rewind, settings=settings)[1])
        moved[rewind] = np.abs(steps[1].weights[0] - steps[0].weights[0]).max()
    # The first Adam step moves every weight by about the learning rate.
    assert moved["lr"] == pytest.approx(0.01, rel=0.01) and moved["none"] == pytest.approx(0.001, rel=0.01)


def test_milestones_divide_the_rate_by_ten():
    settings = replace(SETTINGS, lr=1.0, milestones=(5, 10))
    assert [settings.step_size(step) for step in (0, 4, 5, 9, 10)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_each_reference_differs_from_the_dense_run_in_one_thing(tmp_path):
    data = made_data()
    for kind in ("dense", "reordered", "reinitialized"):
        dense(tmp_path / kind, kind)
    assert same(starts(tmp_path / "reordered"), starts(tmp_path / "dense"))
    ends = {kind: run_of(tmp_path / kind).parameters for kind in ("dense", "reordered", "reinitialized")}
    assert not same(ends["reordered"], ends["dense"])
    # What the dense run becomes from the other start is the other run: so both have one data order.
    other = starts(tmp_path / "reinitialized")
    assert not any(np.array_equal(a, b) for a, b in zip(other.weights, starts(tmp_path / "dense").weights, strict=True))
    outcome = train(NETWORK, Start(other, other), all_ones(NETWORK.shapes, len(SEEDS)), data, SEEDS, SETTINGS)
    assert same(outcome.parameters, ends["reinitialized"])
