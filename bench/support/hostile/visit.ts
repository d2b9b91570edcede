/** Sends hostile bytes to the server and reads its reply, or does not: one connection each. */
import { connect, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { socketsAt } from './frames.ts';
import { type Draft, type Endpoint, type Known, requestsTo } from './requests.ts';

/** A client that has sent everything must get a reply within this time, or its connection must be closed. */
export const HUNG_MS = 20_000;
/** A client that expects nothing, or reads a stream, disconnects after this time. */
const PATIENCE_MS = 150;
/** How long a client that does not read stays connected. */
const STALL_MS = 1_500;

const deliveries = ['whole', 'whole', 'whole', 'split', 'trickle', 'halfClose', 'resetMidway', 'resetAfter'] as const;
const readings = ['polite', 'polite', 'polite', 'never', 'slow'] as const;

export interface Visit {
  /** Consecutive requests, or a handshake with the bytes after it. */
  readonly parts: readonly Draft[];
  readonly isSocket: boolean;
  readonly delivery: (typeof deliveries)[number];
  readonly reading: (typeof readings)[number];
  /** The position of the interruption, as a share. */
  readonly at: number;
}

const manner = {
  delivery: fc.constantFrom(...deliveries),
  reading: fc.constantFrom(...readings),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
};

export const visitsTo = (endpoints: readonly Endpoint[], socketPaths: readonly string[]): fc.Arbitrary<Visit> => {
  const requests = requestsTo(endpoints);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ ...manner, parts: fc.tuple(requests), isSocket: fc.constant(false) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        ...manner,
        parts: fc.array(requests, { minLength: 2, maxLength: 12 }),
        isSocket: fc.constant(false),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        ...manner,
        parts: socketsAt(socketPaths).map(({ handshake, frames }) =>
          [handshake, ...frames].map((text) => () => ({ text, isSound: false })),
        ),
        isSocket: fc.constant(true),
      }),
    },
  );
};

/** The received bytes, as far as they matter. */
class Reply {
  /** The beginning. */
  head = '';
  tail = '';
  bytes = 0;
  isClosed = false;
  #news = (): void => {};

  constructor(socket: Socket) {
    socket.on('data', (bytes: Buffer) => {
      if (this.head.length < 8_192) this.head += bytes.toString('latin1', 0, 8_192);
      this.tail = (this.tail + bytes.toString('latin1', Math.max(0, bytes.length - 16))).slice(-16);
      this.bytes += bytes.length;
      this.#news();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#news();
    });
    socket.on('error', () => {});
  }

  get isWhole(): boolean {
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.head.slice(0, end)) ?? [];
    if (length !== undefined) return this.bytes >= end + 4 + Number(length);
    return !/\r\ntransfer-encoding/i.test(this.head.slice(0, end)) || this.tail.endsWith('0\r\n\r\n');
  }

  get isStream(): boolean {
    return /text\/event-stream/.test(this.head);
  }

  /** False if it did not arrive in time. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const timeout = new AbortController();
    const over = setTimeout(ms, true, { signal: timeout.signal }).catch(() => true);
    try {
      while (!holds() && !this.isClosed) {
        const news = new Promise<false>((resolve) => {
          this.#news = () => resolve(false);
        });
        if (await Promise.race([news, over])) return holds();
      }
      return true;
    } finally {
      timeout.abort();
    }
  }
}

export interface Outcome {
  /** Status of the first reply; undefined if none was read. */
  readonly status: number | undefined;
  /** The server owed a reply and gave none. */
  readonly isHung: boolean;
  readonly sent: string;
}

/** Sends the bytes, reads like such a client, and disconnects. Ids of executions in replies are added to `known`. */
export const pay = async (
  visit: Visit,
  port: number,
  known: { -readonly [Key in keyof Known]: Known[Key] },
): Promise<Outcome> => {
  const parts = visit.parts.map((draft) => draft(known));
  const socket = connect(port, 'localhost');
  const reply = new Reply(socket);
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('close', () => resolve(false));
  });
  const sent = parts.map(({ text }) => text).join('');
  if (!isOpen) return { status: undefined, isHung: false, sent };
  socket.setNoDelay(true);
  if (visit.reading === 'never') socket.pause();
  await deliver(
    socket,
    reply,
    visit,
    parts.map(({ text }) => text),
    sent,
  );
  const isSound = parts.every((part) => part.isSound) && isWholly(visit.delivery);
  const isHung = (await read(socket, reply, visit, isSound)) === 'hung';
  learn(reply.head, known);
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(reply.head) ?? [];
  if (visit.at > 0.5) socket.resetAndDestroy();
  else socket.destroy();
  return { status: status === undefined ? undefined : Number(status), isHung, sent };
};

const isWholly = (delivery: Visit['delivery']): boolean => delivery === 'whole' || delivery === 'split';

const write = (socket: Socket, text: string): void => {
  if (!socket.destroyed && text !== '') socket.write(text, 'latin1');
};

const deliver = async (
  socket: Socket,
  reply: Reply,
  { delivery, at, isSocket }: Visit,
  parts: readonly string[],
  text: string,
): Promise<void> => {
  const middle = Math.floor(text.length * at);
  if (isSocket && isWholly(delivery)) {
    write(socket, parts[0]!);
    await reply.until(() => reply.head !== '', delivery === 'split' ? PATIENCE_MS : 0);
    for (const part of parts.slice(1)) write(socket, part);
  } else if (delivery === 'whole') write(socket, text);
  else if (delivery === 'split') {
    write(socket, text.slice(0, middle));
    await setTimeout(20);
    write(socket, text.slice(middle));
  } else if (delivery === 'trickle') {
    for (let from = 0; from < Math.min(text.length, 400); from += 20) {
      write(socket, text.slice(from, from + 20));
      await setTimeout(5);
    }
    write(socket, text.slice(400, Math.max(400, middle)));
  } else if (delivery === 'halfClose') {
    write(socket, text);
    socket.end();
  } else {
    write(socket, delivery === 'resetMidway' ? text.slice(0, middle) : text);
    for (let turn = 0; turn < at * 12; turn += 1) await setImmediate();
    socket.resetAndDestroy();
  }
};

const read = async (
  socket: Socket,
  reply: Reply,
  { reading, isSocket }: Visit,
  isSound: boolean,
): Promise<'hung' | undefined> => {
  if (reading === 'never') {
    await reply.until(() => false, STALL_MS);
    return undefined;
  }
  if (!isSound || isSocket) {
    await reply.until(() => reply.isWhole && !isSocket, PATIENCE_MS);
    return undefined;
  }
  if (reading === 'slow') {
    for (let pause = 0; pause < 5 && !reply.isClosed; pause += 1) {
      await setTimeout(20);
      socket.pause();
      await setTimeout(20);
      socket.resume();
    }
  }
  if (!(await reply.until(() => reply.isStream || reply.isWhole, HUNG_MS))) return 'hung';
  if (reply.isStream) await reply.until(() => reply.isWhole, PATIENCE_MS);
  return undefined;
};

const learn = (head: string, known: { -readonly [Key in keyof Known]: Known[Key] }): void => {
  const [, execution] = /"execution_id":"([\w-]+)"/.exec(head) ?? [];
  const [, interaction] = /"interaction_id":"([\w-]+)"/.exec(head) ?? [];
  if (execution !== undefined) known.execution = execution;
  if (interaction !== undefined) known.interaction = interaction;
};
