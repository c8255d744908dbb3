import fc from "fast-check";

/** As Hypothesis does it: CI draws the same cases each time, a machine of ours others; PROPERTY_RUNS=20000 looks further. */
fc.configureGlobal({
  numRuns: Number(process.env.PROPERTY_RUNS ?? 100),
  ...(process.env.CI === "true" ? { seed: 2026 } : {}),
});

// What every browser that JupyterLab 4 supports has, and Node before 22 lacks: regular-table draws with it.
Promise.withResolvers ??= function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>["resolve"];
  let reject!: PromiseWithResolvers<T>["reject"];
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
