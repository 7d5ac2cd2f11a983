"""Which landmark backends there are; each is loaded when it is asked for, so that only its own packages are."""

from pathlib import Path

from fersnet.errors import UserError
from fersnet.faces.landmarks import LandmarkBackend


def prepare_backend(name: str, model_folder: str | None = None) -> None:
    """Make sure that the weight files of a backend are there, before any worker starts.

    Raises:
        UserError: naming the missing files, their checksums and where they go.
    """
    if name == "face_alignment":
        from fersnet.faces.face_alignment_backend import find_weights

        find_weights(model_folder)
    elif name == "dlib":
        from fersnet.faces.dlib_backend import find_predictor

        find_predictor()
    elif name != "annotations":
        raise UserError(f"faces.backend: unknown backend {name!r}; known are dlib, face_alignment, annotations")


def open_backend(name: str, root: Path, model_folder: str | None = None, device: str = "cpu") -> LandmarkBackend:
    """Load a backend by its name in the settings. There is no fallback from one backend to another.

    Args:
        name: `dlib`, `face_alignment` or `annotations`.
        root: Folder of the dataset, where `annotations` looks for landmark files.
        model_folder: Folder with the weights of `face_alignment`; None lets the library fetch its own.
        device: `cpu` or `cuda`, for `face_alignment`.

    Raises:
        UserError: if the backend is unknown or its weights are not there.
    """
    if name == "dlib":
        from fersnet.faces.dlib_backend import DlibBackend

        return DlibBackend()
    if name == "face_alignment":
        from fersnet.faces.face_alignment_backend import FaceAlignmentBackend

        return FaceAlignmentBackend(model_folder, device)
    if name == "annotations":
        from fersnet.faces.annotations_backend import AnnotationsBackend

        return AnnotationsBackend(root)
    raise UserError(f"faces.backend: unknown backend {name!r}; known are dlib, face_alignment, annotations")


def backend_files(name: str, root: Path, model_folder: str | None = None) -> list[Path]:
    """Files and folders of the user's, beside the pictures, that a backend reads; arguments as in `open_backend`."""
    if name == "annotations":
        from fersnet.faces.annotations_backend import find_landmark_folders

        return list(find_landmark_folders(root))
    if name == "face_alignment" and model_folder is not None:
        from fersnet.faces.face_alignment_backend import weight_files

        return weight_files(Path(model_folder))
    return []
