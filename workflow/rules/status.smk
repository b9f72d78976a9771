# `snakemake status`: a target that only reads. It is met here, before Snakemake plans, locks or starts anything: so it needs
# no --cores, and a run that goes on in the same folder keeps its lock, which a second Snakemake deletes when it ends.
if "status" in sys.argv[1:] and workflow.modifier.is_main_snakefile():
    from featprune import status

    print(status.report(STUDY, MACHINE))
    sys.exit()
