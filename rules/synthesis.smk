"""The standard FER model, the rivals, synthesis of the test faces and its evaluation."""


use rule training as train_standard_fer with:
    input:
        **paths.FOLD_FACES,
        others=FILES.judged_with("faces"),
        other_tables=FILES.judged_with("table"),
    output:
        **paths.trained("standard_fer"),
        predictions="<results>/predictions/{dataset}/standard_fer/fold{fold}.parquet",
    pathvars:
        job="train_standard_fer/{dataset}_fold{fold}",
    params:
        **PARAMS.training("train_standard_fer", settings=PARAMS.judge, hold_out=RUN.holds_out),
        other_sets=PARAMS.other_sets,
        expressions=PARAMS.synthesis_classes,
        image_size=SETTINGS.model.image_size,


# What follows from a rival takes longest, so that one begun late leaves cores idle at the end of a run.
use rule training as train_rival with:
    input:
        **paths.FOLD_FACES,
        identity=paths.identity(),
    output:
        **paths.trained(),
    pathvars:
        job="train_rival/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        method=RUN.one_of(RUN.rivals),
    priority: 1
    resources:
        **needs(megabytes=4000, minutes=480, gpus=PARAMS.gpus_of(PARAMS.method_device)),
    params:
        **PARAMS.training_method("train_rival"),
        expressions=PARAMS.synthesis_classes,
        image_size=SETTINGS.model.image_size,
        hold_out=RUN.holds_out,


for name, folds, datasets in fold_groups("synthesize_faces", RUN.synthesis_folds):

    rule:
        name:
            name
        input:
            **paths.FOLD_FACES,
            checkpoints=paths.per_fold(paths.CHECKPOINT, folds),
        output:
            syntheses=paths.per_fold(paths.SYNTHESES, folds),
        log:
            "<logs>/synthesize_faces/{dataset}_{method}.log",
        benchmark:
            "<benchmarks>/synthesize_faces/{dataset}_{method}.tsv"
        wildcard_constraints:
            dataset="|".join(datasets),
            method=RUN.one_of(RUN.systems),
        conda:
            "../environment.yml"
        threads: SETTINGS.threads
        resources:
            **needs(megabytes=3000, minutes=60, gpus=RUN.gpus),
        params:
            **work("synthesize_faces", seed=SETTINGS.seed, **PARAMS.of_method("synthesize_faces")),
            expressions=PARAMS.synthesis_classes,
            folds=folds,
            image_size=SETTINGS.model.image_size,
            device=SETTINGS.device,
        script:
            "../workflow_scripts/synthesize_faces.py"


use rule training as evaluate_synthesis with:
    input:
        **paths.FOLD_FACES,
        standard_fer=FILES.judge,
        identity=paths.identity(),
        syntheses=FILES.compared,
    output:
        images=paths.EVALUATION,
        sets=paths.EVALUATION_SETS,
    pathvars:
        job="evaluate_synthesis/{dataset}_fold{fold}",
    params:
        **PARAMS.training("evaluate_synthesis", image_size=SETTINGS.model.image_size),
        expressions=PARAMS.synthesis_classes,
        fixed_judge=STAMPS.judge,
        methods=RUN.trainings(RUN.systems),
