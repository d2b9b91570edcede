/** What each fact of a run looks like on a socket. One for each reader, since steps are told from what they began with. */
import type { JournalEntry, Pause, Prompt, Runtime } from '../../runtime/index.ts';
import type { Steps } from '../steps.ts';
import { outputOf } from './output.ts';
import { say } from './protocol.ts';
import type { Turn } from './turn.ts';

export interface TranslatorSetup {
  readonly turn: Turn;
  readonly steps: Steps;
  readonly runtime: Pick<Runtime, 'now'>;
}

export class Translator {
  readonly #given: TranslatorSetup;
  #hasOutput = false;

  constructor(given: TranslatorSetup) {
    this.#given = given;
  }

  /** Facts come in order, from the first. A prompt that is no longer open is not told: nobody could answer it. */
  messages(entry: JournalEntry): object[] {
    const { turn, steps } = this.#given;
    const { refers } = turn;
    const id = this.#id(entry.seq);
    switch (entry.type) {
      case 'output.emitted':
        if (!turn.streaming) return [];
        this.#hasOutput = true;
        return this.#output(entry, entry.value);
      case 'trace.emitted':
        return [steps.show(entry.step, entry.at) ?? []].flat().map((step) => say.step(refers, step, entry.at));
      case 'notification.sent':
        return [say.interaction(refers, id, entry.prompt, entry.at)];
      case 'interaction.requested':
      case 'oauth.requested': {
        const pause = turn.execution.context.pauses.find((open) => open.id === entry.id);
        return pause === undefined ? [] : this.pause(pause);
      }
      case 'execution.completed':
        return [
          ...(this.#hasOutput || entry.result === null ? [] : this.#output(entry, entry.result)),
          ...this.#end(entry),
        ];
      case 'execution.failed': {
        const { message, name } = entry.error;
        const content = { code: 'workflow_error', message: name, details: message } as const;
        return [say.error(refers, `${id}-error`, content, entry.at), ...this.#end(entry)];
      }
      default:
        return [];
    }
  }

  /** Something that waits for a person. Its id is that of the message, so that answers can name it. */
  pause(pause: Pause): object[] {
    const now = this.#given.runtime.now();
    const { refers } = this.#given.turn;
    switch (pause.kind) {
      case 'interaction':
        return [say.interaction(refers, pause.id, shownPrompt(pause.prompt, now - pause.openedAt), now)];
      case 'oauth':
        return [say.interaction(refers, this.#id(pause.openedAt), consent(pause.authUrl), now)];
      case 'sleep':
        return [];
    }
  }

  /** For a reader who comes too late for all of it. */
  truncated(through: number): object {
    const details = `Of what was said before, up to fact ${through}, not everything is kept.`;
    const content = { code: 'unknown_error', message: 'Output is missing', details } as const;
    return say.error(this.#given.turn.refers, this.#id(through), content, this.#given.runtime.now());
  }

  #output({ seq, at }: JournalEntry, value: unknown): object[] {
    const output = outputOf(value);
    return output === undefined
      ? []
      : [say.response(this.#given.turn.refers, output.id ?? this.#id(seq), output.text, at)];
  }

  #end({ seq, at }: JournalEntry): object[] {
    const { refers, execution } = this.#given.turn;
    const { traceId } = execution.context;
    const complete = say.complete(refers, `${this.#id(seq)}-complete`, at);
    return traceId === null ? [complete] : [complete, say.trace(refers, `${this.#id(seq)}-trace`, traceId, at)];
  }

  #id(seq: number): string {
    return `${this.#given.turn.execution.id}-${seq}`;
  }
}

const consent = (text: string): object => ({
  input_type: 'oauth_consent',
  text,
  timeout: null,
  error: 'This prompt is no longer available.',
});

/** With the time that is left, in whole seconds; and with values as texts, which NAT's interface puts on buttons. */
const shownPrompt = (prompt: Prompt, elapsedMs: number): object => {
  const timeout = prompt.timeout === null ? null : Math.max(0, Math.round(prompt.timeout - elapsedMs / 1000));
  if (prompt.input_type !== 'binary_choice') return { ...prompt, timeout };
  return { ...prompt, timeout, options: prompt.options.map((option) => ({ ...option, value: asText(option.value) })) };
};

/** The value of an option as clients see it, and send it back. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
