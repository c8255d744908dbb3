"""The digest of any Python value: by content, with types, equal over processes and hash seeds.

    value -> expander (by type) -> its children, one after the other -> the bytes of the whole -> blake2b

Containers are taken apart by generators which one loop drives, so that neither depth nor cycles matter:

    ^n   the container n steps above (a cycle)
    @n   the n-th container that was finished with a cycle in it, met again
    #... the digest of a container

How each type is taken apart is in :mod:`~ipy_orch.planning.hashing.objects` and
:mod:`~ipy_orch.planning.hashing.arrays`. Functions and classes inside of a value are given to the ``follow`` function,
which the fingerprint supplies, so that the value changes with their code.
"""

from __future__ import annotations

import functools
from hashlib import blake2b
from typing import Final

from ipy_orch.planning.hashing.atoms import ATOMS, Content, Steps, Unhashable
from ipy_orch.planning.hashing.objects import CODE, Alone, Expander, Follow, expander_of, type_name
from ipy_orch.planning.hashing.rendering import short

__all__ = ["Digester", "Follow", "Unhashable", "digest", "short"]

_ENTANGLED: Final = 100_000


def digest(value: object, follow: Follow | None = None) -> str:
    """Return the digest of a value's content, 32 hex digits.

    Args:
        value: anything.
        follow: what to do with functions, classes and modules inside of it; by default their names count.

    Raises:
        Unhashable: it has no content that could be hashed (a generator, an open file, a lock).

    >>> digest({"a": [1, 2]}) == digest({"a": [1, 2]})
    True
    >>> len({digest(1), digest(1.0), digest(True), digest("1")})
    4
    """
    atom = ATOMS.get(type(value))
    if atom is not None:
        return blake2b(atom(value), digest_size=16).hexdigest()
    return Digester(follow).digest(value)


class Digester:
    """Digest several values and remember the containers they share.

    Use one only as long as nothing changes: what was digested once isn't looked at again.

    Args:
        follow: what to do with functions, classes and modules inside of values.
    """

    def __init__(self, follow: Follow | None = None) -> None:
        self.follow = follow
        self.known: dict[int, tuple[object, bytes]] = {}
        self._expanders: dict[type, Expander] = {}
        self._derived: dict[type, frozenset[str]] = {}

    def digest(self, value: object) -> str:
        """Return the digest of a value's content, 32 hex digits.

        Raises:
            Unhashable: it has no content that could be hashed.
        """
        return blake2b(_Walk(self).run(value), digest_size=16).hexdigest()

    def content(self, value: object) -> Content:
        """Return the bytes of a value, or the steps that lead to them."""
        cls = type(value)
        expander = self._expanders.get(cls)
        if expander is None:
            expander = self._expanders[cls] = expander_of(cls)
        return expander(self, value)

    def derived(self, cls: type) -> frozenset[str]:
        """Return the names of a class's cached properties: they follow from the rest of the state."""
        if cls not in self._derived:
            cached = functools.cached_property
            names = (name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, cached))
            self._derived[cls] = frozenset(names)
        return self._derived[cls]


class _Frame:
    """Hold one container while its children are encoded."""

    __slots__ = ("code", "cyclic", "mark", "nested", "steps", "value")

    def __init__(self, value: object, steps: Steps, mark: int) -> None:
        self.value, self.steps, self.mark = value, steps, mark
        self.code = self.cyclic = self.nested = False


class _Walk:
    """Take one value apart, from its root."""

    def __init__(self, digester: Digester) -> None:
        self.digester = digester
        self.frames: list[_Frame] = []
        self.path: dict[int, int] = {}
        self.with_code: dict[int, tuple[object, bytes]] = {}
        self.again: dict[int, tuple[int, object]] = {}
        self.trail: list[int] = []
        self.sets = self.entangled = 0

    def run(self, root: object) -> bytes:
        """Return the bytes of the root."""
        try:
            return self._run(root)
        except (Unhashable, MemoryError):
            raise
        except Exception as error:
            value = self.frames[-1].value if self.frames else root
            raise Unhashable(f"a `{type_name(type(value))}` has no content that can be hashed ({error})") from error

    def _run(self, root: object) -> bytes:
        answer = self.enter(root)
        while self.frames:
            frame = self.frames[-1]
            try:
                child = frame.steps.send(answer)  # type: ignore[arg-type]  # None starts a new frame
            except StopIteration as end:
                answer = self.leave(frame, end.value)
            else:
                answer = self.enter(child)
        assert answer is not None
        return answer

    def enter(self, value: object) -> bytes | None:
        """Return the bytes of a value, or None after a frame was opened for it."""
        atom = ATOMS.get(type(value))
        if atom is not None:
            return atom(value)
        mark = -1
        if type(value) is Alone:
            value, mark = value.item, len(self.trail)
            atom = ATOMS.get(type(value))
            if atom is not None:
                return atom(value)
        met = self._met(value)
        return met if met is not None else self._open(value, mark)

    def _met(self, value: object) -> bytes | None:
        """Return what stands for a container that was met before."""
        key = id(value)
        if key in self.digester.known:
            return self.digester.known[key][1]
        if key in self.with_code:
            self.frames[-1].code = True
            return self.with_code[key][1]
        if key in self.path:
            self.frames[-1].cyclic = True
            return b"^%d;" % (len(self.frames) - self.path[key])
        if key in self.again:
            self.frames[-1].cyclic = True
            return b"@%d;" % self.again[key][0]
        return None

    def _open(self, value: object, mark: int) -> bytes | None:
        content = self.digester.content(value)
        is_code = issubclass(type(value), CODE)
        if isinstance(content, bytes):
            if is_code and self.frames:
                self.frames[-1].code = True
            return _token(content)
        frame = _Frame(value, content, mark)
        frame.code = is_code
        self.path[id(value)] = len(self.frames)
        self.frames.append(frame)
        self.sets += mark >= 0
        return None

    def leave(self, frame: _Frame, content: bytes) -> bytes:
        """Close a frame, and remember what is worth it."""
        self.frames.pop()
        token = _token(content)
        del self.path[id(frame.value)]
        if self.frames:
            above = self.frames[-1]
            above.nested = True
            above.code |= frame.code
            above.cyclic |= frame.cyclic
        self._remember(frame, token, len(content))
        if frame.mark >= 0:
            self.sets -= 1
            while len(self.trail) > frame.mark:
                del self.again[self.trail.pop()]
        return token

    def _remember(self, frame: _Frame, token: bytes, size: int) -> None:
        """Remember a container; one with code in it for this value only, so that ``follow`` sees it in the next too."""
        if frame.cyclic:
            self._number(id(frame.value), frame.value)
        elif frame.code:
            self.with_code[id(frame.value)] = (frame.value, token)
        elif frame.nested or size > 4096 or hasattr(type(frame.value), "shape"):
            self.digester.known[id(frame.value)] = (frame.value, token)

    def _number(self, key: int, value: object) -> None:
        """Give a number to a container that has a cycle in it; in sets it is forgotten again."""
        self.again[key] = (len(self.trail), value)
        self.trail.append(key)
        self.entangled += self.sets > 0
        if self.entangled > _ENTANGLED:
            raise Unhashable("objects that refer to one another through sets are too entangled to be hashed")


def _token(content: bytes) -> bytes:
    return b"#" + blake2b(content, digest_size=16).digest()
