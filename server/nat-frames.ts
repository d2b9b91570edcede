/** The frames of NAT's streams: what they have in common, whatever an output looks like. */
import type { ExecutionView, JournalEntry } from '../runtime/index.ts';
import { eventFrame, type Translator } from './sse.ts';
import type { ShownStep, Steps } from './steps.ts';
import { errorText, type Wire } from './wire.ts';

export interface NatFramesOptions {
  readonly wire: Wire;
  readonly execution: ExecutionView;
  readonly steps: Steps;
  /** NAT's older routes end a failed stream with a line of bare JSON, and its chat interface reads no other error. */
  readonly isLegacy: boolean;
  /** The frame of an output. Without outputs, the result is the only one. */
  output(value: unknown): string;
  /** What follows the last output of a run that has not failed. */
  end?(): string;
}

/** For one reader. */
export class NatFrames implements Translator {
  readonly #options: NatFramesOptions;
  #hasOutput = false;

  constructor(options: NatFramesOptions) {
    this.#options = options;
  }

  frames(entry: JournalEntry): string {
    const { wire, execution, steps, isLegacy } = this.#options;
    switch (entry.type) {
      case 'output.emitted':
        this.#hasOutput = true;
        return this.#options.output(entry.value);
      case 'trace.emitted':
        return stepFrame(steps.show(entry.step, entry.at));
      case 'trace.identified':
        return `observability_trace: ${JSON.stringify({ observability_trace_id: entry.traceId })}\n\n`;
      case 'interaction.requested':
      case 'oauth.requested':
      case 'notification.sent':
        return pauseFrame(entry, execution.id, wire);
      case 'execution.completed':
        return (this.#hasOutput || entry.result === null ? '' : this.#options.output(entry.result)) + this.#end();
      case 'execution.failed':
        return errorFrame(entry.error, isLegacy);
      default:
        return '';
    }
  }

  missed(through: number): string {
    const { wire, execution } = this.#options;
    return truncatedFrame(through, wire.status(execution));
  }

  #end(): string {
    return this.#options.end?.() ?? '';
  }
}

const stepFrame = (shown: ShownStep | undefined): string =>
  shown === undefined ? '' : `intermediate_data: ${JSON.stringify(shown)}\n\n`;

/** `state` is what a GET of the execution gives. */
export const truncatedFrame = (through: number, state: unknown): string =>
  eventFrame('truncated', { truncated_through: through, ...(state as object) });

export const errorFrame = ({ message, name }: { message: string; name: string }, isLegacy: boolean): string => {
  const error = { code: 'workflow_error', message: errorText(message), details: name };
  return isLegacy ? JSON.stringify(error) : eventFrame('error', error);
};

type PauseEntry = Extract<JournalEntry, { type: 'interaction.requested' | 'oauth.requested' | 'notification.sent' }>;

/** Something that a person has to do, or shall know. */
const pauseFrame = (entry: PauseEntry, execution_id: string, wire: Wire): string => {
  switch (entry.type) {
    case 'interaction.requested': {
      const { id, prompt } = entry;
      const interaction = wire.interaction(execution_id, id, prompt);
      return eventFrame('interaction_required', { event_type: 'interaction_required', execution_id, ...interaction });
    }
    case 'oauth.requested': {
      const consent = { auth_url: entry.authUrl, oauth_state: entry.id };
      return eventFrame('oauth_required', { event_type: 'oauth_required', execution_id, ...consent });
    }
    case 'notification.sent':
      return eventFrame('notification', { event_type: 'notification', execution_id, prompt: entry.prompt });
  }
};
