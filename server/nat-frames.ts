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
  /** The reader has been told that output is missing; it gets nothing more. */
  #isOver = false;

  constructor(options: NatFramesOptions) {
    this.#options = options;
  }

  frames(entry: JournalEntry): string {
    if (this.#isOver) return '';
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

  /** NAT's and OpenAI's clients know no event for that, and would take what follows for the whole answer. */
  missed(_through: number, isOutputMissing: boolean): string {
    if (this.#isOver || !isOutputMissing) return '';
    this.#isOver = true;
    return errorFrame({ message: OUTPUT_MISSING, name: 'OutputTruncated' }, this.#options.isLegacy);
  }

  #end(): string {
    return this.#options.end?.() ?? '';
  }
}

const OUTPUT_MISSING =
  'The run emitted more output than its journal keeps, and some of it was dropped before this client could take it. ' +
  'Read faster, emit fewer and larger pieces, or raise fermata.max_journal_facts and fermata.max_journal_bytes.';

const stepFrame = (shown: ShownStep | undefined): string =>
  shown === undefined ? '' : `intermediate_data: ${JSON.stringify(shown)}\n\n`;

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
