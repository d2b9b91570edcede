/** Actions on event streams, which are read frame by frame: NAT has field names of its own, and lines without any. */
import type { IncomingMessage } from 'node:http';
import type { Seen } from './expectations.ts';
import { type HttpRequest, headOf, openRequest } from './http-client.ts';
import { matches, parseJson } from './matchers.ts';
import { type Action, type Open, openAs, patienceS, type World } from './world.ts';

type Until = { until?: unknown; peek?: boolean; timeout?: number };

class EventStream implements Open {
  readonly head: Seen;
  readonly #response: IncomingMessage;
  readonly #frames: unknown[] = [];
  #text = '';
  #peeked = 0;
  #hasEnded = false;
  #wake = (): void => {};

  constructor(response: IncomingMessage) {
    this.head = headOf(response);
    this.#response = response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('error', () => this.#end());
    response.on('close', () => this.#end());
  }

  close(): void {
    this.#response.destroy();
  }

  /**
   * Waits for a frame, or with `end` for the end. Gives that frame and all since the last time; with `peek` only that frame,
   * and all will be given again.
   */
  async read({ until = 'end', peek = false, timeout = patienceS }: Until, world: World): Promise<Seen> {
    const deadline = AbortSignal.timeout(timeout * 1000);
    for (;;) {
      const at =
        until === 'end'
          ? -1
          : this.#frames.findIndex((frame, index) => index >= this.#peeked && matches(until, frame, world.names));
      if (at >= 0 || (until === 'end' && this.#hasEnded))
        return this.#give(at < 0 ? this.#frames.length : at + 1, peek);
      if (this.#hasEnded || deadline.aborted) {
        throw new Error(`${JSON.stringify(until)} did not come, but ${JSON.stringify(this.#frames)}`);
      }
      await this.#news(deadline);
    }
  }

  #give(count: number, peek: boolean): Seen {
    this.#peeked = peek ? count : 0;
    return peek ? { frame: this.#frames[count - 1] } : { frames: this.#frames.splice(0, count) };
  }

  #news(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #take(text: string): void {
    this.#text += text;
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() ?? '';
    this.#add(blocks);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#add([this.#text]);
  }

  #add(blocks: readonly string[]): void {
    this.#frames.push(...blocks.filter((block) => block !== '' && !block.startsWith(':')).map(frameOf));
    this.#wake();
  }
}

/** Fields by name, their values parsed if they are JSON; a block without fields is `bare`. */
const frameOf = (block: string): unknown => {
  const fields = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line));
  if (fields.includes(null)) return { bare: parseJson(block) ?? block };
  return Object.fromEntries(
    fields.map((field) => [
      field?.[1],
      field?.[1] === 'event' ? field[2] : (parseJson(field?.[2] ?? '') ?? field?.[2]),
    ]),
  );
};

const stream = async ({ as, until, peek, timeout, ...order }: HttpRequest & Until & { as?: string }, world: World) => {
  const signal = AbortSignal.timeout((timeout ?? patienceS) * 1000);
  const opened = new EventStream(await openRequest(world.base, { method: 'POST', ...order }, signal));
  if (as !== undefined) world.open.set(as, opened);
  if (until === 'head') return opened.head;
  return { ...opened.head, ...(await opened.read({ until, peek, timeout } as Until, world)) };
};

const read = ({ from, ...order }: Until & { from: string }, world: World) =>
  openAs(world, from, EventStream).read(order, world);

export const streamActions: Readonly<Record<string, Action>> = { stream, read };
