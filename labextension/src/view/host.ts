/** What the view needs of the page it stands on; each entry (anywidget, JupyterLab) supplies one. */

import type { Command, Message } from "../protocol.js";

export type Theme = "light" | "dark";

export interface Host {
  /** Send a command to the kernel. */
  send(command: Command): void;
  /** Call `heard` for each message of the kernel; return what ends that. */
  onMessage(heard: (message: Message) => void): () => void;
  /** Call `gone` where the kernel that answers has ended, as by a restart; return what ends that. */
  onGone?(gone: () => void): () => void;
  theme(): Theme;
  /** Call `changed` where the theme changes; return what ends that. */
  onTheme(changed: () => void): () => void;
  /** Show the cell that defines an asset; return whether the page could. */
  openCell?(cell: string): boolean;
  /** Interrupt the kernel: without subshells a cell on the main thread stops only so. Return false where the page can't. */
  interrupt?(): boolean | void;
}

export interface Options {
  /** CSS height of the view; the panel fills its place instead. */
  readonly height?: string;
}

export interface Mounted {
  /** Show an asset's details. */
  open(id: string): void;
  dispose(): void;
}
