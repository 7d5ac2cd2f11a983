"""The figures."""


use rule seconds as figure_faces with:
    input:
        **paths.FACES,
        landmarks=paths.LANDMARKS,
    output:
        png=report("<results>/figures/faces_{dataset}.png", caption="captions/faces.rst", category="Faces"),
    pathvars:
        job="figure_faces/{dataset}",
    localrule: True
    params:
        **PARAMS.showing("figure_faces"),


use rule seconds as figure_ablation with:
    input:
        table="<results>/tables/ablation.csv",
    output:
        **figure("ablation", "ablation"),
    pathvars:
        job="figure_ablation/ablation",
    localrule: True
    params:
        **PARAMS.showing("figure_ablation", RUN.variants),


use rule seconds as figure_ranking with:
    input:
        table="<results>/tables/fer_{dataset}.csv",
    output:
        **figure("ranking_{dataset}", "ranking"),
    pathvars:
        job="figure_ranking/{dataset}",
    localrule: True
    params:
        **PARAMS.showing_recognisers("figure_ranking"),


use rule seconds as figure_scatter with:
    input:
        table="<results>/tables/synthesis.csv",
    output:
        **figure("synthesis_scatter", "scatter"),
    pathvars:
        job="figure_scatter/synthesis_scatter",
    localrule: True
    params:
        **PARAMS.showing_judged("figure_scatter", RUN.systems),


use rule seconds as figure_synthesis with:
    input:
        **paths.FACES,
        syntheses=FILES.each_judged_fold(paths.SYNTHESES, method=RUN.systems),
    output:
        **figure("synthesis_{dataset}", "grid", category="Faces"),
    pathvars:
        job="figure_synthesis/{dataset}",
    localrule: True
    params:
        **PARAMS.showing_judged("figure_synthesis", RUN.systems, methods=RUN.systems),


use rule seconds as figure_confusion with:
    input:
        predictions=FILES.each_fold(paths.PREDICTIONS, method=RUN.trainings(RUN.recognisers)),
    output:
        drawn("confusion", *(f"confusion_{{dataset}}_{method}" for method in RUN.recognisers), category="Confusion"),
    pathvars:
        job="figure_confusion/{dataset}",
    localrule: True
    params:
        **PARAMS.showing("figure_confusion", RUN.recognisers),


use rule seconds as figure_synthesis_confusion with:
    input:
        evaluations=FILES.each_judged_fold(paths.EVALUATION),
    output:
        drawn("confusion", *(f"confusion_synthesis_{{dataset}}_{name}" for name in RUN.systems), category="Confusion"),
    pathvars:
        job="figure_synthesis_confusion/{dataset}",
    localrule: True
    params:
        **PARAMS.showing_judged("figure_synthesis_confusion", RUN.systems, methods=RUN.systems),


use rule seconds as figure_intensity with:
    input:
        **paths.FACES,
        folds=paths.FOLDS,
        checkpoint=FILES.first_judged_fold(paths.CHECKPOINT),
    output:
        **figure("intensity_{dataset}_{method}", "intensity", category="Faces"),
    pathvars:
        job="figure_intensity/{dataset}_{method}",
    wildcard_constraints:
        method="|".join(RUN.rivals) or NOTHING,
    localrule: True
    params:
        **PARAMS.showing("figure_intensity", run=PARAMS.described_system, **PARAMS.of_method("figure_intensity")),
        fold=PARAMS.first_judged_fold,


use rule seconds as figure_training with:
    input:
        histories=FILES.each_fold(paths.HISTORY, method=RUN.variants),
    output:
        **figure("training_{dataset}", "training"),
    pathvars:
        job="figure_training/{dataset}",
    localrule: True
    params:
        **PARAMS.showing("figure_training", RUN.variants),


use rule seconds as figure_gates with:
    input:
        gates=FILES.each_fold(paths.GATES),
    output:
        **figure("gates_{dataset}", "gates"),
    pathvars:
        job="figure_gates/{dataset}",
    localrule: True
    params:
        **PARAMS.showing("figure_gates", RUN.gated[:1], method=next(iter(RUN.gated), "")),


use rule seconds as figure_augmentation with:
    input:
        table=paths.FACES["table"],
        folds=paths.FOLDS,
        augmentations=FILES.each_fold(paths.AUGMENTATION["table"], method=RUN.augmented[:1]),
    output:
        **figure("augmentation_{dataset}", "augmentation"),
    pathvars:
        job="figure_augmentation/{dataset}",
    localrule: True
    params:
        **PARAMS.showing("figure_augmentation", RUN.augmented[:1]),
