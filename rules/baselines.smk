"""The recognition methods of one file: one rule for all of them."""


use rule training as train_baseline with:
    input:
        **FOLD_FACES,
        landmarks="<results>/datasets/{dataset}/landmarks.npy",
    output:
        predictions="<results>/predictions/{dataset}/{method}/fold{fold}.parquet",
    pathvars:
        job="train_baseline/{dataset}_{method}_fold{fold}",
    wildcard_constraints:
        method=one_of(BASELINES),
    resources:
        **needs(megabytes=4000, minutes=240, gpus=gpus_of(method_device)),
    params:
        **training_work("train_baseline", **of_method("train_baseline"), settings=section, device=method_device),
        expressions=classes,
        size=SETTINGS.baselines.size,
        crop=SETTINGS.model.image_size,
        frames=SETTINGS.faces.clip_frames,
