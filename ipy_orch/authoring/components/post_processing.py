"""``post_processing``: what is said of a component's assets after it has built them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel

from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Resolver
from ipy_orch.authoring.components.specs import AssetsDefUpdateKwargs
from ipy_orch.errors import DagsterInvalidSubsetError
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.port import Port
from ipy_orch.model.specs import AssetSpec

__all__ = ["AssetPostProcessor", "AssetPostProcessorModel", "PostProcessor", "apply_post_processor_to_defs"]

# All assets that a selection names, external ones among them.
targeted: Port[[Definitions, str], frozenset[AssetKey]] = Port("ipy_orch.planning.targets")

PostProcessor = Callable[[Definitions], Definitions]
MERGED: Final = ("deps", "metadata", "owners", "tags", "kinds")
ChangedAttributes: Any = AssetsDefUpdateKwargs.model()


@dataclass
class AssetPostProcessorModel(Resolvable):
    """Be what is written of it: which assets, and what is said of them."""

    attributes: Annotated[
        Any,
        Resolver(
            lambda _, written: written,
            inject_before_resolve=False,
            model_field_type=ChangedAttributes,
            description="What is said of the assets; templates know each as `asset`.",
        ),
    ]
    target: Annotated[str, Resolver.default(description="A selection, `*` for all.")] = "*"
    operation: Annotated[
        Literal["merge", "replace"], Resolver.default(description="Whether tags, metadata, ... are added or replaced.")
    ] = "merge"


def apply_post_processor_to_defs(model: BaseModel, defs: Definitions, context: ResolutionContext) -> Definitions:
    """Return definitions in which the assets that a post-processor targets are changed."""
    return post_processor(context, model)(defs)


def post_processor(context: ResolutionContext, model: BaseModel) -> PostProcessor:
    """Return what changes the assets of definitions, as the model says.

    Raises:
        DagsterInvalidSubsetError: when it's called, where the target names what isn't there.
    """
    said = AssetPostProcessorModel.resolve_from_model(context, model)

    def process(defs: Definitions) -> Definitions:
        change = changing(context, said)
        try:
            keys = targeted(defs, said.target)
        except DagsterInvalidSubsetError as error:
            raise error.at(context.at_path("target").where) from None
        return defs.permissive_map_resolved_asset_specs(lambda spec: change(spec) if spec.key in keys else spec)

    return process


def changing(context: ResolutionContext, said: AssetPostProcessorModel) -> Callable[[AssetSpec], AssetSpec]:
    """Return the function that changes one spec."""

    def change(spec: AssetSpec) -> AssetSpec:
        inner = context.at_path("attributes").with_scope(asset=spec)
        made = vars(AssetsDefUpdateKwargs.resolve_from_model(inner, said.attributes))
        new = {name: made[name] for name in said.attributes.model_fields_set}
        if said.operation == "replace":
            return spec.replace_attributes(**new)
        merged = {name: new.pop(name) for name in MERGED if name in new}
        return spec.merge_attributes(**merged).replace_attributes(**new)

    return change


AssetPostProcessor: TypeAlias = Annotated[
    PostProcessor,
    Resolver(
        post_processor,
        inject_before_resolve=False,
        model_field_type=AssetPostProcessorModel.model(),
        description="What is said of some of the assets afterwards.",
    ),
]
