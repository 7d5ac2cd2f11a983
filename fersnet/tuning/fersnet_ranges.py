"""The ranges of FERSNet's own networks; those of the other methods stand in the methods' files."""

from fersnet.methods.ranges import Numbers, OneOf, Range

EVERY: dict[str, Range] = {
    "training.learning_rate": Numbers(1e-4, 5e-3, log=True),
    "training.weight_decay": Numbers(1e-5, 2e-3, log=True),
    "training.decay": OneOf((0.1, 0.3, 1.0)),
}
"""Of every variant, by section and key."""
SYNTHESISING: dict[str, Range] = EVERY | {
    "losses.reconstruction": Numbers(1, 500, log=True),
    "losses.adversarial": Numbers(0.03, 1, log=True),
    "losses.cycle": Numbers(0.1, 5, log=True),
    "losses.identity": Numbers(0.005, 0.5, log=True),
}
"""Of the variants that synthesise."""
