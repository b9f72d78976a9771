from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.figures import FIGURES, save
    from featprune.findings.captions import found
    from featprune.storage import atomic, load_table
    from featprune.tables.reading import expected

    figure = FIGURES[snakemake.params.figure]
    tables = {Path(file).stem: load_table(file).to_pandas() for file in snakemake.input}
    with expected(snakemake.input):
        drawn, told = figure.draw(tables), found(snakemake.params.figure, tables)
    save(drawn, [file for file in snakemake.output if file != snakemake.output.found])
    with atomic(snakemake.output.found) as partial:
        partial.write_text(told, encoding="utf-8")
