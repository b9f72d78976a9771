from featprune.data import prepare_dataset
from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    p = snakemake.params
    prepare_dataset(p.source, p.options, snakemake.config.get("data_dir")).save(snakemake.output[0])
