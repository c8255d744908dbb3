"""Values in files beside the memory of a session, so that they outlive the kernel.

    orders-1f0c2a9be0d3/all.5e8f…c1.parquet     folder: the asset; file: the partition and the data version
    model-77ab03c9e152/all.0b9d…4a.pickle

A file belongs to one data version, so a new value never writes over the old one, which goes when the log has the fact
about the new one. Files appear whole or not at all. They aren't forced to the disk: a kill can't harm them, and one
that a power failure did harm has a wrong checksum, and its value is computed again.

What isn't this user's, has no checksum of ours or a wrong one, is never loaded. No name holds a secret.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final, Protocol, TypeAlias

from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.events.files import doubt
from ipy_orch.execution.iomanagers.drafts import replacing
from ipy_orch.execution.iomanagers.pickles import compare_sum, dump, is_sealed, read_pickle
from ipy_orch.model.env import redact
from ipy_orch.model.keys import AssetKey

__all__ = ["DiskStore", "Form", "PickleForm", "Unfit"]

SMALL: Final = 1 << 16  # bytes of a file that is read whole to tell whether its value is there; larger ones when loaded
FORMERS: Final = 1  # versions kept beside the current one, for another kernel that may still read it
ABANDONED: Final = 86_400  # seconds after which a file that no fact speaks of belongs to nobody
READABLE: Final = 40  # characters of a name

Slot: TypeAlias = tuple[AssetKey, str | None]
Mark: TypeAlias = tuple[int, int, int]


class Unfit(Exception):
    """Say that a form can't keep a value so that it comes back the same."""


class Form(Protocol):
    """Be a way to keep values in files of one kind."""

    suffix: str

    def takes(self, value: object) -> bool:
        """Tell whether values of this type may be kept so."""
        ...

    def write(self, value: Any, file: IO[bytes], name: str) -> None:
        """Write a value to an open file, which has a name.

        Raises:
            Unfit: when it wouldn't come back the same.
            DagsterInvariantViolationError: when it can't be written.
        """
        ...

    def is_whole(self, file: IO[bytes], size: int) -> bool:
        """Tell whether a file looks as if it had been written to its end, without loading it."""
        ...

    def read(self, path: Path, name: str) -> Any:
        """Return the value in a file.

        Raises:
            Exception: whatever a damaged file leads to.
        """
        ...


class PickleForm:
    """Keep any value that can be pickled, with a checksum."""

    suffix = ".pickle"

    def takes(self, value: object) -> bool:  # noqa: ARG002 - that's for pickle to say
        """Tell that any value may be tried."""
        return True

    def write(self, value: Any, file: IO[bytes], name: str) -> None:
        """Write the pickle and its checksum."""
        dump(value, file, name)

    def is_whole(self, file: IO[bytes], size: int) -> bool:
        """Tell whether the checksum is there; of a small file, also whether it is right."""
        if not is_sealed(file):
            return False
        try:
            if size <= SMALL:
                compare_sum(file)
        except ValueError:
            return False
        return True

    def read(self, path: Path, name: str) -> Any:
        """Return the value in a file that has our checksum, is this user's, and is intact."""
        with path.open("rb") as file:
            if not is_sealed(file):
                raise DagsterInvariantViolationError(f"the file of `{name}` isn't one of ours", where=str(path))
        return read_pickle(path, name)


class DiskStore:
    """Keep values of assets in files below a folder, each under its data version.

    Args:
        folder: made when something is saved.
        forms: ways to keep a value, the preferred one first.
    """

    def __init__(self, folder: Path, forms: Sequence[Form] = (PickleForm(),)) -> None:
        self.folder, self.forms = folder, tuple(forms)
        self.looked_at: dict[Path, tuple[Mark, bool]] = {}
        self.places: dict[Slot, Path] = {}
        self.versions: dict[Slot, list[str]] = {}
        self.damaged: dict[str, str] = {}  #: asset -> why its file can't be used, until somebody tells it

    # -- values -------------------------------------------------------------------------------------------------------

    def has(self, key: AssetKey, partition: str | None, version: str) -> bool:
        """Tell whether the value of this version is there, by all that can be told without loading it."""
        return self.find(key, partition, version) is not None

    def has_each(self, key: AssetKey) -> Callable[[str, str], bool]:
        """Return what tells whether a partition of an asset is there in a version, by one look at its folder.

        Of a file that nobody has looked at yet it isn't known whether it is whole.
        """
        folder = self.place(key, "").parent
        names: set[str] = set()
        with contextlib.suppress(OSError):
            names = {name.rpartition(".")[0] for name in os.listdir(folder)}  # noqa: PTH208 - paths are slow to make
        names -= {path.name.rpartition(".")[0] for path, (_, sound) in self.looked_at.items() if not sound}
        return lambda partition, version: f"{self.place(key, partition).name}.{short(version, 16)}" in names

    def find(self, key: AssetKey, partition: str | None, version: str) -> tuple[Path, Form] | None:
        """Return the file of a value, where there is one to be trusted."""
        stem = self.stem(key, partition, version)
        for form in self.forms:
            path = stem.with_name(stem.name + form.suffix)
            try:
                status = path.stat()
            except OSError:
                continue
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self.looked_at.get(path)
            if known is None or known[0] != mark:
                known = self.looked_at[path] = (mark, is_sound(path, form))
                if not known[1]:
                    self.damaged[key.label] = "its file is damaged, or not yours alone to write"
            if known[1]:
                return path, form
        return None

    def load(self, key: AssetKey, partition: str | None, version: str) -> Any:
        """Return the value of this version.

        Raises:
            KeyError: when it isn't there, or can't be used; it isn't found from then on.
        """
        found = self.find(key, partition, version)
        if found is None:
            raise KeyError(key)
        path, form = found
        try:
            return form.read(path, key.label)
        except Exception as error:
            with contextlib.suppress(KeyError):
                self.looked_at[path] = (self.looked_at[path][0], False)
            self.damaged[key.label] = str(getattr(error, "message", error)).partition("\n")[0]
            raise KeyError(key) from error

    def save(self, key: AssetKey, partition: str | None, version: str, value: Any) -> str:
        """Store a value beside those of other versions; return why it can't be, "" when it is stored."""
        stem, name, why = self.stem(key, partition, version), key.label, ""
        for form in self.forms:
            if not form.takes(value):
                continue
            path = stem.with_name(stem.name + form.suffix)
            try:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with replacing(path, name, lasting=False) as file:
                    form.write(value, file, name)
            except Unfit:
                continue
            except (DagsterInvariantViolationError, OSError) as error:
                why = str(getattr(error, "message", error))
                break
            self.looked_at.pop(path, None)
            self.remove(stem, without=form)
            return ""
        self.remove(stem)
        return why or f"`{name}` can't be kept in a file"

    def settle(self, key: AssetKey, partition: str | None, version: str) -> None:
        """Have a version count as the current one, and let go of older ones."""
        versions = self.versions.setdefault((key, partition), [])
        if versions and versions[-1] == version:
            return
        versions[:] = [*(one for one in versions if one != version), version]
        while len(versions) > FORMERS + 1:
            self.remove(self.stem(key, partition, versions.pop(0)))

    def remove(self, stem: Path, without: Form | None = None) -> None:
        """Remove the files of one value, but the one of a form."""
        for form in self.forms:
            if form is not without:
                path = stem.with_name(stem.name + form.suffix)
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
                self.looked_at.pop(path, None)

    def drop(self, key: AssetKey, partition: str | None = None) -> None:
        """Let go of all versions of a value, or of all partitions of an asset."""
        place = self.place(key, partition)
        if partition is None:
            shutil.rmtree(place.parent, ignore_errors=True)
            self.versions = {slot: known for slot, known in self.versions.items() if slot[0] != key}
        else:
            self.versions.pop((key, partition), None)
            for path in files_of(place.parent):
                if path.name.startswith(f"{place.name}."):
                    path.unlink(missing_ok=True)

    def sweep(self, current: Iterable[tuple[AssetKey, str | None, str]]) -> None:
        """Remove files that no fact speaks of and nobody has touched for a day: older versions, what a kill left."""
        wanted = {self.stem(*one) for one in current}
        for folder in files_of(self.folder):
            for path in files_of(folder):
                with contextlib.suppress(OSError):
                    if path.with_suffix("") not in wanted and time.time() - path.stat().st_mtime > ABANDONED:
                        path.unlink()

    # -- names --------------------------------------------------------------------------------------------------------

    def stem(self, key: AssetKey, partition: str | None, version: str) -> Path:
        """Return the file of a value without its suffix."""
        place = self.place(key, partition)
        return place.with_name(f"{place.name}.{short(version, 16)}")

    def place(self, key: AssetKey, partition: str | None) -> Path:
        """Return where all versions of a value are: its folder, and how the files' names begin."""
        known = self.places.get((key, partition))
        if known is None:
            folder = f"{readable(key.label)}-{short(key.to_string())}"
            file = "all" if partition is None else f"{readable(partition)}-{short(partition)}"
            known = self.places[key, partition] = self.folder / folder / file
        return known


def is_sound(path: Path, form: Form) -> bool:
    """Tell whether a file is this user's and looks whole."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            return not doubt(status) and form.is_whole(file, status.st_size)
    except OSError:
        return False


def files_of(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, where there is one."""
    with contextlib.suppress(OSError):
        yield from list(folder.iterdir())


def short(text: Hashable, size: int = 6) -> str:
    """Return a short digest of a text."""
    return blake2b(str(text).encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def readable(text: str) -> str:
    """Return as much of a text as a file's name may hold, without secrets.

    >>> readable("sales/orders 2026")
    'sales_orders_2026'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", redact(text))[:READABLE].strip("_") or "_"
