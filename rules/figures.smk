"""The figures."""


use rule seconds as figure_faces with:
    input:
        **FACES,
        landmarks="<results>/datasets/{dataset}/landmarks.npy",
    output:
        png=report("<results>/figures/faces_{dataset}.png", caption="captions/faces.rst", category="Faces"),
    pathvars:
        job="figure_faces/{dataset}",
    localrule: True
    params:
        **showing("figure_faces"),


use rule seconds as figure_ablation with:
    input:
        table="<results>/tables/ablation.csv",
    output:
        **figure("ablation", "ablation"),
    pathvars:
        job="figure_ablation/ablation",
    localrule: True
    params:
        **showing("figure_ablation", FERSNET_METHODS),


use rule seconds as figure_ranking with:
    input:
        table="<results>/tables/fer_{dataset}.csv",
    output:
        **figure("ranking_{dataset}", "ranking"),
    pathvars:
        job="figure_ranking/{dataset}",
    localrule: True
    params:
        **showing("figure_ranking", RECOGNISERS),


use rule seconds as figure_scatter with:
    input:
        table="<results>/tables/synthesis.csv",
    output:
        **figure("synthesis_scatter", "scatter"),
    pathvars:
        job="figure_scatter/synthesis_scatter",
    localrule: True
    params:
        **showing("figure_scatter", SYSTEMS),


use rule seconds as figure_synthesis with:
    input:
        **FACES,
        syntheses=each_fold(SYNTHESES, method=SYSTEMS),
    output:
        **figure("synthesis_{dataset}", "grid", category="Faces"),
    pathvars:
        job="figure_synthesis/{dataset}",
    localrule: True
    params:
        **showing("figure_synthesis", SYSTEMS, methods=SYSTEMS),


use rule seconds as figure_confusion with:
    input:
        predictions=each_fold(PREDICTIONS, method=trainings(RECOGNISERS)),
    output:
        drawn("confusion", *(f"confusion_{{dataset}}_{method}" for method in RECOGNISERS), category="Confusion"),
    pathvars:
        job="figure_confusion/{dataset}",
    localrule: True
    params:
        **showing("figure_confusion", RECOGNISERS),


use rule seconds as figure_synthesis_confusion with:
    input:
        evaluations=each_fold("<results>/evaluation/{dataset}/fold{fold}.parquet"),
    output:
        drawn("confusion", *(f"confusion_synthesis_{{dataset}}_{name}" for name in SYSTEMS), category="Confusion"),
    pathvars:
        job="figure_synthesis_confusion/{dataset}",
    localrule: True
    params:
        **showing("figure_synthesis_confusion", SYSTEMS, methods=SYSTEMS),


use rule seconds as figure_intensity with:
    input:
        **FACES,
        folds="<results>/datasets/{dataset}/folds.csv",
        checkpoint="<results>/models/{dataset}/{method}/fold1/checkpoint.pt",
    output:
        **figure("intensity_{dataset}_{method}", "intensity", category="Faces"),
    pathvars:
        job="figure_intensity/{dataset}_{method}",
    wildcard_constraints:
        method="|".join(RIVALS) or NOTHING,
    localrule: True
    params:
        **showing(
            "figure_intensity", run=lambda wildcards: described([wildcards.method]), **of_method("figure_intensity")
        ),


use rule seconds as figure_training with:
    input:
        histories=each_fold(TRAINED["history"], method=FERSNET_METHODS),
    output:
        **figure("training_{dataset}", "training"),
    pathvars:
        job="figure_training/{dataset}",
    localrule: True
    params:
        **showing("figure_training", FERSNET_METHODS),


use rule seconds as figure_gates with:
    input:
        gates=each_fold("<results>/gates/{dataset}/fold{fold}.npz"),
    output:
        **figure("gates_{dataset}", "gates"),
    pathvars:
        job="figure_gates/{dataset}",
    localrule: True
    params:
        **showing("figure_gates", gated_methods()[:1], method=next(iter(gated_methods()), "")),


use rule seconds as figure_augmentation with:
    input:
        table="<results>/datasets/{dataset}/faces.parquet",
        folds="<results>/datasets/{dataset}/folds.csv",
        augmentations=each_fold(
            "<results>/augmentation/{dataset}/{method}/fold{fold}.csv", method=augmented_methods()[:1]
        ),
    output:
        **figure("augmentation_{dataset}", "augmentation"),
    pathvars:
        job="figure_augmentation/{dataset}",
    localrule: True
    params:
        **showing("figure_augmentation", augmented_methods()[:1]),
