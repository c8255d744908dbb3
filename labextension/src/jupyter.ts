/** What JupyterLab and Notebook 7 say of their kernels and of their theme. */

/** The statuses of a kernel whose process ends. */
export const ENDS: readonly string[] = ["restarting", "autorestarting", "terminating", "dead"];

export function isDark(page: Document): boolean {
  const lab = page.body.dataset["jpThemeLight"];
  if (lab !== undefined) return lab === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Call `changed` where the theme changes; return what ends that. */
export function followTheme(page: Document, changed: () => void): () => void {
  const observer = new MutationObserver(() => setTimeout(changed, 60));
  observer.observe(page.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}
