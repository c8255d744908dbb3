import { describe, expect, it } from "vitest";

import type { Command, Message } from "../src/protocol.js";
import type { Host } from "../src/view/host.js";
import { Client, Refusal } from "../src/view/state/client.js";

/** A kernel that answers by hand; all views hear all of it. */
class Line {
  readonly sent: Command[] = [];
  private readonly heard = new Set<(message: Message) => void>();

  readonly host: Host = {
    send: (command) => void this.sent.push(command),
    onMessage: (heard) => {
      this.heard.add(heard);
      return () => this.heard.delete(heard);
    },
    theme: () => "light",
    onTheme: () => () => undefined,
  };

  say(message: Message): void {
    for (const heard of this.heard) heard(message);
  }
}

describe("Client", () => {
  it("gives an answer to the one who asked, and to no other view", async () => {
    const line = new Line();
    const others: Message[] = [];
    const client = new Client(line.host, () => undefined);
    new Client(line.host, (message) => others.push(message));
    const answer = client.ask({ kind: "select", text: "a" }, "selected");
    line.say({ kind: "selected", text: "a", ids: ["a"], request: line.sent[0].request! });
    expect((await answer).ids).toEqual(["a"]);
    expect(others).toEqual([]);
  });

  it("tells the one who asked that it was refused", async () => {
    const line = new Line();
    const client = new Client(line.host, () => undefined);
    const answer = client.ask({ kind: "details", id: "x" }, "details");
    line.say({ kind: "refused", why: "no such asset", request: line.sent[0].request! });
    await expect(answer).rejects.toBeInstanceOf(Refusal);
  });

  it("numbers commands with whole numbers that JSON keeps", () => {
    const line = new Line();
    new Client(line.host, () => undefined).tell({ kind: "cancel" });
    expect(Number.isSafeInteger(line.sent[0].request)).toBe(true);
  });
});
