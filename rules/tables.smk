"""The table of jobs, the paper's tables, and the report; `collect_jobs` needs the tracking store.

The training cost in a table comes from the records of the very jobs that its inputs come from, which are written before
these are: so a table waits for its own jobs alone, and is made again with them.
"""


# First of what follows the last training: `collect_jobs` takes longest, and waits for the cards. All else runs beside.
use rule seconds as build_model_cards with:
    input:
        checkpoints=FILES.models(paths.CHECKPOINT),
        predictions=FILES.models(paths.PREDICTIONS),
        folds=FILES.each_dataset("folds.csv"),
    output:
        cards=FILES.models(paths.MODEL_CARD),
    pathvars:
        job="build_model_cards/models",
    priority: 1
    localrule: True
    params:
        **work("build_model_cards", run=PARAMS.described([MODEL_METHOD]), **PARAMS.model_card()),


use rule seconds as collect_jobs with:
    input:
        cards=FILES.models(paths.MODEL_CARD),
        predictions=[*FILES.predictions(RUN.recognisers), *FILES.across()],
        utility=FILES.utility(paths.PREDICTIONS),
        evaluations=FILES.evaluations(),
        selection=FILES.selection(),
    output:
        jobs=update("<results>/jobs.csv"),  # It keeps the run ids that it had where the store fails.
    pathvars:
        job="collect_jobs/jobs",
    priority: 1
    localrule: True
    params:
        **work("collect_jobs"),


use rule seconds as table_datasets with:
    input:
        indexes=FILES.each_dataset("index.parquet"),
        folds=FILES.each_dataset("folds_check.csv"),
        published=paths.project_file("config/sequence_counts.csv"),
    output:
        **table_files("datasets", "datasets"),
    pathvars:
        job="table_datasets/datasets",
    localrule: True
    params:
        **PARAMS.table("table_datasets"),


use rule seconds as table_recognition with:
    input:
        predictions=FILES.recognised,
        folds=paths.FOLDS,
        faces=paths.FACES["table"],
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("fer_{dataset}", "recognition"),
    pathvars:
        job="table_recognition/{dataset}",
    localrule: True
    params:
        **PARAMS.showing_recognisers("table_recognition"),
        references=PARAMS.references(RUN.recognisers),


use rule seconds as table_ablation with:
    input:
        predictions=FILES.predictions(RUN.variants),
        folds=FILES.each_dataset("folds.csv"),
        faces=FILES.each_dataset("faces.parquet"),
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("ablation", "ablation"),
    pathvars:
        job="table_ablation/ablation",
    localrule: True
    params:
        **PARAMS.table("table_ablation", RUN.variants, methods=RUN.variants, datasets=RUN.recognition),


use rule seconds as table_cross with:
    input:
        across=FILES.across(),
        predictions=FILES.predictions(SETTINGS.cross_methods),
    output:
        **table_files("cross", "cross"),
    pathvars:
        job="table_cross/cross",
    localrule: True
    params:
        **PARAMS.table("table_cross", SETTINGS.cross_methods, methods=SETTINGS.cross_methods),


use rule seconds as table_subgroups with:
    input:
        predictions=FILES.predictions(RUN.recognisers),
        indexes=FILES.each_dataset("index.parquet"),
    output:
        **table_files("subgroups", "subgroups"),
    pathvars:
        job="table_subgroups/subgroups",
    localrule: True
    params:
        **PARAMS.table("table_subgroups", RUN.recognisers, methods=RUN.recognisers),


use rule seconds as table_synthesis with:
    input:
        evaluations=FILES.evaluations(),
        sets=FILES.evaluations(paths.EVALUATION_SETS),
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("synthesis", "synthesis"),
    pathvars:
        job="table_synthesis/synthesis",
    localrule: True
    params:
        **PARAMS.table_of_judged("table_synthesis", RUN.systems, datasets=SETTINGS.synthesis.datasets),
        judges={dataset: SETTINGS.judge_of(dataset) for dataset in SETTINGS.synthesis.datasets},


use rule seconds as table_utility with:
    input:
        predictions=FILES.utility(paths.PREDICTIONS, *RUN.utility_base),
        augmentations=FILES.utility(paths.AUGMENTATION["table"]),
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("utility", "utility"),
    pathvars:
        job="table_utility/utility",
    localrule: True
    params:
        **PARAMS.table_of_judged("table_utility", [*RUN.utility_base, *RUN.systems], datasets=list(RUN.utility_folds)),
        method=SETTINGS.utility.method,


use rule seconds as table_selection with:
    input:
        selection=FILES.selection(),
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("selection", "selection"),
    pathvars:
        job="table_selection/selection",
    localrule: True
    params:
        **PARAMS.table("table_selection", [SETTINGS.selection_study.method], method=SETTINGS.selection_study.method),


use rule seconds as table_claims with:
    input:
        predictions=FILES.claimed(),
        evaluations=FILES.evaluations(),
        claims=paths.project_file("config/claims.csv"),
        quoted=paths.project_file("config/reported.csv"),
    output:
        **table_files("claims", "claims"),
    pathvars:
        job="table_claims/claims",
    localrule: True
    params:
        **PARAMS.table("table_claims", RUN.all_claimed),


use rule seconds as collect_references with:
    output:
        bibtex=paths.REFERENCES,
    pathvars:
        job="collect_references/references",
    localrule: True
    params:
        **work("collect_references", works=PARAMS.bibliography()),


use rule seconds as build_report with:
    input:
        tables=FILES.all_tables(".json"),
        figures=FILES.all_figures(),
        jobs="<results>/jobs.csv",
        page=paths.page_files(),
    output:
        html="<results>/report.html",
    pathvars:
        job="build_report/report",
    localrule: True
    params:
        **PARAMS.table("build_report", [*RUN.recognisers, *RUN.systems]),
        cards=PARAMS.cards(),
