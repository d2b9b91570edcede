/** Actions on WebSockets. */
import { setTimeout as wait } from 'node:timers/promises';
import { openSocket, type SocketClient } from '../support/web-socket.ts';
import { kindOfMessage, type Seen } from './expectations.ts';
import { matches } from './matchers.ts';
import { type Action, type Open, openAs, patienceS, type World } from './world.ts';

class OpenSocket implements Open {
  readonly client: SocketClient;
  /** Messages up to here were looked at and left, to be given once more. */
  peeked = 0;

  constructor(client: SocketClient) {
    this.client = client;
  }

  close(): void {
    if (this.client.code === undefined) this.client.drop();
  }
}

type Connect = { as: string; path: string; headers?: Record<string, string>; timeout?: number };

const connect = async ({ as, path, headers, timeout = patienceS }: Connect, world: World): Promise<Seen> => {
  const signal = AbortSignal.timeout(timeout * 1000);
  const { status, client } = await openSocket(world.base + path, headers, signal);
  if (client !== undefined) world.open.set(as, new OpenSocket(client));
  return { status };
};

type Send = { to: string; json?: unknown; text?: string };

const send = async ({ to, json, text }: Send, world: World): Promise<undefined> => {
  openAs(world, to, OpenSocket).client.frame(Buffer.from(text ?? JSON.stringify(json)));
};

type Receive = { from: string; until: unknown; peek?: boolean; timeout?: number };

/** Gives the message waited for and all since the last time; with `peek` only that one, and all will be given again. */
const receive = async ({ from, until, peek = false, timeout = patienceS }: Receive, world: World): Promise<Seen> => {
  const socket = openAs(world, from, OpenSocket);
  const { messages } = socket.client;
  const find = () => messages.findIndex((message, at) => at >= socket.peeked && matches(until, message, world.names));
  await socket.client.when(() => find() >= 0, timeout * 1000);
  const count = find() + 1;
  socket.peeked = peek ? count : 0;
  return peek ? { message: messages[count - 1] } : { messages: messages.splice(0, count) };
};

type Silence = { on: string; seconds: number; ignore?: readonly string[] };

const silence = async ({ on, seconds, ignore = [] }: Silence, world: World): Promise<undefined> => {
  const { client } = openAs(world, on, OpenSocket);
  const before = client.messages.length;
  await wait(seconds * 1000);
  if (client.code !== undefined) throw new Error(`${on} was closed`);
  const heard = client.messages.slice(before).filter((message) => !ignore.includes(kindOfMessage(message)));
  if (heard.length > 0) throw new Error(`${on} was not silent: ${JSON.stringify(heard)}`);
};

const closed = async ({ on, timeout = 10 }: { on: string; timeout?: number }, world: World): Promise<Seen> => ({
  code: await openAs(world, on, OpenSocket).client.closed(timeout * 1000),
});

export const socketActions: Readonly<Record<string, Action>> = { connect, send, receive, silence, closed };
