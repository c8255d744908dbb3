import type { JSX } from "preact";
export function Details(): JSX.Element { return <div />; }
