/**
 * The comm to the kernel of one notebook, and the graph as that kernel tells it.
 *
 * The kernel opens the comm when `ipy_orch` is loaded in it. A page that comes later asks for it. A restart ends it.
 */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { JSONObject } from "@lumino/coreutils";
import { Signal } from "@lumino/signaling";

import { ENDS, followTheme, isDark } from "../jupyter.js";
import type { Command, Message } from "../protocol.js";
import type { Host } from "../view/host.js";
import { Client, type Ask } from "../view/state/client.js";
import { Store, type State } from "../view/state/store.js";
import { isRunning } from "../view/status.js";

const TARGET = "ipy_orch";
const HEARD = 1_500; // milliseconds in which a kernel hears what it can hear

type Hear = (message: Message) => void;

export class Link {
  /** Emitted when the comm comes and goes. */
  readonly connectionChanged = new Signal<this, void>(this);
  /** Emitted when the graph, or how an asset stands, has changed. */
  readonly changed = new Signal<this, void>(this);
  /** Emitted with what the kernel says in passing to this side, not to a view. */
  readonly said = new Signal<this, Message>(this);

  private kernel: Kernel.IKernelConnection | null = null;
  private comm: Kernel.IComm | null = null;
  private client: Client | null = null;
  private store = new Store();
  private readonly hearing = new Set<Hear>();
  private users = 0;
  private restarted = false;
  /** What the messages of the kernel's process are signed with. */
  private signature = "";

  /** Return the link of a kernel session: two views of one notebook have one. */
  static of(session: ISessionContext): Link {
    const link = LINKS.get(session) ?? new Link(session);
    LINKS.set(session, link);
    link.users++;
    return link;
  }

  private constructor(readonly session: ISessionContext) {
    session.kernelChanged.connect(this.attach, this);
    session.statusChanged.connect(this.onStatus, this);
    session.connectionStatusChanged.connect(this.onConnection, this);
    session.iopubMessage.connect(this.onMessageOf, this);
    this.attach();
  }

  /** Let go of it; the last one who does ends it. */
  release(): void {
    if (--this.users > 0) return;
    LINKS.delete(this.session);
    this.detach();
    Signal.clearData(this);
  }

  get connected(): boolean {
    return this.comm !== null;
  }

  get state(): State {
    return this.store.state;
  }

  /** Send a command; what comes of it is told by `said`. */
  tell(command: Ask): void {
    this.client?.tell(command);
  }

  /** End the run that goes on; where the kernel hears nothing because a cell is that run, end the cell. */
  cancel(): void {
    this.tell({ kind: "cancel" });
    setTimeout(() => {
      const { run } = this.state;
      if (isRunning(run) && run!.in_cell && !run!.canceling) this.interrupt();
    }, HEARD);
  }

  /** Interrupt what runs on the kernel's main thread; return whether there is a kernel. */
  interrupt(): boolean {
    void this.kernel?.interrupt();
    return this.kernel !== null;
  }

  /** Return what a view needs of the page. */
  host(page: Document, openCell: (id: string) => boolean): Host {
    return {
      send: (command) => this.send(command),
      onMessage: (heard) => this.onMessage(heard),
      theme: () => (isDark(page) ? "dark" : "light"),
      onTheme: (changed) => followTheme(page, changed),
      openCell,
      interrupt: () => this.interrupt(),
    };
  }

  private send(command: Command): void {
    if (this.comm && !this.comm.isDisposed) this.comm.send(command as unknown as JSONObject);
  }

  private onMessage(heard: Hear): () => void {
    this.hearing.add(heard);
    return () => this.hearing.delete(heard);
  }

  // -- the kernel -----------------------------------------------------------------------------------------------------

  private attach(): void {
    const kernel = this.session.session?.kernel ?? null;
    if (kernel === this.kernel) return;
    this.detach();
    this.kernel = kernel;
    this.signature = "";
    // Of several connections to one kernel, a console's say, the first hears the comms.
    if (!kernel?.handleComms) return;
    kernel.registerCommTarget(TARGET, this.opened);
    void this.find(kernel);
  }

  private detach(): void {
    this.drop();
    if (this.kernel && !this.kernel.isDisposed) this.kernel.removeCommTarget(TARGET, this.opened);
    this.kernel = null;
  }

  private onStatus(_session: ISessionContext, status: Kernel.Status): void {
    if (ENDS.includes(status)) {
      this.drop();
      this.restarted = true;
    } else if (status === "idle" && this.restarted && this.kernel?.handleComms) {
      // A kernel that loads the extension by itself did so before anybody listened.
      void this.find(this.kernel);
    }
  }

  /** Notice a restart that another page has asked for, of which this one isn't told: another process answers. */
  private onMessageOf(_session: ISessionContext, { header, content }: KernelMessage.IMessage): void {
    if (header.msg_type !== "status") return;
    const state = (content as KernelMessage.IStatusMsg["content"]).execution_state;
    if (state !== "busy" && state !== "idle") return; // others come from the server, too
    if (this.signature && header.session !== this.signature && this.kernel?.handleComms) void this.find(this.kernel);
    this.signature = header.session;
  }

  private onConnection(_session: ISessionContext, status: Kernel.ConnectionStatus): void {
    if (status === "connected" && this.kernel?.handleComms) void this.find(this.kernel);
  }

  /** Ask for the comm that the kernel has open: another one than before, where it was restarted behind our back. */
  private async find(kernel: Kernel.IKernelConnection): Promise<void> {
    const before = this.comm;
    this.restarted = false;
    try {
      const { content } = await kernel.requestCommInfo({ target_name: TARGET });
      if (kernel !== this.kernel || this.comm !== before) return;
      const ids = content.status === "ok" ? Object.keys(content.comms) : [];
      if (before && ids.includes(before.commId)) this.tell({ kind: "refresh" });
      else if (ids.length) this.take(kernel.createComm(TARGET, ids.at(-1)!));
      else this.drop();
    } catch {
      // The kernel has gone: there is nothing to show then.
    }
  }

  private readonly opened = (comm: Kernel.IComm): void => this.take(comm);

  private take(comm: Kernel.IComm): void {
    this.drop();
    this.comm = comm;
    this.restarted = false;
    comm.onMsg = (message) => {
      const told = message.content.data as unknown as Message;
      for (const hear of [...this.hearing]) hear(told);
    };
    comm.onClose = () => {
      if (this.comm === comm) this.drop();
    };
    this.client = new Client(this.host(document, () => false), (message) => this.heard(message));
    this.client.tell({ kind: "refresh" });
    this.connectionChanged.emit();
  }

  private drop(): void {
    if (!this.comm) return;
    this.client?.dispose();
    this.comm = this.client = null;
    this.store = new Store();
    this.connectionChanged.emit();
    this.changed.emit();
  }

  private heard(message: Message): void {
    if (this.store.take(message)) this.client?.tell({ kind: "refresh" });
    else if (message.kind === "snapshot" || message.kind === "patch") this.changed.emit();
    else this.said.emit(message);
  }
}

const LINKS = new WeakMap<ISessionContext, Link>();
