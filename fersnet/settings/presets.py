"""The two presets: the published values, and what a laptop reproduces laid over them.

Class defaults are the published values. What the embedded preset changes for a method stands in the method's own file.
"""

from typing import Any

from fersnet.methods.contract import Method
from fersnet.methods.find import Known

_SHORT = {"epochs": 12, "batch_size": 8, "learning_rate": 1e-3, "milestones": (8, 11), "decay": 0.3}

PUBLISHED: dict[str, Any] = {
    "datasets": {
        "ckplus": {"reader": "ckplus"},
        "oulu_casia": {"reader": "oulu_casia"},
        "mmi": {"reader": "mmi"},
        "bu4dfe": {"reader": "bu4dfe", "purpose": "pretraining"},
    },
    "variants": {
        "fersnet_without_mtl": {"name": "FERSNet w/o MTL", "sharing": "none"},
        "fersnet_without_convflu": {"name": "FERSNet w/o ConvFLU", "sharing": "hard"},
        "fersnet": {"name": "FERSNet"},
        "fersnet_bu4dfe": {"name": "FERSNet (BU-4DFE)", "pretrained_on": "bu4dfe"},
        "fersnet_fes_da": {"name": "FERSNet w/ FES-DA", "augmented_by": "fersnet"},
    },
}
"""The paper's datasets and the rows of its ablation."""

EMBEDDED: dict[str, Any] = {
    # A step of such a small network is thousands of short kernels, which leave most of a GPU idle.
    "jobs_per_gpu": 4,
    "datasets": {
        "ckplus": {"embedded": {"subjects": 36}},
        "oulu_casia": {"embedded": {"subjects": 20}},
        "mmi": {"embedded": {"subjects": 15}},
        "bu4dfe": {"embedded": {"subjects": 10}},
    },
    "faces": {"size": 50},
    "folds": {"count": 3},
    "model": {"image_size": 48, "width": 12, "output": "change", "guidance": 0.6},
    "losses": {"reconstruction": 10.0, "cycle": 0.3, "cycle_every": 16, "adversarial": 0.2, "identity_every": 4},
    "training": {
        **_SHORT,
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "milestones": (6,),
        "discriminator_steps": 1,
        "averaging": 0.97,
        "unit_factor": 5.0,
    },
    "pretraining": {**_SHORT, "discriminator_steps": 1, "averaging": 0.99, "unit_factor": 10.0},
    "identity": {
        "width": 16,
        "image_size": 32,
        "epochs": 10,
        "batch_size": 32,
        "learning_rate": 2e-3,
        "milestones": (7, 9),
        "decay": 0.3,
    },
    "standard_fer": {
        "trained_on": "fixed",
        "width": 12,
        **_SHORT,
        "epochs": 24,
        "batch_size": 16,
        "milestones": (16, 22),
    },
    "selection_study": {"method": "fersnet_without_mtl"},
    "synthesis": {"folds": (1,)},
    "report": {"bootstrap_samples": 2000},
}
"""Where the embedded runs depart from the published values, apart from the methods' own sections."""


def preset(name: str, known: Known) -> dict[str, Any]:
    """A preset as the tree that stands under a config.

    Args:
        name: `embedded` or `published`.
        known: the methods whose embedded values belong to it.
    """
    if name != "embedded":
        return PUBLISHED
    sections = {
        option: {key: dict(one.declared.embedded) for key, one in found.items() if isinstance(one.declared, Method)}
        for option, found in (("rivals", known.systems), ("baselines", known.recognisers))
    }
    return merged(PUBLISHED, EMBEDDED | sections)


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """One tree laid over another, key by key, as Snakemake lays config files over each other."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
