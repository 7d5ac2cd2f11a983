"""The table of jobs, the paper's tables, and the report; `collect_jobs` needs the tracking store.

The training cost in a table comes from the records of the very jobs that its inputs come from, which are written before
these are: so a table waits for its own jobs alone, and is made again with them.
"""


use rule seconds as collect_jobs with:
    input:
        predictions=predictions(RECOGNITION, RECOGNISERS),
        evaluations=evaluations(),
        selection=selection_files(),
    output:
        # The table keeps the run ids that it had where the store fails.
        jobs=update("<results>/jobs.csv"),
    pathvars:
        job="collect_jobs/jobs",
    localrule: True
    params:
        **work("collect_jobs"),


use rule seconds as table_datasets with:
    input:
        indexes=each_dataset("index.parquet"),
        folds=each_dataset("folds_check.csv"),
        published=COUNTS,
    output:
        **table_files("datasets", "datasets"),
    pathvars:
        job="table_datasets/datasets",
    localrule: True
    params:
        **showing("table_datasets"),


use rule seconds as table_recognition with:
    input:
        predictions=each_fold(PREDICTIONS, method=trainings(RECOGNISERS)),
        folds="<results>/datasets/{dataset}/folds.csv",
        faces="<results>/datasets/{dataset}/faces.parquet",
        quoted=QUOTED,
    output:
        **table_files("fer_{dataset}", "recognition"),
    pathvars:
        job="table_recognition/{dataset}",
    localrule: True
    params:
        **showing("table_recognition", RECOGNISERS),


use rule seconds as table_ablation with:
    input:
        predictions=predictions(RECOGNITION, FERSNET_METHODS),
        folds=each_dataset("folds.csv"),
        faces=each_dataset("faces.parquet"),
        quoted=QUOTED,
    output:
        **table_files("ablation", "ablation"),
    pathvars:
        job="table_ablation/ablation",
    localrule: True
    params:
        **showing("table_ablation", FERSNET_METHODS, datasets=RECOGNITION),
        methods=FERSNET_METHODS,


use rule seconds as table_synthesis with:
    input:
        evaluations=evaluations(),
        sets=evaluation_sets(),
        quoted=QUOTED,
    output:
        **table_files("synthesis", "synthesis"),
    pathvars:
        job="table_synthesis/synthesis",
    localrule: True
    params:
        **showing("table_synthesis", SYSTEMS, datasets=SETTINGS.synthesis.datasets),


use rule seconds as table_selection with:
    input:
        selection=selection_files(),
        quoted=QUOTED,
    output:
        **table_files("selection", "selection"),
    pathvars:
        job="table_selection/selection",
    localrule: True
    params:
        **showing("table_selection", [SETTINGS.selection_study.method], method=SETTINGS.selection_study.method),


use rule seconds as build_report with:
    input:
        tables=all_tables(".json"),
        figures=all_figures(),
        jobs="<results>/jobs.csv",
        template=TEMPLATE,
    output:
        html="<results>/report.html",
    pathvars:
        job="build_report/report",
    localrule: True
    params:
        **showing("build_report", [*RECOGNISERS, *SYSTEMS]),
