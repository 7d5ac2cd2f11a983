"""FERSNet's objective: the five terms, as on the slides and as in the authors' release.

Symbols of the slides (ICPR 2020, "Learning Criteria"): I_i an image with expression z_i, I_i^t the target image, of
the same subject with the target expression z^t, G the synthesis branch, D the discriminator, p_i the logits,
f_LiCNN the LightCNN features, n the batch size.

One deviation holds throughout: ||.||_2^2 is divided by the number of elements of its argument. That is a constant
factor for a given network, and it makes the weights independent of the image size; the released weights belong to
such means. Terms that need a target image take `paired`, which masks the samples that have none.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from fersnet.models.light_cnn import to_luma

Form = Literal["slides", "released"]


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """L_cls = 1/n sum_i -log(exp(p_i[z_i]) / sum_j exp(p_i[j])).

    logits: p (n, K), any range; labels: z int64 (n,). Both forms agree. Returns a float32 scalar.
    """
    return functional.cross_entropy(logits.float(), labels)


def reconstruction_loss(synthesised: Tensor, target: Tensor, paired: Tensor, form: Form = "slides") -> Tensor:
    """L_rec = 1/n sum_i ||G(z^t, I_i) - I_i^t||_2^2; released: mean absolute difference of luma.

    synthesised: G(z^t, I) and target: I^t, (n, C, S, S) with faces in [0, 1]; paired: bool (n,).
    Returns a float32 scalar: the mean over paired samples, 0 where there is none.
    """
    synthesised, target = synthesised.float(), target.float()
    if form == "slides":
        return masked_mean((synthesised - target).square(), paired)
    return masked_mean((to_luma(synthesised) - to_luma(target)).abs(), paired)


def cycle_loss(returned: Tensor, source: Tensor) -> Tensor:
    """L_cyc = 1/n sum_i ||G(z_i, G(z^t, I_i)) - I_i||_2^2.

    returned: G(z_i, G(z^t, I_i)) and source: I, (n, C, S, S) with faces in [0, 1]. Both forms agree. Needs no pair.
    Returns a float32 scalar.
    """
    return functional.mse_loss(returned.float(), source.float())


def identity_loss(synthesised_features: Tensor, target_features: Tensor, paired: Tensor) -> Tensor:
    """L_idt = 1/n sum_i ||f_LiCNN(G(z^t, I_i)) - f_LiCNN(I_i^t)||_2^2.

    Features: the last convolutional maps (n, F, h, w), any range; paired: bool (n,). Both forms agree.
    Returns a float32 scalar: the mean over paired samples, 0 where there is none.
    """
    return masked_mean((synthesised_features.float() - target_features.float()).square(), paired)


def discriminator_loss(real: Tensor, synthesised: Tensor, is_real: Tensor, form: Form = "slides") -> Tensor:
    """What D minimises: -L_GAN = -E log D(z^t, I^t) - E log(1 - D(z^t, G(z^t, I))); released: least squares.

    D is the sigmoid of the logits given here in the log form; the least-squares form, 1/2 (E (D - 1)^2 + E D^2),
    takes them as they are.

    real, synthesised: patch logits (n, 1, h, w), any range; is_real: bool (n,), the samples whose first row may count
    as real. Returns a float32 scalar.
    """
    real, synthesised = real.float(), synthesised.float()
    if form == "slides":
        return masked_mean(functional.softplus(-real), is_real) + functional.softplus(synthesised).mean()
    return 0.5 * (masked_mean((real - 1).square(), is_real) + synthesised.square().mean())


def adversarial_loss(synthesised: Tensor, form: Form = "slides") -> Tensor:
    """What G minimises of L_GAN: -E log D(z^t, G(z^t, I)); released: E (D - 1)^2.

    Deviation: the slides' minimax form has G minimise E log(1 - D), whose gradient vanishes as soon as D is sure of
    itself; the non-saturating form has the same fixed point (Goodfellow et al., NeurIPS 2014, section 3).

    synthesised: patch logits (n, 1, h, w), any range. Needs no pair. Returns a float32 scalar.
    """
    synthesised = synthesised.float()
    if form == "slides":
        return functional.softplus(-synthesised).mean()
    return (synthesised - 1).square().mean()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over all elements of those samples whose mask is true; 0, with a gradient of 0, where none is.

    values: (n, ...), finite; mask: bool (n,).
    """
    per_sample = values.flatten(1).mean(dim=1)
    return (per_sample * mask).sum() / mask.sum().clamp(min=1)
