"""What is measured can be done, in this process and in one of its own."""

from benchmarks.calibration import TINY, Costs, Pieces, Wanted, in_processes, read
from featprune.storage import load_table


def test_a_made_table_has_a_row_a_run_and_seed(tmp_path):
    assert load_table(Pieces(TINY, str(tmp_path)).table(runs=3)).num_rows == 4 * 2


def test_reading_takes_some_time():
    assert read() > 0


def test_costs_come_back_from_a_process_whoever_asks():
    counts = (20, 10)
    ((costs, seconds),) = in_processes([("measure", (Wanted(TINY, frozenset({counts})),))])
    assert type(costs) is Costs and costs.step[counts] > 0 and seconds > 0
