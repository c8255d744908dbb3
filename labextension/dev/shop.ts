/** A small shop whose lineage has something of everything. */

import type { DetailsMessage, Node, Snapshot } from "../src/protocol.js";
import { flights, PROFILE } from "./fakehost.js";

const NOW = Date.now() / 1000;
const cell = (label: string): NonNullable<Node["cell"]> => ({ label, id: `cell-${label}` });

const NODES: Node[] = [
  { id: "shop_db", kind: "external", group: "sources", kinds: ["postgres"], status: { word: "external" } },
  { id: "exchange_rates", kind: "external", group: "sources", kinds: ["api"], status: { word: "external" } },
  { id: "raw_orders", group: "ingest", kinds: ["duckdb"], cell: cell("Cell In[2]"), status: { word: "fresh" }, checks: [{ name: "not_empty", status: "passed", blocking: true }], configurable: true },
  { id: "raw_customers", group: "ingest", kinds: ["duckdb"], cell: cell("Cell In[3]"), status: { word: "fresh" } },
  { id: "raw_payments", group: "ingest", kinds: ["duckdb", "parquet"], cell: cell("Cell In[4]"), status: { word: "failed", reason: "331/366 fresh · 2 failed · 33 missing", partitions: { fresh: 331, failed: 2, missing: 33 } }, partitioned: true, automated: true, freshness: { word: "fresh", policy: "at most 1 d old", updated: NOW - 7_200, until: NOW + 79_200 } },
  { id: "rates", group: "ingest", kinds: ["python"], cell: cell("Cell In[5]"), status: { word: "evicted", reason: "value evicted" }, freshness: { word: "overdue", policy: "at most 6 h old", updated: NOW - 30_000, until: NOW - 8_400 } },
  { id: "orders", group: "model", kinds: ["pandas"], cell: cell("Cell In[6]"), configurable: true, description: "One row for each order that was paid, without test customers.", status: { word: "stale", reason: "code changed" }, checks: [{ name: "unique_id", status: "passed", blocking: true }, { name: "paid_only", status: "passed" }] },
  { id: "customers", group: "model", kinds: ["pandas"], cell: cell("Cell In[7]"), status: { word: "fresh" }, checks: [{ name: "has_email", status: "warned" }, { name: "unique_id", status: "passed" }] },
  { id: "payments", group: "model", kinds: ["polars"], cell: cell("Cell In[8]"), status: { word: "fresh" }, checks: [{ name: "sums_match", status: "failed" }, { name: "no_nulls", status: "passed" }] },
  { id: "order_items", group: "model", kinds: ["pandas"], cell: cell("Cell In[9]"), status: { word: "stale", reason: "58/93 fresh · 11 stale · 24 missing", partitions: { fresh: 58, stale: 11, missing: 24 } }, partitioned: true },
  { id: "daily_revenue", group: "marts", kinds: ["duckdb"], cell: cell("Cell In[10]"), status: { word: "running", progress: { started: NOW - 4, expected: 9 } } },
  { id: "churn_features", group: "marts", kinds: ["sklearn"], cell: cell("Cell In[11]"), status: { word: "waiting" } },
  { id: "revenue_by_country_and_channel_last_30_days", group: "marts", kinds: ["duckdb"], cell: cell("Cell In[12]"), status: { word: "failed", reason: "KeyError: 'channel'" } },
  { id: "churn_model", group: "marts", kinds: ["sklearn"], cell: cell("Cell In[13]"), status: { word: "missing" }, checks: [{ name: "auc", status: "not run" }] },
  { id: "report", group: "marts", kinds: ["matplotlib"], cell: cell("Cell In[14]"), status: { word: "missing" } },
];

const EDGES: [string, string][] = [
  ["shop_db", "raw_orders"],
  ["shop_db", "raw_customers"],
  ["shop_db", "raw_payments"],
  ["exchange_rates", "rates"],
  ["raw_orders", "orders"],
  ["customers", "orders"],
  ["raw_customers", "customers"],
  ["raw_payments", "payments"],
  ["rates", "payments"],
  ["orders", "order_items"],
  ["orders", "daily_revenue"],
  ["payments", "daily_revenue"],
  ["orders", "churn_features"],
  ["customers", "churn_features"],
  ["churn_features", "churn_model"],
  ["order_items", "revenue_by_country_and_channel_last_30_days"],
  ["payments", "revenue_by_country_and_channel_last_30_days"],
  ["daily_revenue", "report"],
  ["revenue_by_country_and_channel_last_30_days", "report"],
  ["churn_model", "report"],
];

export function shop(): Snapshot {
  const at = new Map(NODES.map((node, i) => [node.id, i]));
  const groups = [...new Set(NODES.map((node) => node.group!))];
  return {
    kind: "snapshot",
    version: 7,
    nodes: structuredClone(NODES),
    edges: EDGES.map(([from, to]) => [at.get(from)!, at.get(to)!]),
    groups: groups.map((name) => ({ name, count: NODES.filter((node) => node.group === name).length })),
    automations: 3,
    jobs: [
      { name: "nightly", description: "What the shop's morning mail is made of.", nodes: [2, 3, 4, 6, 7, 8], cell: { label: "Cell In[9]", id: "c9" } },
      { name: "send_report", description: "Mail the report.", of_ops: true },
    ],
    environment: "",
    environments: ["default", "prod"],
    run: {
      run_id: "a1b2",
      what: "marts",
      started: NOW - 9.4,
      total: 6,
      done: 3,
      failed: 1,
      steps: [
        { name: "raw_orders", ids: ["raw_orders"], status: "success", started: NOW - 9.3, seconds: 2.2 },
        { name: "raw_customers", ids: ["raw_customers"], status: "success", started: NOW - 9.1, seconds: 1.1 },
        { name: "raw_payments", ids: ["raw_payments"], status: "unchanged", started: NOW - 8, seconds: 0 },
        { name: "payments", ids: ["payments"], status: "success", started: NOW - 7.8, seconds: 3.4 },
        { name: "revenue_by_country_and_channel_last_30_days", ids: ["revenue_by_country_and_channel_last_30_days"], status: "failure", started: NOW - 5, seconds: 0.8 },
        { name: "daily_revenue", ids: ["daily_revenue"], status: "running", started: NOW - 4 },
      ],
    },
  };
}

const CODE = `#| asset: orders
#| group: model
"""One row for each order that was paid, without test customers."""
paid = raw_orders[raw_orders.status == "paid"]
known = paid[paid.customer_id.isin(customers.id)]

if config.limit:
    known = known.head(config.limit)  # a sample, for the notebook

known.assign(total=lambda df: df.price * df.quantity * 1.19)
`;

export const SHOP_DETAILS: Record<string, Partial<DetailsMessage>> = {
  orders: {
    description: "One row for each order that was paid, without test customers.\n\nTest customers are those whose address is of this house; see the wiki for the list.",
    code: { text: CODE, where: "Cell [6]" },
    owners: ["team:shop", "ada@example.com"],
    resources: ["warehouse"],
    io_manager: "session",
    why: {
      changes: [{ kind: "code", name: "orders", lines: ["  paid = raw_orders[raw_orders.status == \"paid\"]", "- known.assign(total=lambda df: df.price * df.quantity)", "+ known.assign(total=lambda df: df.price * df.quantity * 1.19)"] }, { kind: "config", name: "limit", lines: ["- 1000", "+ 5000"] }],
      hint: "Materialize it, or `%why orders` for more.",
    },
    checks: [
      { name: "unique_id", status: "passed", blocking: true, description: "No id occurs twice.", when: NOW - 3000, seconds: 0.012, metadata: [{ name: "rows", type: "int", text: "336776" }] },
      { name: "paid_only", status: "passed", when: NOW - 3000, seconds: 0.004 },
    ],
    metadata: [
      { name: "row_count", type: "int", text: "336,776" },
      { name: "source", type: "url", text: "https://example.com/orders", href: "https://example.com/orders" },
      { name: "evil", type: "url", text: "javascript:alert(1)", href: "javascript:alert(1)" },
      { name: "by status", type: "table", columns: ["status", "orders"], rows: [["paid", 336776], ["open", 1204], ["refunded", 391]] },
    ],
    plots: [{ name: "row_count", points: Array.from({ length: 18 }, (_, i) => ({ when: NOW - (18 - i) * 86400, value: 300000 + i * 2100 + Math.round(9000 * Math.sin(i * 1.7)) })) }],
    runs: [
      { run_id: "a1b2c3", status: "success", when: NOW - 3000, seconds: 1.24, reason: "inputs changed: raw_orders" },
      { run_id: "99aa01", status: "failure", when: NOW - 9000, seconds: 0.31, reason: "forced", message: "KeyError: 'status'" },
      { run_id: "77f0e2", status: "unchanged", when: NOW - 90000, seconds: 0 },
    ],
    when: NOW - 3000,
    seconds: 1.24,
    nbytes: 61_234_000,
    shape: [336_776, 9],
    output: [{ kind: "stdout", text: "reading 336,776 rows\n" }, { kind: "warning", text: "DtypeWarning: column 7 has mixed types\n" }],
    comparable: true,
    value: { kind: "table", type: "pandas.DataFrame", total: 336_776, nbytes: 61_234_000, columns: PROFILE.map(({ name, type, role }) => ({ name, type, ...(role ? { role } : {}) })), rows: flights(0, 50) },
  },
  revenue_by_country_and_channel_last_30_days: {
    error: { line: "KeyError: 'channel'", traceback: "Cell In[12], line 3\n      1 items = order_items.merge(payments)\n----> 3 items.groupby(['country', 'channel']).sum()\n\nKeyError: 'channel'", when: NOW - 4 },
  },
};
