/** What the actions of a scenario work on, and what an action is. */
import type { Seen } from './expectations.ts';
import type { Names } from './matchers.ts';
import type { Provider } from './provider.ts';

export type World = {
  readonly base: string;
  readonly provider: Provider | undefined;
  readonly names: Names;
  /** Requests, streams and sockets that later steps refer to by name; closed at the end of the course. */
  readonly open: Map<string, Open>;
};

export interface Open {
  close(): void;
}

/** Carries out the order of a step; gives what there was to see, if its kind of step shows anything. */
export type Action = (order: never, world: World) => Promise<Seen | undefined>;

/** Seconds after which an action gives up, where its order says nothing else. */
export const patienceS = 15;

export const openAs = <Kind extends Open>(
  { open }: World,
  name: string,
  kind: new (...given: never[]) => Kind,
): Kind => {
  const found = open.get(name);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} is called ${name}`);
  return found;
};
