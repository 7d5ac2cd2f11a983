"""Identity network, pre-training, FERSNet's variants, augmentation, selection study."""


use rule training as train_identity with:
    input:
        **paths.FACES,
        folds=paths.within_folds(paths.FOLDS),
        checked=paths.within_folds(paths.FOLDS_CHECK),
    output:
        **paths.trained("identity"),
    pathvars:
        job="train_identity/{dataset}_fold{fold}",
    wildcard_constraints:
        dataset="|".join([*SETTINGS.datasets, *RUN.across]),
    params:
        **PARAMS.training("train_identity", settings=dump(SETTINGS.identity), hold_out=RUN.holds_out),
        image_size=SETTINGS.model.image_size,
        public=STAMPS.identity(),


use rule training as pretrain_fersnet with:
    input:
        **paths.FACES,
        identity=paths.identity(fold="0"),
    output:
        **paths.trained(fold="0"),
    pathvars:
        job="pretrain_fersnet/{dataset}_{method}",
    wildcard_constraints:
        dataset="|".join(RUN.pretraining) or NOTHING,
        method=RUN.one_of(RUN.variants),
    resources:
        **needs(4000, training_minutes(SETTINGS.pretraining.epochs), RUN.gpus),
    params:
        **PARAMS.training_variant("pretrain_fersnet", settings=PARAMS.pretraining),


use rule training as train_fersnet with:
    input:
        **paths.FOLD_FACES,
        identity=paths.identity(),
        pretrained=FILES.pretrained,
        augmentation=FILES.augmentation,
    output:
        **paths.trained(),
        predictions=paths.PREDICTIONS,
    pathvars:
        job="train_fersnet/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset="|".join(RUN.trained_folds),
        method=RUN.one_of([*RUN.variants, *RUN.utility]),
    resources:
        **needs(4000, training_minutes(SETTINGS.training.epochs), RUN.gpus),
    params:
        **PARAMS.training_variant("train_fersnet", settings=PARAMS.variant),


use rule training as augment_faces with:
    input:
        **paths.FOLD_FACES,
        checkpoint=FILES.augmenting,
        reader=FILES.reading,
    output:
        **paths.AUGMENTATION,
    pathvars:
        job="augment_faces/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset="|".join(RUN.trained_folds),
        method=RUN.one_of([*RUN.augmented, *RUN.utility]),
    params:
        **PARAMS.training(
            "augment_faces", **PARAMS.of_method("augment_faces", RUN.augmented_by), settings=PARAMS.augmentation
        ),
        expressions=PARAMS.classes,
        targets=PARAMS.drawn_classes,
        image_size=PARAMS.drawn_size,
        hold_out=RUN.holds_out,


use rule training as compare_selection with:
    input:
        **paths.FOLD_FACES,
        identity=paths.identity(),
    output:
        predictions="<results>/selection/{dataset}/fold{fold}.parquet",
        history="<results>/selection/{dataset}/fold{fold}/history.csv",
    pathvars:
        job="compare_selection/{dataset}_fold{fold}",
    resources:
        **needs(4000, training_minutes(SETTINGS.training.epochs), RUN.gpus),
    params:
        **PARAMS.training("compare_selection", settings=PARAMS.study, expressions=PARAMS.classes),


for name, folds, datasets in fold_groups("extract_gates", RUN.folds):

    rule:
        name:
            name
        input:
            **paths.FOLD_FACES,
            checkpoints=FILES.each_fold(paths.CHECKPOINT, method=RUN.gated[:1]),
        output:
            gates=paths.per_fold(paths.GATES, folds),
        log:
            "<logs>/extract_gates/{dataset}.log",
        benchmark:
            "<benchmarks>/extract_gates/{dataset}.tsv"
        wildcard_constraints:
            dataset="|".join(datasets),
        conda:
            "../environment.yml"
        threads: SETTINGS.threads
        resources:
            **needs(megabytes=2000, minutes=30, gpus=RUN.gpus),
        params:
            **work("extract_gates", expressions=PARAMS.classes, device=SETTINGS.device),
        script:
            "../workflow_scripts/extract_gates.py"
