import json
from pathlib import Path

from featprune.jobs.joblog import job_log
from featprune.jobs.machine import machines
from featprune.jobs.provenance import provenance
from featprune.storage import atomic

with job_log(snakemake.log[0]), atomic(snakemake.output[0]) as partial:
    found = {"machines": machines(Path(snakemake.output[0]).parent / "logs"), "data": snakemake.params.data}
    partial.write_text(json.dumps(provenance() | found, indent=2) + "\n")
