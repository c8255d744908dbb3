/** The conversation with the kernel: commands are numbered, and answers find the one who asked. */

import type { Command, Message, Refused } from "../../protocol.js";
import type { Host } from "../host.js";

/** A command was not obeyed. */
export class Refusal extends Error {
  constructor(readonly message_: Refused) {
    super(message_.why);
    this.name = "Refusal";
  }
}

type Unnumbered<C> = C extends Command ? Omit<C, "request"> : never;
export type Ask = Unnumbered<Command>;
export type Answered<K extends Message["kind"]> = Extract<Message, { kind: K }>;

interface Waiting {
  resolve(message: Message): void;
  reject(why: Error): void;
}

export class Client {
  // Several views of one widget hear each other's answers: each numbers its commands from somewhere else.
  private readonly first = 1 + Math.floor(Math.random() * 2 ** 31) * 2 ** 16;
  private next = this.first;
  private readonly waiting = new Map<number, Waiting>();
  private readonly end: () => void;

  constructor(
    private readonly host: Host,
    private readonly heard: (message: Message) => void,
  ) {
    this.end = host.onMessage((message) => this.take(message));
  }

  dispose(): void {
    this.end();
    this.waiting.clear();
  }

  /** Send a command that is answered by what the kernel tells everybody, or refused. */
  tell(command: Ask): void {
    this.host.send({ ...command, request: this.next++ } as Command);
  }

  /** Send a command; return its answer, which is of the given kind. */
  ask<K extends Message["kind"]>(command: Ask, _kind: K): Promise<Answered<K>> {
    const request = this.next++;
    const answer = new Promise<Message>((resolve, reject) => this.waiting.set(request, { resolve, reject }));
    this.host.send({ ...command, request } as Command);
    return answer as Promise<Answered<K>>;
  }

  private take(message: Message): void {
    const request = message.request ?? 0;
    const waiting = this.waiting.get(request);
    if (!waiting) {
      const own = request === 0 || (request >= this.first && request < this.next);
      if (own || message.kind === "snapshot" || message.kind === "patch") this.heard(message);
      return;
    }
    this.waiting.delete(request);
    if (message.kind === "refused") {
      this.heard(message);
      waiting.reject(new Refusal(message));
    } else waiting.resolve(message);
  }
}
