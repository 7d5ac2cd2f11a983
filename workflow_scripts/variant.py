"""The sections of a FERSNet variant, read back from a job's params."""

from typing import Any

from fersnet.settings.training import FersnetSettings, LossSettings, ModelSettings


def variant_arguments(params: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments `sharing, model, losses, training` of `fersnet.training.fersnet.fit`."""
    sections = {"model": ModelSettings, "losses": LossSettings, "training": FersnetSettings}
    return {"sharing": params["sharing"]} | {
        key: section.model_validate(params[key], strict=False) for key, section in sections.items()
    }
