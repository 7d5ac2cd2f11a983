"""The standard FER model, the rivals, synthesis of the test faces and its evaluation."""


use rule training as train_standard_fer with:
    input:
        **FOLD_FACES,
    output:
        checkpoint="<results>/models/{dataset}/standard_fer/fold{fold}/checkpoint.pt",
        history="<results>/models/{dataset}/standard_fer/fold{fold}/history.csv",
        predictions="<results>/predictions/{dataset}/standard_fer/fold{fold}.parquet",
    pathvars:
        job="train_standard_fer/{dataset}_fold{fold}",
    params:
        **training_work("train_standard_fer", settings=dump(SETTINGS.standard_fer), hold_out=hold_out()),
        expressions=synthesis_classes,
        image_size=SETTINGS.model.image_size,


use rule training as train_rival with:
    input:
        **FOLD_FACES,
        identity="<results>/models/{dataset}/identity/fold{fold}/checkpoint.pt",
    output:
        **TRAINED,
    pathvars:
        job="train_rival/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        method=one_of(RIVALS),
    resources:
        **needs(megabytes=4000, minutes=480, gpus=gpus_of(method_device)),
    params:
        **training_work("train_rival", **of_method("train_rival"), settings=section, device=method_device),
        expressions=synthesis_classes,
        image_size=SETTINGS.model.image_size,
        hold_out=hold_out(),


for name, count, datasets in fold_groups("synthesize_faces", FOLD_COUNTS):

    rule:
        name:
            name
        input:
            **FOLD_FACES,
            checkpoints=per_fold("<results>/models/{{dataset}}/{{method}}/fold{fold}/checkpoint.pt", count),
        output:
            syntheses=per_fold("<results>/synthesis/{{dataset}}/{{method}}/fold{fold}.npz", count),
        log:
            "<logs>/synthesize_faces/{dataset}_{method}.log",
        benchmark:
            "<benchmarks>/synthesize_faces/{dataset}_{method}.tsv"
        wildcard_constraints:
            dataset="|".join(datasets),
            method=one_of(SYSTEMS),
        conda:
            "../environment.yml"
        threads: SETTINGS.threads
        resources:
            **needs(megabytes=3000, minutes=60, gpus=gpu()),
        params:
            **work("synthesize_faces", seed=SETTINGS.seed, **of_method("synthesize_faces")),
            expressions=synthesis_classes,
            image_size=SETTINGS.model.image_size,
            device=SETTINGS.device,
        script:
            "../workflow_scripts/synthesize_faces.py"


use rule training as evaluate_synthesis with:
    input:
        **FOLD_FACES,
        standard_fer="<results>/models/{dataset}/standard_fer/fold{fold}/checkpoint.pt",
        identity="<results>/models/{dataset}/identity/fold{fold}/checkpoint.pt",
        syntheses=fold_syntheses,
    output:
        images="<results>/evaluation/{dataset}/fold{fold}.parquet",
        sets="<results>/evaluation/{dataset}/fold{fold}_sets.csv",
    pathvars:
        job="evaluate_synthesis/{dataset}_fold{fold}",
    params:
        **training_work("evaluate_synthesis", image_size=SETTINGS.model.image_size),
        methods=trainings(SYSTEMS),
