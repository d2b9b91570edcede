/** `ctx.authorize`: finds a token of the user, or pauses the run for a consent. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { AuthorizeOptions } from '../authoring/context.ts';
import { AuthorizationError, InteractionUnavailableError, WithdrawnError } from '../authoring/errors.ts';
import type { Awaitable } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import { newId } from '../executions/ids.ts';
import type { AccessToken, Begun } from '../oauth/oauth.ts';
import { AUTHORIZE, type PauseFact, placeOf } from './calls.ts';
import type { RunCalls } from './run-calls.ts';
import { type SleepFact, slept } from './sleep.ts';
import type { Position } from './thread.ts';

const CALLBACK_FAILED = 'Authentication callback failed';
const NO_CONSENT_PAGE = `${CALLBACK_FAILED}: this route cannot send a user to a consent page; use a versioned route.`;

type ConsentFact = Extract<PauseFact, { type: 'oauth.requested' }>;

/**
 * One call may ask several times, because the token of a consent may be missing in a replay. So it first repeats its
 * earlier consents, and then checks for a token. Without a place for its consent it sleeps without a slot, and asks
 * again, up to the timeout of a consent.
 */
export const authorize = async (
  run: RunCalls,
  position: Position,
  provider: string,
  { scopes, rejected, signal }: AuthorizeOptions,
): Promise<AccessToken> => {
  const asked = { type: 'value.recorded', call: 0, after: 0, name: AUTHORIZE, value: { provider } } as const;
  let isDue!: () => void;
  const due = new Promise<void>((resolve) => {
    isDue = resolve;
  });
  const made = run.make(asked, position, () => isDue());
  if (made === undefined) return await new Promise(() => {});
  const { call } = made.fact;
  const record = (value: { provider: string; refused?: string }): Promise<void> => {
    run.record({ ...placeOf(made.fact), type: 'value.recorded', name: AUTHORIZE, value });
    return run.ended(call, position, () => {});
  };
  let consent: string | undefined;
  let waitedMs = 0;
  if (made.isReplayed) {
    for (let before = made.fact as JournalEntry | undefined; before !== undefined; before = run.more(call)) {
      if (before.type === 'oauth.requested') consent = await run.resume(before, granted, position, signal);
      else if (before.type === 'sleep.started') waitedMs += await run.resume(before, waited, position, signal);
      else throwIfRefused(await run.ended(call, position, valueIn));
    }
  }
  try {
    let token = await run.lookUp(async () => {
      if (!made.isReplayed) await due;
      if (!made.isReplayed && rejected) await run.deps.oauth.reject(subjectOf(run), provider, rejected);
      return tokenOf(run, consent, provider, scopes);
    });
    while (token === undefined) {
      if (!run.asked.interactive) {
        await run.breath;
        throw new InteractionUnavailableError(NO_CONSENT_PAGE);
      }
      const beginning = beginConsent(run, provider, scopes, waitedMs);
      const begun = beginning instanceof Promise ? await run.lookUp(() => beginning) : beginning;
      if (typeof begun !== 'number') {
        const { state: id, authUrl, expiresInMs } = begun;
        const dueAt = run.deps.now() + expiresInMs;
        const fact: ConsentFact = { ...placeOf(made.fact), type: 'oauth.requested', id, provider, authUrl, dueAt };
        const given = run.pauseAgain(fact, granted, position, signal);
        if (begun.isShared) void closeIfOver(run, id, provider, scopes);
        consent = await given;
        return (await run.lookUp(() => tokenOf(run, consent, provider, scopes))) ?? lost(provider);
      }
      if (!made.isReplayed && waitedMs === 0) await record({ provider });
      const fact: SleepFact = {
        ...placeOf(made.fact),
        type: 'sleep.started',
        id: newId(),
        dueAt: run.deps.now() + begun,
      };
      waitedMs += await run.pauseAgain(fact, waited, position, signal);
      token = await run.lookUp(() => tokenOf(run, undefined, provider, scopes));
    }
    if (!made.isReplayed) await record({ provider });
    return token;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const refused = `${CALLBACK_FAILED}: ${error.message}`;
    await record({ provider, refused });
    throw new AuthorizationError(refused);
  }
};

/** A consent that was begun, or the delay until there may be a place for it. Milliseconds. */
const beginConsent = (
  run: RunCalls,
  provider: string,
  scopes: readonly string[] | undefined,
  waitedMs: number,
): Awaitable<Begun | number> => {
  const { oauth, oauthTimeoutMs } = run.deps;
  const address = run.asked.request.client?.host;
  const delayAfter = (thrown: unknown): number => {
    const isFull = thrown instanceof Failure && thrown.code === 'queue_full';
    if (!isFull || waitedMs >= oauthTimeoutMs) throw thrown;
    return thrown.retryAfterMs ?? 1_000;
  };
  try {
    const begun = oauth.ask({ provider, scopes, address, ...subjectOf(run) });
    return begun instanceof Promise ? begun.catch(delayAfter) : begun;
  } catch (thrown) {
    return delayAfter(thrown);
  }
};

/** A process that has ended the consent before its request was committed does not know of this pause. */
const closeIfOver = async (
  run: RunCalls,
  id: string,
  provider: string,
  scopes: readonly string[] | undefined,
): Promise<void> => {
  const { oauth } = run.deps;
  try {
    await run.execution.keeping;
    if (await oauth.isPending(id)) return;
    const token = await oauth.token(subjectOf(run), provider, scopes);
    const reason = 'The consent that it shared has ended; ask again.';
    await run.execution.offer(token ? { type: 'oauth.granted', id } : { type: 'oauth.refused', id, reason });
  } catch {} // the run is left, and the consent ends at its deadline at the latest
};

export const subjectOf = ({ asked, execution }: RunCalls): { user: string | undefined; executionId: string } => ({
  user: asked.by.userId,
  executionId: execution.id,
});

/** The token of the consent that was just given, else the stored one. */
const tokenOf = async (
  run: RunCalls,
  consent: string | undefined,
  provider: string,
  scopes: readonly string[] | undefined,
) => {
  const { oauth } = run.deps;
  const claimed = consent && oauth.claim(consent);
  if (claimed) return claimed;
  for (;;) {
    try {
      return await oauth.token(subjectOf(run), provider, scopes);
    } catch (error) {
      // Facts cannot be stored either: a run that goes on would record that the user has refused.
      if (run.isOver || !(error instanceof Failure && error.code === 'store_unavailable')) throw error;
      await new Promise<void>((resolve) => run.deps.after(error.retryAfterMs ?? 1_000, resolve));
    }
  }
};

/** The length of a sleep until there was a place. Milliseconds. */
const waited = ({ dueAt, ...asked }: SleepFact, closed: JournalEntry): number => {
  slept({ dueAt, ...asked }, closed);
  return dueAt - (asked as unknown as JournalEntry).at;
};

/** The consent that was given. */
const granted = ({ id, dueAt, ...asked }: ConsentFact, closed: JournalEntry): string => {
  if (closed.type === 'oauth.granted') return id;
  if (closed.type === 'oauth.withdrawn') throw new WithdrawnError('The consent was withdrawn.');
  if (closed.type === 'oauth.refused') throw new AuthorizationError(`${CALLBACK_FAILED}: ${closed.reason}`);
  const seconds = (dueAt! - (asked as unknown as JournalEntry).at) / 1000;
  throw new AuthorizationError(
    `${CALLBACK_FAILED}: Authentication flow timed out after ${seconds.toFixed(1)} seconds.`,
  );
};

/** The token was granted, and could not be stored. */
const lost = (provider: string): never => {
  throw new AuthorizationError(`${CALLBACK_FAILED}: the token of ${provider} is no longer there; ask again.`);
};

const valueIn = (_: undefined, entry: JournalEntry): unknown => ('value' in entry ? entry.value : undefined);

const throwIfRefused = (recorded: unknown): void => {
  const { refused } = (recorded ?? {}) as { refused?: string };
  if (refused !== undefined) throw new AuthorizationError(refused);
};
