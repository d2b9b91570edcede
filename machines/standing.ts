/** The public status of an execution. The oldest open prompt or consent decides it. */
import type { ExecutionContext } from './execution.ts';
import { type Consent, type Interaction, isAwaited } from './facts.ts';

export const STANDS = ['running', 'interaction_required', 'oauth_required', 'completed', 'failed'] as const;
export type Stand = (typeof STANDS)[number];

/** The oldest open prompt or consent. */
export const firstAwaited = ({ pauses }: ExecutionContext): Interaction | Consent | undefined => pauses.find(isAwaited);

export const standOf = (context: ExecutionContext): Stand => {
  if (context.settledAt !== null) return context.error === null ? 'completed' : 'failed';
  const pause = firstAwaited(context);
  if (pause === undefined) return 'running';
  return pause.kind === 'oauth' ? 'oauth_required' : 'interaction_required';
};

/** The state of an execution, for its run: what it needs, or that it has ended. */
export type Phase = 'queued' | 'executing' | 'waiting' | 'settled';

export const phaseOf = ({ tags }: { readonly tags: ReadonlySet<string> }): Phase =>
  tags.has('settled') ? 'settled' : tags.has('slot') ? 'executing' : tags.has('queued') ? 'queued' : 'waiting';
