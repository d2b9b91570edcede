/** The common part of the frames of NAT's streams. */
import { type ExecutionView, GivenOutput, isForNat, isOutput, type JournalEntry } from '../../runtime/index.ts';
import { eventFrame, type Translator } from '../http/event-frames.ts';
import type { Wire } from '../wire/bodies.ts';
import { saidTexts } from '../wire/completion.ts';
import { pauseError, runError } from './chat/openai.ts';
import type { ShownStep, Steps } from './steps.ts';

export interface NatFramesOptions {
  readonly wire: Wire;
  readonly execution: ExecutionView;
  readonly steps: Steps;
  readonly errors: ErrorForm;
  /** Whether the stream ends at a prompt or consent, because its client does not know such events. Default false. */
  readonly endsAtPause?: boolean;
  /** The frame of an output. Without outputs, the result is the only output. */
  output(value: unknown): string;
  /** The end of a stream whose run has not failed. */
  end?(): string;
}

/**
 * How a stream reports a failed run. NAT's older routes end with a line of bare JSON, the only error that its chat
 * interface reads. OpenAI clients read only a member `error`.
 */
export type ErrorForm = 'event' | 'bare' | 'openai';

/** State for one reader. */
export class NatFrames implements Translator {
  readonly #options: NatFramesOptions;
  readonly #given = new GivenOutput(saidTexts);
  #hasOutput = false;
  isOver = false;

  constructor(options: NatFramesOptions) {
    this.#options = options;
  }

  frames(entry: JournalEntry): string {
    const { wire, execution, steps, errors } = this.#options;
    if (isOutput(entry)) return this.#output(entry);
    if (!isForNat(entry)) return '';
    switch (entry.type) {
      case 'trace.emitted':
        return stepFrame(steps.show(entry.step, entry.at));
      case 'trace.identified':
        return `observability_trace: ${JSON.stringify({ observability_trace_id: entry.traceId })}\n\n`;
      case 'interaction.requested':
      case 'oauth.requested':
        this.isOver = this.#options.endsAtPause === true;
        return pauseFrame(entry, execution.id, wire, errors);
      case 'notification.sent':
        return pauseFrame(entry, execution.id, wire, errors);
      case 'execution.completed':
        return (this.#hasOutput || entry.result === null ? '' : this.#options.output(entry.result)) + this.#end();
      case 'execution.failed':
        return errorFrame(entry.error, errors);
      case 'interaction.answered':
      case 'interaction.expired':
      case 'interaction.withdrawn':
        return '';
    }
  }

  /** Sent output cannot be taken back. */
  #output(entry: JournalEntry): string {
    const { values, isChanged } = this.#given.hear(entry);
    if (isChanged) {
      this.isOver = true;
      return errorFrame({ message: RESTARTED, name: 'OutputRestarted' }, this.#options.errors);
    }
    let text = '';
    for (const value of values) text += this.#options.output(value);
    this.#hasOutput ||= values.length > 0;
    return text;
  }

  /** NAT's and OpenAI clients know no event for that, and would take the rest for the whole answer. */
  missed(_through: number, isOutputMissing: boolean): string {
    if (!isOutputMissing) return '';
    this.isOver = true;
    return errorFrame({ message: OUTPUT_MISSING, name: 'OutputTruncated' }, this.#options.errors);
  }

  /** Without it, the output would look complete. */
  cut(): string {
    return errorFrame({ message: STOPPED, name: 'ServerStopped' }, this.#options.errors);
  }

  #end(): string {
    return this.#options.end?.() ?? '';
  }
}

const OUTPUT_MISSING =
  'The run emitted more output than its journal keeps, and some of it was dropped before this client could take it. ' +
  'Read faster, emit fewer and larger pieces, or raise fermata.max_journal_facts and fermata.max_journal_bytes.';

const RESTARTED =
  'A step of the run was cut off and ran again, and its output is another one than this client has been given, which is void. ' +
  'Ask for the execution again under the id in the header Execution-Id.';

const STOPPED =
  'The server stopped before the run ended. Ask for the execution again under the id in the header Execution-Id: it goes on ' +
  'if executions are kept.';

const stepFrame = (shown: ShownStep | undefined): string =>
  shown === undefined ? '' : `intermediate_data: ${JSON.stringify(shown)}\n\n`;

export const errorFrame = ({ message, name }: { message: string; name: string }, form: ErrorForm): string => {
  const error = { code: 'workflow_error', message, details: name };
  if (form === 'bare') return JSON.stringify(error);
  return eventFrame('error', form === 'openai' ? { ...error, error: runError({ ...error, name }) } : error);
};

type PauseEntry = Extract<JournalEntry, { type: 'interaction.requested' | 'oauth.requested' | 'notification.sent' }>;

/** A prompt, a consent or a notification. */
const pauseFrame = (entry: PauseEntry, execution_id: string, wire: Wire, errors: ErrorForm): string => {
  const event = (event_type: 'interaction_required' | 'oauth_required', more: object): string => {
    const error = errors === 'openai' ? { error: pauseError(event_type) } : {};
    return eventFrame(event_type, { event_type, execution_id, ...more, ...error });
  };
  switch (entry.type) {
    case 'interaction.requested':
      return event('interaction_required', wire.interaction(execution_id, entry.id, entry.prompt));
    case 'oauth.requested':
      return event('oauth_required', { auth_url: entry.authUrl, oauth_state: entry.id });
    case 'notification.sent':
      if (errors === 'openai') return ''; // a client would take it for a chunk
      return eventFrame('notification', { event_type: 'notification', execution_id, prompt: entry.prompt });
  }
};
