"""The embedded default run, the commented YAML that states it, and the JSON schema of the settings.

`config/config.yaml` and `config/schemas/config.schema.json` are written from here by `fersnet settings`; a test fails
when they drift. Class defaults are the published values; `EMBEDDED` is what a laptop reproduces in half an hour.
"""

import json
import textwrap
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fersnet.settings.tree import Settings

HEADER = """\
# The embedded default: every stage of the paper on faces that the project renders itself.
# Lay your own file over it: `snakemake --cores 8 --configfile mine.yaml`; a null entry under `datasets` or `variants`
# takes that entry out. Written from the settings' types by `fersnet settings`: change it there, or in your own file.
"""

_SHORT = {"epochs": 12, "batch_size": 8, "learning_rate": 1e-3, "milestones": (8, 11), "decay": 0.3}

EMBEDDED: dict[str, Any] = {
    "run": "embedded",
    "datasets": {
        "ckplus": {"reader": "ckplus", "embedded": {"subjects": 36}},
        "oulu_casia": {"reader": "oulu_casia", "embedded": {"subjects": 20}},
        "mmi": {"reader": "mmi", "embedded": {"subjects": 15}},
        "bu4dfe": {"reader": "bu4dfe", "purpose": "pretraining", "embedded": {"subjects": 10}},
    },
    "faces": {"size": 50},
    "folds": {"count": 3},
    "model": {"image_size": 48, "width": 8, "output": "change"},
    "losses": {"reconstruction": 200.0, "cycle": 1.0, "adversarial": 0.2},
    "training": {**_SHORT, "epochs": 16, "learning_rate": 2e-3, "milestones": (11, 14), "discriminator_steps": 1},
    "variants": {
        "fersnet_without_mtl": {"name": "FERSNet w/o MTL", "sharing": "none"},
        "fersnet_without_convflu": {"name": "FERSNet w/o ConvFLU", "sharing": "hard"},
        "fersnet": {"name": "FERSNet"},
        "fersnet_bu4dfe": {"name": "FERSNet (BU-4DFE)", "pretrained_on": "bu4dfe"},
        "fersnet_fes_da": {"name": "FERSNet w/ FES-DA", "augmented_by": "fersnet"},
    },
    "pretraining": {**_SHORT, "discriminator_steps": 1},
    "identity": {"width": 12, "image_size": 48, **_SHORT, "epochs": 4, "batch_size": 32, "milestones": (3,)},
    "standard_fer": {"width": 12, **_SHORT, "epochs": 24, "batch_size": 16, "milestones": (16, 22)},
    "augmentation": {},
    "selection_study": {"method": "fersnet_without_mtl"},
    "synthesis": {},
    # A few thousand steps instead of hundreds of thousands: what else departs from the published settings is what
    # trials showed to decide whether such a training gets to faces (docs/results.md).
    "rivals": {
        "stargan": {
            "width": 10,
            "residual_blocks": 1,
            "epochs": 50,
            "batch_size": 4,
            "learning_rate": 1e-3,
            "critic_steps": 2,
            "discriminator_weights": "scaled",
            "targets": "uniform",
            "adversarial": 25.0,
        },
        "cyclegan": {
            "width": 10,
            "residual_blocks": 2,
            "epochs": 3,
            "initial": "previous",
            "first_epochs": 6,
            "batch_size": 2,
            "learning_rate": 5e-4,
            "decay_from": 0.67,
            "cycle": 5.0,
            "identity": 0.0,
            "augmentation": "flip",
        },
        "caae": {
            "width": 16,
            "warm_up_epochs": 3,
            "epochs": 23,
            "batch_size": 8,
            "learning_rate": 1e-3,
            "adversarial_image": 0.02,
            "augmentation": "flip",
        },
        "exprgan": {
            "width": 12,
            "controller_epochs": 2,
            "reconstruction_epochs": 17,
            "refinement_epochs": 15,
            "controller_batch_size": 8,
            "batch_size": 8,
            "learning_rate": 1e-3,
            "controller": 0.03,
            "refinement_adversarial_image": 0.02,
        },
    },
    "baselines": {},
    "report": {"bootstrap_samples": 2000},
}
"""Where the embedded default departs from the published values."""


def embedded_settings() -> Settings:
    """The settings of the embedded default run."""
    return Settings.model_validate(EMBEDDED, strict=False)


def commented_yaml() -> str:
    """`config/config.yaml`: all keys of the embedded default, each with its description above it."""
    return HEADER + "\n" + "\n".join(_lines(embedded_settings(), 0)) + "\n"


def json_schema() -> str:
    """`config/schemas/config.schema.json`: the settings for editors that check YAML while it is written."""
    return json.dumps(Settings.model_json_schema(), indent=2, sort_keys=True) + "\n"


def _lines(section: BaseModel, depth: int) -> list[str]:
    lines: list[str] = []
    for key, field in type(section).model_fields.items():
        lines += _comment(field, depth)
        lines += _entry(key, getattr(section, key), depth)
    return lines


def _entry(key: str, value: Any, depth: int) -> list[str]:
    indent = "  " * depth
    if isinstance(value, BaseModel):
        return [f"{indent}{key}:", *_lines(value, depth + 1)]
    if isinstance(value, dict) and value and all(isinstance(part, BaseModel) for part in value.values()):
        inner = [line for name, part in value.items() for line in _entry(name, part, depth + 1)]
        return [f"{indent}{key}:", *inner]
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, allow_unicode=True)
    return [f"{indent}{key}: {text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"]


def _comment(field: FieldInfo, depth: int) -> list[str]:
    indent = "  " * depth
    text = " ".join((field.description or "").split())
    return [f"{indent}# {line}" for line in textwrap.wrap(text, 116 - len(indent))]
