"""Show values and kept output in the cell that runs; and send what a step displays to the step.

Values go the way of ``display(...)``, not of ``Out``, so that IPython keeps no frame alive that the session evicts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.execution.capture import Chunk, Sink, current_sink, routed
from ipy_orch.execution.console import stream_of, text_of
from ipy_orch.model.env import redact_all
from ipy_orch.notebook.patches import Patch

__all__ = ["DisplayRoute", "is_kernel", "is_silenced", "show", "show_chunks", "show_value"]

INLINE: Final = "matplotlib_inline.backend_inline"


def is_kernel(ip: InteractiveShell) -> bool:
    """Tell whether a front end shows rich output, and not a terminal."""
    return getattr(ip, "kernel", None) is not None


def show(ip: InteractiveShell, html: str, text: str, **transient: Any) -> None:
    """Show a line of ours, without secrets: as HTML, with its text where there is none."""
    ip.display_pub.publish(redacted({"text/html": html, "text/plain": text}), {}, **transient)


def show_value(ip: InteractiveShell, value: Any) -> None:
    """Show a value as a cell that ends with it would; nothing for None."""
    if value is None:
        return
    formatter: Any = ip.display_formatter
    data, metadata = formatter.format(value)
    if data:
        ip.display_pub.publish(redacted(data), metadata)


def redacted(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a display without the value of any secret; the names of its types stay what they are."""
    return {kind: redact_all(content) for kind, content in data.items()}


def is_silenced(body: str) -> bool:
    """Tell whether a cell ends with a semicolon, which hides its value.

    >>> is_silenced("x;  # quiet"), is_silenced("x")
    (True, False)
    """
    return bool(DisplayHook.semicolon_at_end_of_expression(body))  # type: ignore[no-untyped-call]


def show_chunks(ip: InteractiveShell, chunks: Iterable[Chunk]) -> None:
    """Show again what a step printed and displayed."""
    for chunk in chunks:
        if chunk.kind == "display":
            ip.display_pub.publish(dict(chunk.data or {}), dict(chunk.metadata or {}))
        else:
            print(text_of(chunk), end="", file=getattr(sys, stream_of(chunk)), flush=True)


class DisplayRoute:
    """Send what is displayed inside a step to the step's sink, and live to the cell where the sink says so."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip
        self.kept: dict[int, dict[str, dict[str, Any]]] = {}
        self.own = ip.display_pub
        self.patches = self.patch(self.own)

    def patch(self, publisher: Any) -> list[Patch]:
        """Stand in front of a display publisher."""
        return [Patch(publisher, "publish", self.published), Patch(publisher, "clear_output", self.cleared)]

    def remove(self) -> None:
        """Let displays go where they went before."""
        for patch in self.patches:
            patch.remove()

    def published(
        self, behind: Callable[..., None], data: Any, metadata: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Publish, or keep with the step that runs here."""
        sink = current_sink()
        if sink is not None:
            name = (kwargs.get("transient") or {}).get("display_id")
            self.keep(sink, data, metadata, name, update=bool(kwargs.get("update")))
        if sink is None or sink.tee:
            behind(redacted(data) if routed() else data, metadata, *args, **kwargs)

    def keep(self, sink: Sink, data: Any, metadata: Any, name: str | None, *, update: bool) -> None:
        """Put a display into a step's output; an update takes the place of what it updates."""
        shown = self.kept.get(id(sink), {})
        if update and name is not None and name in shown:
            shown[name].clear()
            shown[name].update(data)
        elif not update:
            content = dict(data)
            sink.put(Chunk("display", data=content, metadata=dict(metadata or {})))
            if name is not None:
                shown[name] = content

    @staticmethod
    def cleared(behind: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Clear the cell, or what the step that runs here has shown."""
        sink = current_sink()
        if sink is not None:
            sink.clear()
        if sink is None or sink.tee:
            behind(*args, **kwargs)

    @contextmanager
    def around_step(self, _step: object = None) -> Iterator[None]:
        """Surround a step, where it runs: show the figures that it leaves open, as the end of a cell does."""
        sink, before = current_sink(), set(open_figures())
        self.kept[id(sink)] = {}
        # `capture_output` puts a publisher of its own in the place of the shell's
        extra = self.patch(self.ip.display_pub) if self.ip.display_pub is not self.own else []
        try:
            yield
        finally:
            show_figures(before)
            self.kept.pop(id(sink), None)
            for patch in extra:
                patch.remove()


def open_figures() -> Mapping[int, Any]:
    """Return the open figures of matplotlib by number, where they're shown inline."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or INLINE not in sys.modules:
        return {}
    if "inline" not in str(pyplot.get_backend()):
        return {}
    helpers: Any = sys.modules["matplotlib._pylab_helpers"]
    return dict(helpers.Gcf.figs)


def show_figures(before: Iterable[int]) -> None:
    """Show and close the figures that weren't open before."""
    new = {number: manager for number, manager in open_figures().items() if number not in before}
    if not new:
        return
    from IPython.display import display

    pyplot = sys.modules["matplotlib.pyplot"]
    for number, manager in sorted(new.items()):
        try:
            display(manager.canvas.figure)  # type: ignore[no-untyped-call]
        except Exception as error:
            print(f"a figure can't be drawn: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            pyplot.close(number)
