from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.figures import FIGURES, save
    from featprune.storage import load_table

    figure = FIGURES[snakemake.params.figure]
    tables = {Path(file).stem: load_table(file).to_pandas() for file in snakemake.input}
    save(figure.draw(tables), list(snakemake.output))
