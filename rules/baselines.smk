"""The recognition methods of one file: one rule for all of them."""


use rule training as pretrain_baseline with:
    input:
        **paths.FACES,
        landmarks=paths.LANDMARKS,
    output:
        **paths.trained(fold="0"),
    pathvars:
        job="pretrain_baseline/{dataset}_{method}",
    wildcard_constraints:
        dataset="|".join(RUN.pretraining) or NOTHING,
        method=RUN.one_of(RUN.pretrained),
    resources:
        **needs(megabytes=4000, minutes=240, gpus=PARAMS.gpus_of(PARAMS.method_device)),
    params:
        **PARAMS.training_recogniser("pretrain_baseline"),


use rule training as train_baseline with:
    input:
        **paths.FOLD_FACES,
        landmarks=paths.LANDMARKS,
        pretrained=FILES.pretrained,
        others=FILES.read_beside("faces"),
        other_tables=FILES.read_beside("table"),
    output:
        predictions=paths.PREDICTIONS,
    pathvars:
        job="train_baseline/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        dataset="|".join(RUN.trained_folds),
        method=RUN.one_of(RUN.baselines),
    resources:
        **needs(megabytes=4000, minutes=240, gpus=PARAMS.gpus_of(PARAMS.method_device)),
    params:
        **PARAMS.training_recogniser("train_baseline"),
        other_sets=PARAMS.read_beside,
