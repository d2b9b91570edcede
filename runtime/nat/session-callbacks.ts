/**
 * Answers prompts through functions, for programs without a server. The functions belong to one session, and get only
 * its runs.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Prompt, Response } from '../authoring/prompts.ts';
import { follow } from '../executions/follow.ts';
import type { ExecutionView } from '../executions/view.ts';
import type { Caller } from '../journal/caller.ts';
import type { Runtime } from '../runtime.ts';

export interface AskedPrompt {
  readonly executionId: string;
  /** Null for a notification, which takes no answer. */
  readonly interactionId: string | null;
}

export interface AskedConsent {
  readonly executionId: string;
  /** Name of the OAuth provider. */
  readonly provider: string;
  /** URL of the consent page. */
  readonly authUrl: string;
  readonly state: string;
}

/**
 * Asks a person, and returns the response. An error ends the run as failed, and so does a response that does not fit
 * the prompt, because it cannot ask again. It also gets notifications; the result is then ignored.
 */
export type UserInputCallback = (prompt: Prompt, asked: AskedPrompt) => Promise<Response> | Response;

/**
 * Sends a user to a consent page, and returns the URL to which the provider sent the browser back; null if the user
 * refused. After null or an error, the workflow's `ctx.authorize` rejects with an `AuthorizationError`.
 */
export type UserAuthenticationCallback = (asked: AskedConsent) => Promise<URL | null> | URL | null;

export interface Callbacks {
  readonly userInputCallback?: UserInputCallback | undefined;
  readonly userAuthenticationCallback?: UserAuthenticationCallback | undefined;
}

/**
 * Lets the callbacks answer the prompts of a run, from its first fact on. Prompts that they do not take stay open for
 * others.
 */
export const answerWith = (callbacks: Callbacks, runtime: Runtime, execution: ExecutionView, by: Caller): void => {
  const { userInputCallback, userAuthenticationCallback } = callbacks;
  const { id: executionId } = execution;
  if (userInputCallback === undefined && userAuthenticationCallback === undefined) return;

  const answer = async (interactionId: string, prompt: Prompt, ask: UserInputCallback): Promise<void> => {
    try {
      const response = await ask(prompt, { executionId, interactionId });
      await runtime.answer(executionId, interactionId, response, by);
    } catch (thrown) {
      // Answered by another caller, or expired: the run has continued without this callback.
      if (execution.context.pauses.some(({ id }) => id === interactionId)) throw thrown;
    }
  };

  const authorize = async (asked: AskedConsent, send: UserAuthenticationCallback): Promise<void> => {
    const refuse = (reason: string) => runtime.offer(executionId, { type: 'oauth.refused', id: asked.state, reason });
    try {
      const callback = await send(asked);
      if (callback === null) return void (await refuse('The user did not consent.'));
      const { outcome } = await runtime.completeOAuth(callback, by);
      if (outcome === 'unknown_state') await refuse('The returned URL belongs to no open consent.');
    } catch (thrown) {
      await refuse(errorOf(thrown).message);
    }
  };

  const take = async (entry: JournalEntry): Promise<void> => {
    if (entry.type === 'interaction.requested' && userInputCallback) {
      await answer(entry.id, entry.prompt, userInputCallback);
    } else if (entry.type === 'notification.sent' && userInputCallback) {
      await userInputCallback(entry.prompt, { executionId, interactionId: null });
    } else if (entry.type === 'oauth.requested' && userAuthenticationCallback) {
      const { provider, authUrl, id: state } = entry;
      await authorize({ executionId, provider, authUrl, state }, userAuthenticationCallback);
    }
  };

  const fail = async (thrown: unknown): Promise<void> => {
    const { message, name } = errorOf(thrown);
    await runtime.offer(executionId, { type: 'execution.failed', error: { code: 'workflow_error', message, name } });
  };

  const serve = async (): Promise<void> => {
    for await (const { entries } of follow(execution, (after) => runtime.facts(executionId, after, by))) {
      for (const entry of entries) void take(entry).catch(fail).catch(noop);
    }
  };
  void serve().catch(noop);
};

/** The store has failed. The run detects this with its next fact. */
const noop = (): void => {};

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
