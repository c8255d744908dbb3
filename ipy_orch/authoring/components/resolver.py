"""How one attribute becomes a value: `Resolver` stands in the annotation, ``Annotated[T, Resolver(function)]``."""

from __future__ import annotations

import enum
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from ipy_orch.authoring.components.form_config import ComponentFormConfig
from ipy_orch.authoring.components.templates import is_template
from ipy_orch.errors import DagsterError, ResolutionException

if TYPE_CHECKING:
    from ipy_orch.authoring.components.context import ResolutionContext

__all__ = ["Injected", "Model", "Resolver"]

T = TypeVar("T")
ResolveFn = Callable[["ResolutionContext", Any], Any]


class Model(BaseModel):
    """Be a pydantic model that refuses fields which it doesn't have, and may hold objects of any class."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Way(enum.Enum):
    """Be what a resolver starts from."""

    VALUE = "the field, given to a function"
    MODEL = "the whole model, given to a function"
    DEFAULT = "the field, with its templates resolved"
    AS_IS = "the field as it stands"


class Resolver:
    """Say how an attribute becomes the value of a field.

    Args:
        fn: takes the ResolutionContext and what was written, and returns the value.
        model_field_name: how the attribute is called, where that isn't the field's name.
        model_field_type: what is written; by default what the annotation says, or a template.
        description: for the schema.
        examples: for the schema.
        inject_before_resolve: resolve templates first; what they stand for is the value where it isn't text.
        json_schema_extra: for the schema.
        form_config: for forms that are made of the schema.

    Example:
        >>> from dataclasses import dataclass
        >>> from ipy_orch.authoring.components.resolvable import Resolvable
        >>> @dataclass
        ... class Limit(Resolvable):
        ...     rows: Annotated[int, Resolver(lambda context, text: int(text.strip("k")) * 1000, model_field_type=str)]
        >>> Limit.resolve_from_dict({"rows": "3k"})
        Limit(rows=3000)
    """

    def __init__(
        self,
        fn: ResolveFn,
        *,
        model_field_name: str | None = None,
        model_field_type: Any = None,
        description: str | None = None,
        examples: list[Any] | None = None,
        inject_before_resolve: bool = True,
        json_schema_extra: dict[str, Any] | None = None,
        form_config: ComponentFormConfig | None = None,
    ) -> None:
        self.fn, self.way = fn, Way.VALUE
        self.model_field_name, self.model_field_type = model_field_name, model_field_type
        self.description, self.examples = description, examples
        self.inject_before_resolve = inject_before_resolve
        self.json_schema_extra, self.form_config = json_schema_extra, form_config

    @staticmethod
    def from_model(fn: ResolveFn, **kwargs: Any) -> Resolver:
        """Return one whose function gets the whole model instead of one field."""
        made = Resolver(fn, **kwargs)
        made.way = Way.MODEL
        return made

    @staticmethod
    def default(
        *,
        model_field_name: str | None = None,
        model_field_type: Any = None,
        description: str | None = None,
        examples: list[Any] | None = None,
        json_schema_extra: dict[str, Any] | None = None,
        form_config: ComponentFormConfig | None = None,
    ) -> Resolver:
        """Return one that does what happens without any, with another name, type or description."""
        made = Resolver(
            lambda context, value: context.resolve_value(value),
            model_field_name=model_field_name,
            model_field_type=model_field_type,
            description=description,
            examples=examples,
            json_schema_extra=json_schema_extra,
            form_config=form_config,
        )
        made.way = Way.DEFAULT
        return made

    @staticmethod
    def passthrough(description: str | None = None, examples: list[Any] | None = None) -> Resolver:
        """Return one that takes what is written as it stands, templates too."""
        made = Resolver(lambda _, value: value, description=description, examples=examples)
        made.way = Way.AS_IS
        return made

    @property
    def is_default(self) -> bool:
        """Tell whether it does what happens without any."""
        return self.way is Way.DEFAULT

    @property
    def resolves_from_parent_object(self) -> bool:
        """Tell whether its function gets the whole model."""
        return self.way is Way.MODEL

    def execute(self, context: ResolutionContext, model: BaseModel, field_name: str) -> Any:
        """Return the value of a field of a model.

        Raises:
            ResolutionException: when its function raises.
        """
        written = model if self.way is Way.MODEL else getattr(model, self.model_field_name or field_name)
        return self.resolve(context.at_path(self.model_field_name or field_name), written)

    def resolve(self, context: ResolutionContext, written: Any) -> Any:
        """Return the value of what was written.

        Raises:
            ResolutionException: when its function raises.
        """
        if self.way is Way.VALUE and self.inject_before_resolve and is_template(written):
            written = context.resolve_value(written)
            if not isinstance(written, str):
                return written
        try:
            return self.fn(context, written)
        except DagsterError as error:
            raise error if error.where else error.at(context.where) from error.__cause__
        except Exception as error:
            told = "".join(traceback.format_exception_only(error)).strip()
            raise ResolutionException(f"its resolver raised {told}", where=context.where) from error


Injected = Annotated[T, Resolver.default(model_field_type=str, description="A template that gives the object.")]
