import json

from featprune.jobs.joblog import job_log
from featprune.jobs.provenance import provenance
from featprune.storage import atomic

with job_log(snakemake.log[0]), atomic(snakemake.output[0]) as partial:
    partial.write_text(json.dumps(provenance() | {"data": snakemake.params.data}, indent=2) + "\n")
