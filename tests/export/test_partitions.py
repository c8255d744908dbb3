"""Partitions of cells in the module: as a colleague would have written them, and as real dagster understands them."""

from __future__ import annotations

from pathlib import Path

from tests.export.notebooks import Notebook, run_clean

CELLS = (
    """from ipy_orch import DailyPartitionsDefinition, LastPartitionMapping
DAYS = DailyPartitionsDefinition('2024-01-01', end_date='2024-02-01')
LATEST = LastPartitionMapping()
UNUSED = 1""",
    "%%asset raw --partitions daily:2024-01-01..2024-01-31\ncontext.partition_key",
    "#| asset: orders\n#| partitions: DAYS\n#| partition: 2024-01-05\nraw * 2",
    "%%asset region --partitions static:north,south --partition-mapping raw=LATEST --backfill 5\nraw",
    "%%asset grid --partitions day=daily:2024-01-01..2024-01-31;area=static:a,b --backfill all\n1",
    "%%asset work --partitions 'cron:0 6 * * 1-5:2024-01-01@Europe/Berlin'\n1",
    "%%asset customer --partitions dynamic:customers\n1",
    "%%asset rolling --partitions daily:2024-01-01..2024-01-31 --partition-mapping orders=-6..0 --deps orders\n1",
    "%%asset total\nlen(orders)",
)
ASK = """
import dagster as dg
import definitions as d
dg.Definitions.validate_loadable(d.defs)
graph = d.defs.resolve_asset_graph()
for name in ("raw", "orders", "region", "grid", "work", "customer", "rolling"):
    cut = graph.get(dg.AssetKey(name)).partitions_def
    keys = [] if name == "customer" else cut.get_partition_keys()
    print(name, type(cut).__name__, *keys[:1], *(keys[-1:] if name != "work" else []))
print(d.region.backfill_policy.max_partitions_per_run, d.grid.backfill_policy.policy_type.name)
mapping = graph.get(dg.AssetKey("rolling")).partition_mappings[dg.AssetKey("orders")]
print(mapping.start_offset, mapping.end_offset)
with dg.instance_for_test() as instance:
    for key in ("2024-01-05", "2024-01-31"):
        made = dg.materialize([d.raw, d.orders], partition_key=key, instance=instance)
        print(made.asset_value("orders"))
    made = dg.materialize([d.raw, d.region], selection="region", partition_key="north", instance=instance)
    print(made.asset_value("region"))
"""


def test_dagster_understands_it(tmp_path: Path) -> None:
    """The same partitions, mappings and policies; what it makes of a partition is what the cell makes."""
    text = Notebook(*CELLS).export("dagster")
    (tmp_path / "definitions.py").write_text(text)
    assert run_clean(ASK, tmp_path).splitlines() == [
        "raw DailyPartitionsDefinition 2024-01-01 2024-01-31",
        "orders DailyPartitionsDefinition 2024-01-01 2024-01-31",
        "region StaticPartitionsDefinition north south",
        "grid MultiPartitionsDefinition a|2024-01-01 b|2024-01-31",
        "work TimeWindowPartitionsDefinition 2024-01-01",
        "customer DynamicPartitionsDefinition",
        "rolling DailyPartitionsDefinition 2024-01-01 2024-01-31",
        "5 SINGLE_RUN",
        "-6 0",
        "2024-01-052024-01-05",
        "2024-01-312024-01-31",
        "2024-01-31",
    ]


def test_it_reads_as_if_written_by_hand() -> None:
    """Nothing is imported that isn't used; variables of the notebook stay what they are."""
    text = Notebook(*CELLS).export("ipy_orch")
    assert "from ipy_orch import (\n    AssetDep," in text
    assert "@asset(partitions_def=DAYS)\ndef orders(raw):\n    return raw * 2" in text
    assert 'ins={"raw": AssetIn(partition_mapping=LATEST)},' in text
    assert 'partitions_def=StaticPartitionsDefinition(["north", "south"]),' in text
    assert "UNUSED" not in text
    assert "HourlyPartitionsDefinition" not in text
    assert "partition=" not in text.replace("_partition=", "")
