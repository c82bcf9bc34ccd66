"""Which modules are the project's own: those in the current folder that did not come with the file naming them."""

import importlib
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType


def place_of(module: str, file: Path) -> Path | None:
    """Where the project's own source of a module lies; none where the project has none, or `file` brought it along.

    Nothing is imported to find out. A folder is a package only with an `__init__.py`: somebody else's folder,
    unpacked among one's own data, is no part of the project.
    """
    root = Path.cwd().resolve()
    brought = [entry for path in (file.absolute(), file.resolve()) if (entry := _entry(path, root)) != path]
    importlib.invalidate_caches()
    folders, place, name = [str(root)], None, ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found = PathFinder.find_spec(name, folders) if part.isidentifier() else None
        if found is None or type(found.loader) is not SourceFileLoader or found.origin is None:
            return None
        place = Path(found.origin).resolve()
        entry = _entry(place, root)
        if entry is None or any(one is not None and one.samefile(entry) for one in brought):
            return None
        folders = found.submodule_search_locations or []
    return place


def lies_at(module: ModuleType, place: Path) -> bool:
    """Whether Python took a module from this place: it may know another one by that name."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == place


def _entry(path: Path, root: Path) -> Path | None:
    """What the current folder itself holds of a path: the file, or the folder that it lies in."""
    return root / path.relative_to(root).parts[0] if path.is_relative_to(root) and path != root else None
