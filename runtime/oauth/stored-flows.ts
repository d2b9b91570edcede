/** Pending consents as values of a vault, and the keys by which they are found. */
import { createHmac } from 'node:crypto';
import type { VaultEntry } from '../store/vault.ts';
import { idOf, type Provider } from './provider.ts';
import { holderOf } from './stored-tokens.ts';

export interface Flow {
  readonly state: string;
  readonly provider: Provider;
  readonly scopes: readonly string[];
  /**
   * The user who may finish it; undefined if the execution has no owner. Any browser with the state may then finish it.
   */
  readonly user: string | undefined;
  /** Address of the request, if known. */
  readonly address?: string | undefined;
  /** The execution that asked first. The id of its pause is the state. */
  readonly executionId: string;
  /** The PKCE verifier. It leaves the process only for the token endpoint. */
  readonly verifier: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A pause of an execution. */
export interface Waiting {
  readonly executionId: string;
  readonly state: string;
}

/** A pause that waits for a flow. The id of the first one is the state of the flow, which the others begin with. */
export interface Pause extends Waiting {
  readonly expiresAt: number;
}

/** A flow, and the pauses that wait for it. */
export interface Pending {
  readonly flow: Flow;
  readonly pauses: readonly Pause[];
}

/** Length of the part of a state that all flows of a holder at a provider begin with, of a state, and of what a pause adds. */
const COMMON = 16;
const STATE = 48;
const JOINED = 16;
/** A flow of an older version has a shorter one, and none joins it. */
const IS_STATE = /^[\w-]{32,48}$/;

export const isState = (text: string): boolean => IS_STATE.test(text);

export const isOlder = ({ state }: Flow): boolean => state.length < STATE;

/** A state begins with a digest, so that flows of a holder at a provider are found. Only the provider can tell from whom it is. */
export const newState = (asked: Pick<Flow, 'provider' | 'user' | 'executionId'>, random: string): string =>
  beginningOf(asked) + random;

export const beginningOf = ({ provider, ...asked }: Pick<Flow, 'provider' | 'user' | 'executionId'>): string =>
  createHmac('sha256', provider.clientSecret ?? provider.client.client_id)
    .update(JSON.stringify([idOf(provider), holderOf(asked)]))
    .digest('base64url')
    .slice(0, COMMON);

/** The id of a pause that waits for a flow which another pause has asked for. */
export const joinedTo = (flow: Flow, asked: Flow): string => flow.state + asked.state.slice(-JOINED);

/** The state of the flow of a pause. */
export const stateOf = (pause: string): string => pause.slice(0, STATE);

/** The key of a pause. */
export const keyOf = (pause: string): string => `${stateOf(pause)}.${pause.slice(STATE)}`;

/** The state of the flow that a key belongs to. */
export const flowOf = (key: string): string => key.split('.', 1)[0]!;

/** In the place of the first pause of a flow: it has ended, and others wait. */
export const ENDED = '{"expiresAt":0}';

type StoredPause = Omit<Pause, 'state'>;

type StoredFlow = Omit<Flow, 'state' | 'provider'> & {
  readonly provider: string;
  /** Pauses besides the first, by id, in a flow of an older version. */
  readonly others?: readonly (readonly [id: string, executionId: string])[];
};

export const writeFlow = ({ state: _, provider, ...flow }: Flow): string =>
  JSON.stringify({ ...flow, provider: provider.name } satisfies StoredFlow);

export const writePause = ({ executionId, expiresAt }: Flow): string =>
  JSON.stringify({ executionId, expiresAt } satisfies StoredPause);

/** Epoch milliseconds, of a flow or a pause. A value that cannot be read is over. */
export const expiryOf = (value: string | undefined): number => (JSON.parse(value ?? ENDED) as StoredPause).expiresAt;

/** Pauses besides the first ones of flows. */
export const pausesIn = (rows: readonly VaultEntry[]): Pause[] =>
  rows.flatMap(([key, value]) =>
    value === undefined || value === ENDED
      ? []
      : [{ ...(JSON.parse(value) as StoredPause), state: key.replace('.', '') }],
  );

/** Without those whose provider is no longer configured. A flow stands before its pauses. */
export const flowsIn = (
  rows: readonly VaultEntry[],
  providers: (name: string) => Provider | undefined,
): readonly Pending[] => {
  const found: { flow: Flow; pauses: Pause[] }[] = [];
  for (const [key, value] of rows) {
    if (value === undefined) continue;
    const last = found.at(-1);
    if (!key.includes('.')) found.push(...readFlow(key, value, providers));
    else if (key === `${last?.flow.state}.`) last!.pauses.shift();
    else if (flowOf(key) === last?.flow.state) last.pauses.push(...pausesIn([[key, value]]));
  }
  return found;
};

const readFlow = (state: string, value: string, providers: (name: string) => Provider | undefined) => {
  const { provider: name, others = [], ...stored } = JSON.parse(value) as StoredFlow;
  const provider = providers(name);
  if (provider === undefined) return [];
  const { executionId, expiresAt } = stored;
  const pauses = [{ state, executionId, expiresAt }];
  for (const [state, executionId] of others) pauses.push({ state, executionId, expiresAt });
  return [{ flow: { ...stored, state, provider }, pauses }];
};
