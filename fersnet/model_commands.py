"""The commands that use a trained model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from fersnet.command import one_line_errors
from fersnet.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

    from fersnet.use.model import TrainedModel

Model = Annotated[
    str,
    typer.Option(help="A checkpoint.pt of a FERSNet variant, or an MLflow URI: models:/<id>, runs:/<run id>/model."),
]
Store = Annotated[Path, typer.Option(help="Run whose store has the model of an MLflow URI; MLFLOW_TRACKING_URI wins.")]
Backend = Annotated[
    str | None, typer.Option(help="Landmark backend, dlib or face_alignment, instead of the one of the training faces.")
]
Landmarks = Annotated[str | None, typer.Option(help="Folder with the weight files of face_alignment.")]


def describe(
    model: Annotated[
        str | None, typer.Option(help="Print the card of this model: a checkpoint.pt or an MLflow URI.")
    ] = None,
    results: Store = Path("results/embedded"),
    width: Annotated[int, typer.Option(help="Base width w.")] = 64,
    size: Annotated[int, typer.Option(help="Side of the image.")] = 96,
    channels: Annotated[int, typer.Option(help="1 grey, 3 colour.")] = 3,
    classes: Annotated[int, typer.Option(help="Number of expressions.")] = 6,
    sharing: Annotated[str, typer.Option(help="What the two tasks share, as in `variants`.")] = "convflu",
    kernel: Annotated[int, typer.Option(help="Kernel size of the ConvFLUs.")] = 1,
) -> None:
    """The card of a trained model; without one, parameters and floating-point operations of networks."""
    with one_line_errors():
        if model is not None:
            print(_card(model, results), end="")
            return
        from fersnet.models import describe as networks
        from fersnet.settings.training import Sharing

        if sharing not in get_args(Sharing):
            raise UserError(f"--sharing: {sharing!r} is not one of {', '.join(get_args(Sharing))}")
        for name, cost in networks.describe(width, size, channels, classes, sharing, kernel).items():
            print(f"{name:24} {cost.parameters / 1e6:8.2f} M parameters {cost.flop / 1e9:8.2f} GFLOP per image")


def _card(model: str, results: Path) -> str:
    from tempfile import TemporaryDirectory

    from fersnet.use.store import fetch_checkpoint, find_card, store_uri

    with TemporaryDirectory() as folder:
        checkpoint = fetch_checkpoint(model, store_uri(results), Path(folder))
        if not checkpoint.is_file():
            raise UserError(f"{checkpoint}: no such file; train the model first or correct the path")
        return find_card(checkpoint).read_text(encoding="utf-8")


def predict(
    images: Annotated[
        list[str],
        typer.Argument(help="Image files, each with one or more faces; or one film; or the number of a camera."),
    ],
    model: Model,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, a list with an entry per face, in the order of the images.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="CSV file to write; a film needs one.")] = None,
    annotated: Annotated[Path | None, typer.Option(help="MP4 file to write: the film with its faces drawn in.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Look at each so many-th frame of a film.")] = 1,
    results: Store = Path("results/embedded"),
    backend: Backend = None,
    landmark_models: Landmarks = None,
) -> None:
    """Probabilities of the expressions of faces; each face is found and aligned first.

    The answers come in the order of the images, and for each of them from the largest face to the smallest. An image
    that cannot be used has the reason as its answer, and makes the exit status 1. Of a film every frame and face has a
    row, and a face keeps its number from frame to frame; Ctrl-C ends a camera.
    """
    import json

    with one_line_errors():
        from fersnet.use.film import film_or_camera
        from fersnet.use.model import load_model

        films = [source for source in images if film_or_camera(source)]
        if films and len(images) > 1:
            raise UserError(f"{films[0]}: films and cameras are read one at a time; give it alone")
        if films and out is None:
            raise UserError(f"{films[0]}: a film has many rows; say where they go, --out faces.csv")
        if not films and (annotated is not None or every != 1):
            raise UserError("--annotated and --every are for films; give one, e.g. clip.mp4")
        trained = load_model(model, results=results, backend=backend, landmark_models=landmark_models)
        if films and out is not None:
            _watch(trained, films[0], out, every, annotated)
            return
        table = trained.predict(images)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            table.to_csv(out, index=False)
        if as_json:
            print(json.dumps(_entries(table, trained.expressions), indent=1))
        elif out is None:
            _print_faces(table, trained.expressions)
        failed = len(images) - table.loc[table["error"].isna(), "picture"].nunique()
        if failed:
            raise UserError(f"{failed} of {len(images)} images could not be used; see their answers")


def _watch(trained: "TrainedModel", source: str, out: Path, every: int, annotated: Path | None) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fersnet.use.watch import watch

    screen = Console(stderr=True)
    columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A pipe gets the last line only.
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("frames", total=None)
        seen = watch(
            trained, source, out, every=every, annotated=annotated,
            on_progress=lambda done, frames: progress.update(task, completed=done, total=frames),
        )  # fmt: skip
    print(f"{out}: {seen.frames} frames, {seen.faces} faces followed, {seen.rows} rows")
    if not seen.rows:
        raise UserError(f"{source}: no face found in {seen.frames} frames; give a film with frontal faces")


def _entries(table: "DataFrame", expressions: tuple[str, ...]) -> list[dict]:
    """An entry per face: `image`, `face`, `box`, `quality`, `predicted`, `probabilities`, `trained_on`; or `error`."""
    from fersnet.use.table import BOX

    entries = []
    for row in table.to_dict("records"):
        entry = {"image": row["file"]}
        if row["error"] is None:
            entry |= {"face": row["face"], "box": [round(row[side], 1) for side in BOX], "quality": row["quality"]}
            entry |= {"predicted": row["predicted"], "probabilities": {name: row[f"p_{name}"] for name in expressions}}
            entry |= {"trained_on": row["trained_on"]}
        entries.append(entry | ({} if row["error"] is None else {"error": row["error"]}))
    return entries


def _print_faces(table: "DataFrame", expressions: tuple[str, ...]) -> None:
    width = max(map(len, (*table["file"], "image")))
    print(f"{'image':{width}}", "face", *(f"{name:>9}" for name in ("predicted", *expressions)), sep="  ")
    for row in table.to_dict("records"):
        face = "" if row["face"] is None else row["face"]
        said = [row["error"]]
        if row["error"] is None:
            said = [f"{row['predicted']:>9}", *(f"{row[f'p_{name}']:9.3f}" for name in expressions)]
        print(f"{row['file']:{width}}", f"{face:>4}", *said, sep="  ")


def synthesize(
    image: Annotated[Path, typer.Argument(help="Image file with one frontal face.")],
    model: Model,
    expression: Annotated[
        str, typer.Option(help="An expression, or `all`: the input and every expression side by side.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG or JPEG file to write.")],
    results: Store = Path("results/embedded"),
    backend: Backend = None,
    landmark_models: Landmarks = None,
) -> None:
    """A face with another expression, at the network's own size; the face is found and aligned first."""
    with one_line_errors():
        from fersnet.embedded.files import write_image
        from fersnet.embedded.mark import SYNTHETIC
        from fersnet.use.model import ALL, check_expression, load_model

        check_expression(expression)
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise UserError(f"{out}: cannot tell the kind of picture; give a name that ends in .png or .jpg")
        trained = load_model(model, results=results, backend=backend, landmark_models=landmark_models)
        (picture,) = trained.synthesize(image, expression)
        write_image(out, picture, remark=SYNTHETIC)
        shown = ("input", *trained.targets) if expression == ALL else (expression,)
        print(f"{out}: {', '.join(shown)}")


def demo(
    model: Annotated[
        str, typer.Option(help="A checkpoint.pt, an MLflow URI, or the folder of a run, whose models can be switched.")
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any other than this machine's own lets others in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    results: Store = Path("results/embedded"),
    backend: Backend = None,
    landmark_models: Landmarks = None,
) -> None:
    """A page on this machine to try a model on pictures. Nothing is stored, and nothing is sent anywhere."""
    import importlib.util

    with one_line_errors():
        if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn")):
            raise UserError("the page needs Starlette and uvicorn; install them: pip install 'fersnet[demo]'")
        from fersnet.demo.finder import Finder
        from fersnet.settings.data import FacesSettings

        with Finder(FacesSettings()) as finder:
            from fersnet.demo.models import Models
            from fersnet.demo.server import serve

            models = Models(model, results=results, backend=backend, landmark_models=landmark_models)
            serve(models, finder.find, host, port)
