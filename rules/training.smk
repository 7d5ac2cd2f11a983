"""Identity network, pre-training, FERSNet's variants, augmentation, selection study."""


rule train_identity:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=lambda wildcards: [] if wildcards.fold == "0" else f"{RESULTS}/datasets/{wildcards.dataset}/folds.csv",
        checked=lambda wildcards: (
            [] if wildcards.fold == "0" else f"{RESULTS}/datasets/{wildcards.dataset}/folds_check.csv"
        ),
    output:
        checkpoint=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/checkpoint.pt",
        history=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/history.csv",
    log:
        f"{RESULTS}/logs/train_identity/{{dataset}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_identity/{{dataset}}_fold{{fold}}.tsv"
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=240,
    params:
        code=code("train_identity"),
        seed=SETTINGS.seed,
        settings=dump(SETTINGS.identity),
        image_size=SETTINGS.model.image_size,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
        hold_out=hold_out(),
    script:
        "../workflow_scripts/train_identity.py"


rule pretrain_fersnet:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        identity=f"{RESULTS}/models/{{dataset}}/identity/fold0/checkpoint.pt",
    output:
        checkpoint=f"{RESULTS}/models/{{dataset}}/{{method}}/fold0/checkpoint.pt",
        history=f"{RESULTS}/models/{{dataset}}/{{method}}/fold0/history.csv",
    log:
        f"{RESULTS}/logs/pretrain_fersnet/{{dataset}}_{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain_fersnet/{{dataset}}_{{method}}.tsv"
    wildcard_constraints:
        dataset="|".join(PRETRAINING) or NOTHING,
        method=one_of(FERSNET_METHODS),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=training_minutes(SETTINGS.pretraining.epochs),
    params:
        code=code("pretrain_fersnet"),
        seed=SETTINGS.seed,
        settings=pretrain_params,
        expressions=classes,
        faces=face_params,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
    script:
        "../workflow_scripts/pretrain_fersnet.py"


rule train_fersnet:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        identity=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/checkpoint.pt",
        pretrained=pretrained_checkpoint,
        augmentation=augmentation_faces,
    output:
        checkpoint=f"{RESULTS}/models/{{dataset}}/{{method}}/fold{{fold}}/checkpoint.pt",
        history=f"{RESULTS}/models/{{dataset}}/{{method}}/fold{{fold}}/history.csv",
    log:
        f"{RESULTS}/logs/train_fersnet/{{dataset}}_{{method}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_fersnet/{{dataset}}_{{method}}_fold{{fold}}.tsv"
    wildcard_constraints:
        dataset="|".join(RECOGNITION),
        method=one_of(FERSNET_METHODS),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=training_minutes(SETTINGS.training.epochs),
    params:
        code=code("train_fersnet"),
        seed=SETTINGS.seed,
        settings=variant_params,
        expressions=classes,
        faces=face_params,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
    script:
        "../workflow_scripts/train_fersnet.py"


rule predict_fersnet:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        checkpoints=per_fold(f"{RESULTS}/models/{{{{dataset}}}}/{{{{method}}}}/fold{{fold}}/checkpoint.pt"),
    output:
        predictions=per_fold(f"{RESULTS}/predictions/{{{{dataset}}}}/{{{{method}}}}/fold{{fold}}.parquet"),
    log:
        f"{RESULTS}/logs/predict_fersnet/{{dataset}}_{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_fersnet/{{dataset}}_{{method}}.tsv"
    wildcard_constraints:
        method=one_of(FERSNET_METHODS),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=2000,
        runtime=30,
    params:
        code=code("predict_fersnet"),
        seed=SETTINGS.seed,
        expressions=classes,
        device=SETTINGS.device,
    script:
        "../workflow_scripts/predict_fersnet.py"


rule augment_faces:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        checkpoint=augmenting_checkpoint,
    output:
        faces=f"{RESULTS}/augmentation/{{dataset}}/{{method}}/fold{{fold}}.npz",
        table=f"{RESULTS}/augmentation/{{dataset}}/{{method}}/fold{{fold}}.csv",
    log:
        f"{RESULTS}/logs/augment_faces/{{dataset}}_{{method}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/augment_faces/{{dataset}}_{{method}}_fold{{fold}}.tsv"
    wildcard_constraints:
        method=one_of(augmented_methods()),
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=60,
    params:
        code=code("augment_faces"),
        seed=SETTINGS.seed,
        settings=dump(SETTINGS.augmentation),
        expressions=classes,
        hold_out=hold_out(),
        device=SETTINGS.device,
    script:
        "../workflow_scripts/augment_faces.py"


rule compare_selection:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        identity=f"{RESULTS}/models/{{dataset}}/identity/fold{{fold}}/checkpoint.pt",
    output:
        predictions=f"{RESULTS}/selection/{{dataset}}/fold{{fold}}.parquet",
        history=f"{RESULTS}/selection/{{dataset}}/fold{{fold}}/history.csv",
    log:
        f"{RESULTS}/logs/compare_selection/{{dataset}}_fold{{fold}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare_selection/{{dataset}}_fold{{fold}}.tsv"
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=4000,
        runtime=training_minutes(SETTINGS.training.epochs),
    params:
        code=code("compare_selection"),
        seed=SETTINGS.seed,
        settings=dump_study(),
        expressions=classes,
        device=SETTINGS.device,
        precision=SETTINGS.precision,
    script:
        "../workflow_scripts/compare_selection.py"


rule extract_gates:
    input:
        faces=f"{RESULTS}/datasets/{{dataset}}/faces.npy",
        table=f"{RESULTS}/datasets/{{dataset}}/faces.parquet",
        folds=f"{RESULTS}/datasets/{{dataset}}/folds.csv",
        checked=f"{RESULTS}/datasets/{{dataset}}/folds_check.csv",
        checkpoints=lambda wildcards: [checkpoint(wildcards.dataset, gated_methods()[0], fold) for fold in FOLDS],
    output:
        gates=per_fold(f"{RESULTS}/gates/{{{{dataset}}}}/fold{{fold}}.npz"),
    log:
        f"{RESULTS}/logs/extract_gates/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/extract_gates/{{dataset}}.tsv"
    conda:
        "../environment.yml"
    threads: SETTINGS.threads
    resources:
        gpu=gpu(),
        mem_mb=2000,
        runtime=30,
    params:
        code=code("extract_gates"),
        seed=SETTINGS.seed,
        expressions=classes,
        device=SETTINGS.device,
    script:
        "../workflow_scripts/extract_gates.py"
