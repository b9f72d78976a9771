import yaml

from featprune.jobs.joblog import job_log
from featprune.storage import atomic

with job_log(snakemake.log[0]), atomic(snakemake.output[0]) as partial:
    partial.write_text(yaml.safe_dump(snakemake.params.config, sort_keys=False))
