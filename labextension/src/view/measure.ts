/** Times for the benchmark page (tests/benchmarks/lineage): kept only where that page has put a list for them. */

interface Times {
  ipyoTimes?: { name: string; start: number; ms: number }[];
}

export function measured<T>(name: string, work: () => T): T {
  const { ipyoTimes } = globalThis as Times;
  if (!ipyoTimes) return work();
  const start = performance.now();
  const result = work();
  ipyoTimes.push({ name, start, ms: performance.now() - start });
  return result;
}
