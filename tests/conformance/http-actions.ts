/** Actions on plain requests. Those that stay in flight have a name, by which later steps wait for them or abandon them. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Seen } from './expectations.ts';
import { exchange, type HttpRequest } from './http-client.ts';
import { matches } from './matchers.ts';
import { type Action, type Open, openAs, patienceS, type World } from './world.ts';

type Timed = { timeout?: number };

class Flight implements Open {
  readonly answer: Promise<Seen>;
  answered = false;
  readonly #abandoned = new AbortController();

  constructor({ base }: World, { timeout = patienceS, ...order }: HttpRequest & Timed) {
    const signal = AbortSignal.any([this.#abandoned.signal, AbortSignal.timeout(timeout * 1000)]);
    this.answer = exchange(base, order, signal);
    const settle = () => {
      this.answered = true;
    };
    this.answer.then(settle, settle);
  }

  close(): void {
    this.#abandoned.abort();
  }
}

const request = async ({ as, ...order }: HttpRequest & Timed & { as?: string }, world: World) => {
  const flight = new Flight(world, order);
  if (as === undefined) return flight.answer;
  world.open.set(as, flight);
  await wait(150); // the next request shall reach the server after this one
  return undefined;
};

const awaitAnswer = ({ name }: { name: string }, world: World) => openAs(world, name, Flight).answer;

const pending = async ({ name, seconds }: { name: string; seconds: number }, world: World) => {
  await wait(seconds * 1000);
  if (openAs(world, name, Flight).answered) throw new Error(`${name} was answered too early`);
  return undefined;
};

const poll = async (
  { until, timeout = patienceS, ...order }: HttpRequest & Timed & { until: unknown },
  world: World,
) => {
  const deadline = Date.now() + timeout * 1000;
  for (;;) {
    const seen = await new Flight(world, order).answer;
    if (matches(until, seen.json, world.names)) return seen;
    if (Date.now() > deadline) throw new Error(`${order.path} never gave ${JSON.stringify(until)}, but ${seen.text}`);
    await wait(40);
  }
};

const close = async (name: string, { open }: World) => {
  if (!open.has(name)) throw new Error(`nothing is called ${name}`);
  open.get(name)?.close();
  await wait(200); // until the server has seen it
  return undefined;
};

export const httpActions: Readonly<Record<string, Action>> = { request, await: awaitAnswer, pending, poll, close };
