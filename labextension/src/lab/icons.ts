/** The icons: a lineage for the panel, one that runs for the toolbar. JupyterLab's theme colours what is `jp-icon3`. */

import { LabIcon } from "@jupyterlab/ui-components";

const INK = "var(--jp-inverse-layout-color3, #616161)";
const OPEN = '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">';

export const lineageIcon = new LabIcon({
  name: "ipy-orch:lineage",
  svgstr:
    `${OPEN}<g fill="none" stroke="${INK}" stroke-width="1.4" stroke-linejoin="round">` +
    '<rect x="1.2" y="2" width="5" height="3.6" rx="1"/><rect x="9.8" y="6.2" width="5" height="3.6" rx="1"/>' +
    '<rect x="1.2" y="10.4" width="5" height="3.6" rx="1"/>' +
    '<path d="M6.2 3.8h1.1c.9 0 1.1.5 1.1 1.3v1.5c0 .9.4 1.4 1.4 1.4M6.2 12.2h1.1c.9 0 1.1-.5 1.1-1.3v-1.5c0-.9.4-1.4 1.4-1.4"/></g></svg>',
});

export const materializeIcon = new LabIcon({
  name: "ipy-orch:materialize",
  svgstr:
    `${OPEN}<path fill="none" stroke="${INK}" stroke-width="1.4" d="M8.6 4h4a1.4 1.4 0 0 1 1.4 1.4v5.2a1.4 1.4 0 0 1-1.4 1.4h-4"/>` +
    '<path class="jp-icon3" fill="#616161" d="M2 3.2v9.6L9.4 8z"/></svg>',
});
