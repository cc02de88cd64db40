"""The converter of a folder: made from its settings, checked before anything is synced."""

from labelingest.converter import Converter
from labelingest.folders.settings import FolderSettings
from labelingest.formats import source_format
from labelingest.pipeline.from_config import make_converter
from labelingest.pipeline.row_layout import has_row_layouts
from labelingest.resolution.class_map import make_class_map

__all__ = ["make_folder_converter", "notice_of_namespace"]


def make_folder_converter(settings: FolderSettings, storage_url: str) -> Converter:
    """Make the converter of a folder's sidecars.

    Parameters
    ----------
    settings
        Settings of the folder, with a format.
    storage_url
        URL of the storage path.

    Raises
    ------
    ConfigError, OntologyError
        Ontology, class map and options contradict each other.
    """
    ontology, config = settings.load_ontology(), settings.config
    format = source_format(str(settings.format))
    mapping = None
    if format.needs_class_numbers:
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    layout = settings.layout if has_row_layouts(format.name) else None
    return make_converter(config, ontology, mapping, format.name, storage_url, layout)


def notice_of_namespace(settings: FolderSettings) -> str:
    """Return a notice of the namespaces of which no object can be used; "" where it does not matter.

    Parameters
    ----------
    settings
        Valid settings of a folder.
    """
    if settings.format is None or not source_format(settings.format).needs_class_numbers:
        return ""
    config = settings.config
    mapping = make_class_map(
        settings.load_ontology(), namespace=config.namespace, overrides=config.map
    )
    return "; ".join(mapping.namespace.notices()) if mapping.namespace else ""
