/** Where an execution stands, as callers see it: what was asked first and is open comes before all else. */
import type { ExecutionContext } from './execution.ts';
import { type Consent, type Interaction, isAwaited } from './facts.ts';

export const STANDS = ['running', 'interaction_required', 'oauth_required', 'completed', 'failed'] as const;
export type Stand = (typeof STANDS)[number];

/** What is open and was asked first. */
export const firstAwaited = ({ pauses }: ExecutionContext): Interaction | Consent | undefined => pauses.find(isAwaited);

export const standOf = (context: ExecutionContext): Stand => {
  if (context.settledAt !== null) return context.error === null ? 'completed' : 'failed';
  const pause = firstAwaited(context);
  if (pause === undefined) return 'running';
  return pause.kind === 'oauth' ? 'oauth_required' : 'interaction_required';
};
