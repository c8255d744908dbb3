import type { JSX } from "preact";
export function Launchpad(): JSX.Element { return <div />; }
