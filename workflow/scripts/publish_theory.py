import shutil
from pathlib import Path

from featprune.jobs.joblog import job_log

with job_log(snakemake.log[0]):
    from featprune.findings.theory import write_theory
    from featprune.storage import atomic

    page, *pictures = map(Path, snakemake.output)
    parts = {}
    for picture, figure, found, caption in zip(
        pictures, snakemake.input.figures, snakemake.input.found, snakemake.input.captions, strict=True
    ):
        with atomic(picture) as partial:
            shutil.copyfile(figure, partial)
        texts = (Path(file).read_text(encoding="utf-8") for file in (caption, found))
        parts[picture.stem] = (str(picture.relative_to(page.parent)), *texts)
    with atomic(page) as partial:
        partial.write_text(write_theory(parts), encoding="utf-8")
