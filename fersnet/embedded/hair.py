"""Hair of the head and the brows: where it grows, how its strands run, how it shines."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from fersnet.embedded.canvas import ANGLES, Canvas, Field, bell, canvas_at, ramp, slope_factor, smooth_curve
from fersnet.embedded.identity import Identity
from fersnet.embedded.shape import Face, Side
from fersnet.seeds import derive_seed


@dataclass(frozen=True)
class Cut:
    """A hair style in numbers; millimetres, and fractions of the skull's radius by angle from the top."""

    top: float
    """Thickness over the top."""
    sides: float
    """Thickness beside the ears."""
    line: tuple[float, ...]
    """Hairline at 0, 20, 35, 45, 55, 70, 90 and 105 degrees from straight up, as a fraction of the skull's radius."""
    part: float
    """x of the point from which the strands run."""
    skew: float
    """How much lower the hairline is on the one side than on the other, as a fraction."""
    curtain: float
    """Lowest point of hair that hangs beside the face; 0 for none."""
    fringe: float
    """Irregularity of the hairline, as a fraction."""


_CUTS: dict[str, Cut] = {
    "cropped": Cut(4.5, 2.5, (0.665, 0.675, 0.695, 0.755, 0.84, 0.905, 0.965, 1.06), 0.0, 0.0, 0, 0.006),
    "short": Cut(14.0, 6.0, (0.640, 0.645, 0.675, 0.745, 0.835, 0.895, 0.945, 1.03), 8.0, 0.02, 0, 0.016),
    "side_parted": Cut(16.0, 6.0, (0.660, 0.665, 0.680, 0.745, 0.835, 0.900, 0.950, 1.04), -30.0, 0.05, 0, 0.012),
    "receding": Cut(5.0, 5.0, (0.775, 0.815, 0.850, 0.865, 0.875, 0.905, 0.95, 1.05), 0.0, 0.0, 0, 0.010),
    "bald": Cut(0.0, 1.5, (1.10, 1.10, 1.08, 1.04, 0.98, 0.945, 0.965, 1.06), 0.0, 0.0, 0, 0.006),
    "bob": Cut(15.0, 13.0, (0.625, 0.635, 0.665, 0.725, 0.800, 0.860, 0.925, 0.960), -14.0, 0.03, 96.0, 0.007),
    "long": Cut(13.0, 12.0, (0.745, 0.725, 0.725, 0.755, 0.805, 0.865, 0.930, 0.965), 3.0, 0.0, 150.0, 0.006),
    "tied_back": Cut(9.0, 4.0, (0.665, 0.675, 0.700, 0.755, 0.835, 0.900, 0.955, 1.05), 0.0, 0.0, 0, 0.006),
}
_LINE_ANGLES = np.array((0.0, 20, 35, 45, 55, 70, 90, 105))


@dataclass(frozen=True, eq=False)
class Hair:
    """A person's hair on a canvas."""

    mask: Field
    """(H, W) soft cover of the head."""
    outside: Field
    """(H, W) soft cover of what hangs beside the face, beyond the outline of the head."""
    behind: Field
    """(H, W) soft cover of what is seen behind the neck."""
    volume: Field
    """(ANGLES,) thickness over the skull by angle, millimetres."""
    albedo: Field
    """(H, W, 3)."""
    relief: Field
    """(H, W) millimetres."""
    flow: tuple[Field, Field]
    """Unit direction (x, y) of the strands."""


def _from_top() -> Field:
    """Signed angle from straight up by table entry, degrees; negative on the left of the image."""
    angle = np.arange(ANGLES) * (360.0 / ANGLES)
    return ((angle - 270 + 180) % 360 - 180).astype(np.float32)


def hair_volume(identity: Identity) -> Field:
    """Thickness of the hair over the skull by angle, (ANGLES,) millimetres."""
    cut, off = _CUTS[identity.hair_style], np.abs(_from_top())
    return smooth_curve(
        np.array(
            [(0, cut.top), (40, 0.85 * cut.top + 0.15 * cut.sides), (75, cut.sides), (98, cut.sides * 0.8), (112, 0)]
        ),
        off,
    )


@lru_cache(maxsize=12)
def hair_of(identity: Identity, scale: float, reach: tuple[float, ...]) -> Hair:
    """The person's hair. `reach` is the radius of the bare skull at 64 angles. Shared: do not change the arrays."""
    canvas, cut = canvas_at(scale), _CUTS[identity.hair_style]
    rng = np.random.default_rng(derive_seed("hair", identity.seed))
    skull = np.interp(np.arange(ANGLES), np.arange(64) * (ANGLES / 64), reach, period=ANGLES).astype(np.float32)
    texture = _strand_texture(rng)
    strand, run, flow = _strands(canvas, cut)
    grain = cv2.remap(texture, strand, run, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)

    signed = _from_top()
    side = -1.0 if identity.seed % 2 else 1.0
    line = smooth_curve(np.column_stack([_LINE_ANGLES, cut.line]), np.abs(signed))
    line = (
        line
        + 0.006 * identity.hairline * bell(signed, 50)
        + side * cut.skew * np.sin(np.radians(signed)) * bell(signed, 40)
    )
    limit = (line * skull)[canvas.turn] + grain * np.float32(cut.fringe * 100)
    mask = (
        ramp(canvas.radius - limit, 3.6 + 120 * cut.fringe)
        if cut.top or cut.sides
        else np.zeros(canvas.shape, np.float32)
    )
    x, y = np.abs(canvas.x)[None, :], canvas.y[:, None]
    mask = mask * ramp(30 - y, 8) * ramp(24 - y - 0.35 * (74 - x), 10)
    outside = np.zeros(canvas.shape, np.float32)
    behind = np.zeros(canvas.shape, np.float32)
    if cut.curtain:
        inner = smooth_curve(np.array([(-60, 60), (-20, 68.5), (20, 71), (60, 70), (95, 62), (150, 58)]), canvas.y)[
            :, None
        ]
        outer = smooth_curve(
            np.array([(-60, 84), (-20, 90), (30, 93), (80, 92), (cut.curtain, 84 if cut.curtain < 100 else 90)]),
            canvas.y,
        )[:, None]
        hang = (
            ramp(x + 0.9 * grain - inner, 3.5)
            * ramp(outer + 0.8 * grain - x, 3.0)
            * ramp(y + 40, 30)
            * ramp(cut.curtain + 4 * grain - y, 8)
        )
        outside = hang.astype(np.float32)
        behind = (ramp(outer - 2 - x, 4) * ramp(y - 20, 20) * ramp(cut.curtain - 3 + 4 * grain - y, 8)).astype(
            np.float32
        )

    colour = np.array(identity.hair_colour, np.float32)
    grey = np.float32(identity.grey) * np.clip(0.75 + 0.12 * grain, 0, 1)[..., None]
    albedo = (colour * (1 - grey) + np.array((0.42, 0.41, 0.40), np.float32) * grey) * np.clip(
        1 + 0.22 * grain, 0.35, 1.9
    )[..., None]
    relief = grain * np.float32(0.06)
    return Hair(
        mask.astype(np.float32),
        outside,
        behind,
        hair_volume(identity),
        albedo.astype(np.float32),
        relief.astype(np.float32),
        flow,
    )


def _strand_texture(rng: np.random.Generator) -> Field:
    """Noise in two octaves, long along its rows; unit deviation; wraps around."""
    total = np.zeros((512, 512), np.float32)
    for rows, columns, weight in ((160, 8, 0.7), (48, 4, 0.9)):
        small = np.pad(rng.standard_normal((rows, columns), dtype=np.float32), 2, mode="wrap")
        layer = cv2.resize(small, None, fx=512 / columns, fy=512 / rows, interpolation=cv2.INTER_CUBIC)
        top, left = 2 * 512 // rows, 2 * 512 // columns
        layer = layer[top : top + 512, left : left + 512]
        total += weight * layer / layer.std()
    return total / total.std()


def _strands(canvas: Canvas, cut: Cut) -> tuple[Field, Field, tuple[Field, Field]]:
    """Coordinates along (columns) and across (rows) the strands of the texture, and the strands' direction."""
    x, y = canvas.x[None, :] - np.float32(cut.part), canvas.y[:, None]
    if cut.curtain:
        # Straight hair: strands spread from the parting over the dome, then hang.
        spread = np.sqrt(np.maximum(1 - ((y + 20) / -104) ** 2, 0.02))
        spread = np.where(y < -20, spread, np.float32(1.0))
        lane = x / spread
        slope = np.gradient(spread, axis=0) * canvas.scale
        flow_x, flow_y = lane * slope, np.ones(canvas.shape, np.float32)
        run, rows = np.broadcast_to(y * 1.0, canvas.shape), lane * 1.5
    else:
        crown = y + np.float32(118.0)
        angle = np.arctan2(x, crown + 12)
        flow_x, flow_y = np.broadcast_to(x, canvas.shape), np.broadcast_to(crown + 12, canvas.shape)
        rows, run = angle * np.float32(512 / (2 * np.pi) * 2), np.hypot(x, crown + 12)
    length = np.hypot(flow_x, flow_y) + np.float32(1e-3)
    flow = ((flow_x / length).astype(np.float32), (flow_y / length).astype(np.float32))
    return (run % 512).astype(np.float32), (rows % 512).astype(np.float32), flow


@lru_cache(maxsize=32)
def _brow_texture(seed: int) -> Field:
    rng = np.random.default_rng(derive_seed("brow", seed))
    noise = cv2.GaussianBlur(rng.standard_normal((96, 256), dtype=np.float32), (0, 0), 9.0, sigmaY=1.0)
    return noise / noise.std()


def draw_brow(canvas: Canvas, height: Field, albedo: Field, face: Face, side: Side) -> None:
    """Paints one brow along its five landmarks, hair by hair, in place."""
    identity, points = face.identity, side.points
    spine = points[[17, 18, 19, 20, 21]].astype(np.float64)
    spine = spine[np.argsort(spine[:, 0])]
    left, right = float(spine[0, 0]), float(spine[-1, 0])
    window = canvas.window(left - 5, right + 5, float(spine[:, 1].min()) - 7, float(spine[:, 1].max()) + 9)
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    if len(x) < 3 or len(y) < 3:
        return
    extended = np.vstack([spine[0] - (spine[1] - spine[0]), spine, spine[-1] + (spine[-1] - spine[-2])])
    middle = smooth_curve(extended, x) + np.float32(1.1)
    # 0 at the outer end, 1 at the inner one.
    along = np.clip((x - points[17, 0]) / (points[21, 0] - points[17, 0]), -0.2, 1.2)
    half = identity.brow_thickness * smooth_curve(
        np.array([(-0.2, 1.2), (0, 1.8), (0.3, 2.6), (0.7, 3.2), (1.0, 3.2), (1.15, 2.6)]), along
    )
    lean = slope_factor(middle, canvas.scale)
    across = (y - middle) * lean
    texture = _brow_texture(identity.seed)
    # Hairs rise from the inner end and lie flat at the outer one.
    tilt = 0.35 + 1.3 * np.clip(along, 0, 1) ** 2
    rows = (along * 64 + across * tilt * 0.9) % 96
    columns = np.broadcast_to(128 + across * 7.0, rows.shape)
    grain = cv2.remap(
        texture, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    ends = ramp(along + 0.14, 0.14) * ramp(1.03 - along, 0.14)
    core = np.exp(-(np.abs(across / np.maximum(half, 0.4)) ** 3.0))
    cover = np.clip(core * (1.0 + 0.10 * grain) * identity.brow_density, 0, 1) * ends
    colour = np.array(identity.brow_colour, np.float32)
    albedo[window] = albedo[window] * (1 - cover[..., None]) + colour * cover[..., None]
    height[window] += (0.5 + 0.15 * grain) * core * ends
