for _name, _figure in FIGURES.items():

    rule:
        name:
            f"plot_{_name}"
        input:
            [f"{STUDY.root}/tables/{{experiment}}/{table}.parquet" for table in _figure.tables],
        output:
            report(
                f"{STUDY.root}/figures/{{experiment}}/{_name}.{_figure.formats[0]}",
                caption=f"../report/{_name}.rst",
                category=_figure.category,
                labels={"figure": _name.replace("_", " "), "experiment": "{experiment}"},
            ),
            [f"{STUDY.root}/figures/{{experiment}}/{_name}.{kind}" for kind in _figure.formats[1:]],
            found=f"{STUDY.root}/report/{{experiment}}/{_name}.rst",
        log:
            f"{STUDY.root}/logs/plot_{_name}/{{experiment}}.log",
        benchmark:
            f"{STUDY.root}/benchmarks/plot_{_name}/{{experiment}}.tsv"
        group:
            table_group
        conda:
            "../../environment.yml"
        threads: SLOTS
        resources:
            mem_mb=mem_mb,
            runtime=runtime,
        params:
            figure=_name,
            code=script_code("plot_figure", f"featprune.figures.{_figure.module}", FIGURES=_name, FOUND=_name),
        script:
            "../scripts/plot_figure.py"
