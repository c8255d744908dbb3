"""Conditions and freshness policies as JSON text: they are declared serializable, with the names of older versions."""

from __future__ import annotations

from ipy_orch.model import freshness
from ipy_orch.model.conditions import operands, operators, policies, relatives
from ipy_orch.model.serdes import KNOWN, serializable

__all__: list[str] = []

for room in (operands, operators, relatives):
    for name in room.__all__:
        one = getattr(room, name)
        if isinstance(one, type):
            serializable(one)
serializable(freshness.CronFreshnessPolicy)
serializable(freshness.FreshnessState)
serializable(freshness.TimeWindowFreshnessPolicy)
serializable(policies.AutoMaterializePolicy)
serializable(policies.AutoMaterializeRule)
serializable(policies.RuleCondition)

KNOWN.update(
    {
        "AndAssetCondition": operators.AndAutomationCondition,
        "OrAssetCondition": operators.OrAutomationCondition,
        "NotAssetCondition": operators.NotAutomationCondition,
        "InProgressAutomationCondition": operands.RunInProgressAutomationCondition,
        "FailedAutomationCondition": operands.ExecutionFailedAutomationCondition,
    }
)
