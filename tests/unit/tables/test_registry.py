"""The registry: what it names is there, and the script makes what it says."""

import ast
import inspect
import runpy
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import featprune
from featprune.storage import load_table, save_table
from featprune.tables.registry import TABLES, RunFiles, Table, TableFile
from tests.unit.claims.claim_tables import CONFIG, PLAIN
from tests.unit.tables.made import BEHIND, histories_and_densities, write_run

PACKAGE = Path(featprune.__file__).parent
SCRIPT = PACKAGE.parent / "workflow/scripts/aggregate_table.py"


def owners():
    """File -> the tables that write it."""
    found = {}
    for name, table in TABLES.items():
        for file in table.files(name):
            found.setdefault(file, []).append(name)
    return found


@pytest.mark.parametrize("name", TABLES)
def test_a_builder_takes_the_inputs_and_options_of_its_entry(name):
    table = TABLES[name]
    builder = getattr(import_module(table.module), table.build.split(":")[1])
    inspect.signature(builder).bind(**dict.fromkeys([*table.inputs, *table.options]))


def test_every_file_has_one_writer_and_every_table_that_is_read_is_written():
    assert all(len(writers) == 1 for writers in owners().values())
    read = [wanted for table in TABLES.values() for wanted in table.inputs.values() if isinstance(wanted, TableFile)]
    assert {f"{wanted.name}.parquet" for wanted in read} <= set(owners())


def test_density_is_of_the_same_runs_as_what_it_belongs_to():
    for name, table in TABLES.items():
        assert len({wanted.of for wanted in table.inputs.values() if isinstance(wanted, RunFiles)}) <= 1, name


def test_a_table_without_outputs_has_one_file_of_its_name():
    table = Table("featprune.tables.masks:build_pixel_mask", {})
    assert table.files("some") == ("some.parquet",) and table.module == "featprune.tables.masks"


def test_tables_import_nothing_from_above():
    for path in (PACKAGE / "tables").glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        above = ("featprune.claims", "featprune.figures", "featprune.study", "featprune.criteria", "featprune.rewind")
        assert not [name for name in imported if name.startswith(above)], path.name


def run_script(folder, name, inputs, options):
    """Run the script as Snakemake does; returns the paths of its outputs."""
    outputs = [str(folder / file) for file in TABLES[name].files(name)]
    params = SimpleNamespace(table=name, options=options)
    job = SimpleNamespace(log=[folder / "log"], input=inputs, output=outputs, params=params)
    runpy.run_path(str(SCRIPT), {"snakemake": job})
    return [Path(path) for path in outputs]


def test_the_script_writes_every_frame_of_a_table(tmp_path):
    histories, densities = histories_and_densities([write_run(tmp_path)])
    inputs, options = {"histories": histories, "densities": densities}, {"behind": BEHIND, "selection": {}}
    outputs = run_script(tmp_path, "summary", inputs, options)
    assert [len(load_table(path)) for path in outputs] == [2, 2, 2 * 3 * 3]


def test_the_script_writes_text_as_text(tmp_path):
    save_table(tmp_path / "tuned.parquet", PLAIN)
    options = {"claims": CONFIG, "decide_at": [1]}
    table, text = run_script(tmp_path, "claims", {"tuned": str(tmp_path / "tuned.parquet")}, options)
    assert len(load_table(table)) > 0 and text.read_text(encoding="utf-8").startswith("# Claims: made")
