"""Identity network, pre-training, FERSNet's variants, augmentation, selection study."""


use rule training as train_identity with:
    input:
        **FACES,
        folds=lambda wildcards: [] if wildcards.fold == "0" else FOLD_FACES["folds"].format(**wildcards),
        checked=lambda wildcards: [] if wildcards.fold == "0" else FOLD_FACES["checked"].format(**wildcards),
    output:
        checkpoint="<results>/models/{dataset}/identity/fold{fold}/checkpoint.pt",
        history="<results>/models/{dataset}/identity/fold{fold}/history.csv",
    pathvars:
        job="train_identity/{dataset}_fold{fold}",
    params:
        **training_work("train_identity", settings=dump(SETTINGS.identity), hold_out=hold_out()),
        image_size=SETTINGS.model.image_size,
        public=identity_stamp(),


use rule training as pretrain_fersnet with:
    input:
        **FACES,
        identity="<results>/models/{dataset}/identity/fold0/checkpoint.pt",
    output:
        checkpoint="<results>/models/{dataset}/{method}/fold0/checkpoint.pt",
        history="<results>/models/{dataset}/{method}/fold0/history.csv",
    pathvars:
        job="pretrain_fersnet/{dataset}_{method}",
    wildcard_constraints:
        dataset="|".join(PRETRAINING) or NOTHING,
        method=one_of(FERSNET_METHODS),
    resources:
        **needs(4000, training_minutes(SETTINGS.pretraining.epochs), gpu()),
    params:
        **training_work("pretrain_fersnet", settings=pretrain_params, expressions=classes, faces=face_params),


use rule training as train_fersnet with:
    input:
        **FOLD_FACES,
        identity="<results>/models/{dataset}/identity/fold{fold}/checkpoint.pt",
        pretrained=pretrained_checkpoint,
        augmentation=augmentation_faces,
    output:
        **TRAINED,
    pathvars:
        job="train_fersnet/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset="|".join(RECOGNITION),
        method=one_of(FERSNET_METHODS),
    resources:
        **needs(4000, training_minutes(SETTINGS.training.epochs), gpu()),
    params:
        **training_work("train_fersnet", settings=variant_params, expressions=classes, faces=face_params),


for name, count, datasets in fold_groups("predict_fersnet", FOLD_COUNTS):

    rule:
        name:
            name
        input:
            **FOLD_FACES,
            checkpoints=per_fold("<results>/models/{{dataset}}/{{method}}/fold{fold}/checkpoint.pt", count),
        output:
            predictions=per_fold("<results>/predictions/{{dataset}}/{{method}}/fold{fold}.parquet", count),
        log:
            "<logs>/predict_fersnet/{dataset}_{method}.log",
        benchmark:
            "<benchmarks>/predict_fersnet/{dataset}_{method}.tsv"
        wildcard_constraints:
            dataset="|".join(datasets),
            method=one_of(FERSNET_METHODS),
        conda:
            "../environment.yml"
        threads: SETTINGS.threads
        resources:
            **needs(megabytes=2000, minutes=30, gpus=gpu()),
        params:
            **work("predict_fersnet", expressions=classes, device=SETTINGS.device),
        script:
            "../workflow_scripts/predict_fersnet.py"


use rule training as augment_faces with:
    input:
        **FOLD_FACES,
        checkpoint=augmenting_checkpoint,
    output:
        faces="<results>/augmentation/{dataset}/{method}/fold{fold}.npz",
        table="<results>/augmentation/{dataset}/{method}/fold{fold}.csv",
    pathvars:
        job="augment_faces/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        method=one_of(augmented_methods()),
    params:
        **training_work("augment_faces", settings=dump(SETTINGS.augmentation), hold_out=hold_out()),
        expressions=classes,


use rule training as compare_selection with:
    input:
        **FOLD_FACES,
        identity="<results>/models/{dataset}/identity/fold{fold}/checkpoint.pt",
    output:
        predictions="<results>/selection/{dataset}/fold{fold}.parquet",
        history="<results>/selection/{dataset}/fold{fold}/history.csv",
    pathvars:
        job="compare_selection/{dataset}_fold{fold}",
    resources:
        **needs(4000, training_minutes(SETTINGS.training.epochs), gpu()),
    params:
        **training_work("compare_selection", settings=dump_study(), expressions=classes),


for name, count, datasets in fold_groups("extract_gates", FOLD_COUNTS):

    rule:
        name:
            name
        input:
            **FOLD_FACES,
            checkpoints=each_fold(TRAINED["checkpoint"], method=gated_methods()[:1]),
        output:
            gates=per_fold("<results>/gates/{{dataset}}/fold{fold}.npz", count),
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
            **needs(megabytes=2000, minutes=30, gpus=gpu()),
        params:
            **work("extract_gates", expressions=classes, device=SETTINGS.device),
        script:
            "../workflow_scripts/extract_gates.py"
