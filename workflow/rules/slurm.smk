def remember_min_job_age():
    """Have the Slurm plugin ask once how long Slurm knows of jobs that have ended.

    It asks before each look at its jobs. Where the controller doesn't answer for ten seconds, it looks with sacct; and
    where there is no accounting, so that sacct fails too, it forgets its jobs and waits for ever (version 2.8).
    """
    plugin = sys.modules.get("snakemake_executor_plugin_slurm")
    if plugin and workflow.non_local_exec and hasattr(plugin, "get_min_job_age"):
        plugin.get_min_job_age = cache(plugin.get_min_job_age)
        plugin.get_min_job_age()


onstart:
    remember_min_job_age()
