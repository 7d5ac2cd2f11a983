"""Who is shown: proportions, skin, hair, brows, age, and a personal style of moving the face."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fersnet.embedded.action_units import UNITS
from fersnet.seeds import derive_seed

PROPORTIONS: tuple[str, ...] = (
    "face_width", "face_height", "cheek_width", "jaw_width", "jaw_angle", "chin_width", "chin_height",
    "forehead_height", "forehead_width", "temple_width", "eye_distance", "eye_width", "eye_opening", "eye_slant",
    "eye_depth", "eye_height", "lid_fold", "brow_height", "brow_arch", "brow_slant", "brow_length", "brow_distance",
    "brow_ridge", "nose_width", "nose_length", "nose_bridge", "nose_tip", "nose_projection", "mouth_width",
    "mouth_height", "upper_lip", "lower_lip", "cupid_bow", "cheekbone", "cheek_fat", "lip_projection",
    "chin_projection", "ear_size",
)  # fmt: skip
"""Names of the proportion parameters; each is about standard normal over people of one sex."""

Colour = tuple[float, float, float]
"""Linear RGB reflectance, 0 to 1."""
HairStyle = Literal["cropped", "short", "side_parted", "receding", "bald", "bob", "long", "tied_back"]


@dataclass(frozen=True)
class Identity:
    """A person. Hashable, so that what depends on the person alone can be cached."""

    seed: int
    sex: Literal["female", "male"]
    age: float
    """Years, 18 to 68."""
    proportions: tuple[float, ...]
    """One value per entry of `PROPORTIONS`."""
    asymmetry: tuple[float, ...]
    """Four small static differences between the sides, in millimetres: brow, eye, mouth corner, nose."""
    skin: Colour
    blush: float
    """Redness of cheeks, nose and ears, 0 to 1."""
    freckles: float
    lip_colour: Colour
    iris: Colour
    hair_colour: Colour
    grey: float
    """Share of grey hair, 0 to 1."""
    hair_style: HairStyle
    hairline: float
    """Height of the hairline relative to the average, in millimetres; positive is higher."""
    brow_colour: Colour
    brow_thickness: float
    """Factor on the height of the brows."""
    brow_density: float
    stubble: float
    """Beard shadow, 0 to 1."""
    beard: Literal["none", "moustache", "goatee", "full"]
    clothes: Colour
    gain: float
    """Personal factor on every action unit."""
    unit_gains: tuple[tuple[int, float], ...]
    """Personal factor per action unit."""
    laterality: float
    """Personal asymmetry of movement: the left of the image moves by 1 + laterality, the right by 1 - laterality."""

    def proportion(self, name: str) -> float:
        """The parameter of that name, in standard deviations."""
        return self.proportions[PROPORTIONS.index(name)]


# Linear reflectance of skin from light to dark, and how often each stretch of the scale is drawn.
_SKINS = np.array(
    [
        [0.78, 0.52, 0.40],
        [0.70, 0.44, 0.32],
        [0.60, 0.36, 0.24],
        [0.46, 0.26, 0.16],
        [0.29, 0.15, 0.09],
        [0.16, 0.08, 0.05],
    ]
)
_HAIR: dict[str, Colour] = {
    "black": (0.018, 0.015, 0.014),
    "dark": (0.045, 0.028, 0.018),
    "brown": (0.12, 0.062, 0.032),
    "auburn": (0.22, 0.075, 0.03),
    "blond": (0.50, 0.33, 0.15),
    "light": (0.62, 0.47, 0.27),
}
_IRIS: dict[str, Colour] = {
    "brown": (0.09, 0.04, 0.018),
    "hazel": (0.17, 0.11, 0.04),
    "green": (0.16, 0.20, 0.11),
    "blue": (0.14, 0.24, 0.38),
    "grey": (0.22, 0.26, 0.30),
}
_CLOTHES: tuple[Colour, ...] = (
    (0.05, 0.06, 0.09), (0.20, 0.21, 0.23), (0.08, 0.16, 0.30), (0.32, 0.07, 0.07), (0.08, 0.20, 0.13),
    (0.5, 0.5, 0.48),
)  # fmt: skip
# Mean difference of men from women, in standard deviations.
_MALE = {
    "jaw_width": 0.7, "chin_width": 0.8, "chin_height": 0.6, "face_height": 0.5, "face_width": 0.5,
    "brow_ridge": 1.2, "brow_height": -0.8, "brow_arch": -0.8, "eye_opening": -0.5, "nose_width": 0.6,
    "nose_length": 0.4, "upper_lip": -0.7, "lower_lip": -0.6, "cheek_fat": -0.4, "brow_distance": -0.3,
    "nose_projection": 0.4, "mouth_width": 0.3,
}  # fmt: skip


def _pick(rng: np.random.Generator, table: dict[str, Colour], weights: tuple[float, ...]) -> Colour:
    name = list(table)[int(rng.choice(len(table), p=np.asarray(weights) / sum(weights)))]
    factor = np.exp(rng.normal(0, 0.12))
    return tuple(float(np.clip(value * factor, 0, 1)) for value in table[name])


def draw_identity(seed: int) -> Identity:
    """The person that belongs to a seed. Sexes, ages, skins and hair are spread widely; no two seeds share a face."""
    rng = np.random.default_rng(derive_seed("identity", seed))
    sex: Literal["female", "male"] = "female" if rng.random() < 0.5 else "male"
    male = sex == "male"
    age = float(18 + 50 * rng.beta(1.1, 2.2))
    sign = 0.5 if male else -0.5
    proportions = tuple(
        float(np.clip(rng.normal(0, 0.85) + sign * _MALE.get(name, 0.0), -2.2, 2.2)) for name in PROPORTIONS
    )
    place = float(rng.random() ** 1.15 * (len(_SKINS) - 1))
    skin = np.array([np.interp(place, np.arange(len(_SKINS)), _SKINS[:, channel]) for channel in range(3)])
    skin = skin * np.exp(rng.normal(0, 0.04, 3)) * np.exp(rng.normal(0, 0.05))
    fair = place < 1.6
    hair = _pick(rng, _HAIR, (2, 3, 3, 0.8, 1.6, 0.8) if fair else (6, 3, 0.8, 0, 0, 0))
    iris = _pick(rng, _IRIS, (2.5, 1.5, 1, 2, 1) if fair else (8, 1, 0.2, 0, 0))
    grey = float(np.clip((age - 50) / 22 + rng.normal(0, 0.12), 0, 0.85)) if age > 40 else 0.0
    styles: tuple[tuple[HairStyle, float], ...] = (
        (("cropped", 3), ("short", 4), ("side_parted", 3), ("receding", 1.2 if age > 35 else 0.3), ("bald", 0.6))
        if male
        else (("long", 4), ("bob", 3), ("tied_back", 3), ("short", 0.8))
    )
    weights = np.array([weight for _, weight in styles])
    style = styles[int(rng.choice(len(styles), p=weights / weights.sum()))][0]
    reddish = np.array([1.0, 0.62, 0.62]) if not male else np.array([0.96, 0.70, 0.68])
    lips = np.clip(skin * reddish * (0.92 + 0.12 * rng.random()), 0, 1)
    brow = np.array(hair) * (0.30 if sum(hair) > 0.5 else 0.75) * (1 + grey)
    stubble = float(np.clip(rng.normal(0.35, 0.3), 0, 1)) if male else 0.0
    beards: tuple[Literal["none", "moustache", "goatee", "full"], ...] = ("none", "moustache", "goatee", "full")
    beard = beards[int(rng.choice(4, p=(0.84, 0.04, 0.05, 0.07)))] if male else "none"
    clothes = _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    return Identity(
        seed=seed,
        sex=sex,
        age=age,
        proportions=proportions,
        asymmetry=tuple(float(value) for value in rng.normal(0, 0.35, 4)),
        skin=tuple(float(value) for value in np.clip(skin, 0.02, 0.95)),
        blush=float(rng.uniform(0.15, 0.7)),
        freckles=float(max(0.0, rng.normal(-0.3, 0.5))) if fair else 0.0,
        lip_colour=tuple(float(value) for value in lips),
        iris=iris,
        hair_colour=hair,
        grey=grey,
        hair_style=style,
        hairline=float(rng.normal(0, 4)),
        brow_colour=tuple(float(value) for value in brow),
        brow_thickness=float(np.clip(rng.normal(1.12 if male else 0.9, 0.13), 0.68, 1.5)),
        brow_density=float(np.clip(rng.normal(0.92, 0.06), 0.75, 1.0)),
        stubble=stubble,
        beard=beard,
        clothes=clothes,
        gain=float(np.clip(rng.normal(1.0, 0.08), 0.82, 1.18)),
        unit_gains=tuple((unit, float(np.clip(rng.normal(1.0, 0.12), 0.7, 1.3))) for unit in UNITS),
        laterality=float(rng.normal(0, 0.04)),
    )
