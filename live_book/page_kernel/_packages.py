"""Import packages that are not there yet: each is fetched when a cell, or a helper, imports it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec


class PackageFinder:
    """Goes first in ``sys.meta_path``; brings a package and leaves its import to Python.

    Args:
        owners: for each top-level module the name of the package that holds it.
        bring: fetches and installs a package of that name; raises anything if it cannot.
    """

    def __init__(self, owners: dict[str, str], bring: Callable[[str], None]) -> None:
        self._owners = owners
        self._bring = bring

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        package = self._owners.get(name) if path is None else None
        if package is None:
            return None
        try:
            self._bring(package)
        except Exception as error:
            raise ImportError(
                f"{name} could not be downloaded. Check the connection and run the cell again.",
                name=name,
            ) from error
        self._owners = {key: one for key, one in self._owners.items() if one != package}
        importlib.invalidate_caches()
        return None

    def install(self) -> None:
        """Ask this finder before all others."""
        sys.meta_path.insert(0, self)
