from fersnet.datasets.index import read_index as read_index
from fersnet.faces.find import find_faces as find_faces
from fersnet.settings.load import load_settings as load_settings
from fersnet.use.model import load_model as load_model

__version__: str
__all__ = ["__version__", "find_faces", "load_model", "load_settings", "read_index"]
