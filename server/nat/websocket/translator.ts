/** Converts the facts of a run to socket messages. One per reader, because steps depend on their beginning. */
import {
  aboutPrompt,
  GivenOutput,
  isForNat,
  isOutput,
  type JournalEntry,
  type Pause,
  type Prompt,
  type Runtime,
} from '../../../runtime/index.ts';
import { saidTexts } from '../../wire/completion.ts';
import type { ConsentPages } from '../consent-pages.ts';
import type { Steps } from '../steps.ts';
import { outputOf } from './output.ts';
import { say, UNAVAILABLE } from './server-messages.ts';
import type { Turn } from './turn.ts';

export interface TranslatorSetup {
  readonly turn: Turn;
  readonly steps: Steps;
  readonly runtime: Pick<Runtime, 'now'>;
  readonly consents: Pick<ConsentPages, 'usesRedirect'>;
}

export class Translator {
  readonly #given: TranslatorSetup;
  readonly #output = new GivenOutput(saidTexts);
  /** Prompts that were shown to the reader and are open as far as it knows. */
  readonly #shown = new Map<string, Prompt>();
  #hasOutput = false;

  constructor(given: TranslatorSetup) {
    this.#given = given;
  }

  /**
   * Facts arrive in order, from the first, without void ones that were not seen before (`voidIn`). A closed prompt is
   * not sent, because it could not be answered. `isSeen`: the reader already has the messages of this fact.
   */
  messages(entry: JournalEntry, isSeen = false): object[] {
    const { turn, steps } = this.#given;
    const { refers } = turn;
    const id = this.#id(entry.seq);
    if (isOutput(entry)) return turn.streaming ? this.#streamed(entry) : [];
    if (!isForNat(entry)) return [];
    switch (entry.type) {
      case 'trace.emitted':
        return [steps.show(entry.step, entry.at) ?? []].flat().map((step) => say.step(refers, step, entry.at));
      case 'notification.sent':
        return [say.interaction(refers, id, entry.prompt, entry.at)];
      case 'interaction.requested':
      case 'oauth.requested': {
        const pause = turn.execution.context.pauses.find((open) => open.id === entry.id);
        if (entry.type === 'interaction.requested' && (isSeen || pause !== undefined))
          this.#shown.set(entry.id, entry.prompt);
        return pause === undefined ? [] : this.pause(pause);
      }
      case 'interaction.answered':
      case 'interaction.expired':
        this.#shown.delete(entry.id);
        return [];
      case 'interaction.withdrawn':
        return this.#withdrawn(entry.id, entry.at);
      case 'execution.completed':
        return [
          ...(this.#hasOutput || entry.result === null ? [] : this.#text(entry, entry.result)),
          ...this.#end(entry),
        ];
      case 'execution.failed': {
        const { message, name } = entry.error;
        const content = { code: 'workflow_error', message: name, details: message } as const;
        return [say.error(refers, `${id}-error`, content, entry.at), ...this.#end(entry)];
      }
      case 'trace.identified': // sent at the end of the turn
        return [];
    }
  }

  /**
   * Sent messages cannot be taken back. For void output the reader gets a message that says so, and then the valid
   * output.
   */
  #streamed(entry: JournalEntry): object[] {
    const { values, isChanged } = this.#output.hear(entry);
    this.#hasOutput ||= values.length > 0;
    const texts = values.flatMap((value) => this.#text(entry, value));
    if (!isChanged) return texts;
    return [say.error(this.#given.turn.refers, `${this.#id(entry.seq)}-restarted`, RESTARTED, entry.at), ...texts];
  }

  /**
   * NAT has no message for a withdrawal. Its interface shows the last prompt, and closes it at its timeout. So the
   * prompt is sent again with timeout 0, followed by the prompt that is still open.
   */
  #withdrawn(id: string, at: number): object[] {
    const prompt = this.#shown.get(id);
    if (prompt === undefined) return [];
    this.#shown.delete(id);
    const { refers, execution } = this.#given.turn;
    const over = { ...shownPrompt(prompt, 0), timeout: 0, error: UNAVAILABLE };
    const open = execution.context.pauses.findLast((pause) => this.#shown.has(pause.id));
    return [say.interaction(refers, id, over, at), ...(open === undefined ? [] : this.pause(open))];
  }

  /** A prompt or consent. Its id is the id of the message, so that answers can name it. */
  pause(pause: Pause): object[] {
    const now = this.#given.runtime.now();
    const { refers } = this.#given.turn;
    switch (pause.kind) {
      case 'interaction':
        return [say.interaction(refers, pause.id, shownPrompt(pause.prompt, now - pause.openedAt), now)];
      case 'oauth':
        return [
          say.consent(
            refers,
            this.#id(pause.openedAt),
            pause.authUrl,
            this.#given.consents.usesRedirect(pause.provider),
            now,
          ),
        ];
      case 'sleep':
        return [];
    }
  }

  /** For a reader that is too late for all output. */
  truncated(through: number): object {
    const details = `Of what was said before, up to fact ${through}, not everything is kept.`;
    const content = { code: 'unknown_error', message: 'Output is missing', details } as const;
    return say.error(this.#given.turn.refers, this.#id(through), content, this.#given.runtime.now());
  }

  #text({ seq, at }: JournalEntry, value: unknown): object[] {
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

const RESTARTED = {
  code: 'unknown_error',
  message: 'The output begins anew',
  details: 'A step of the run was cut off and ran again, with another output. What it has said before is void.',
} as const;

/** With the remaining time in whole seconds, and values as texts, which NAT's interface shows on buttons. */
const shownPrompt = (prompt: Prompt, elapsedMs: number): object => {
  const timeout = prompt.timeout === null ? null : Math.max(0, Math.round(prompt.timeout - elapsedMs / 1000));
  const shown = { ...prompt, input_type: aboutPrompt(prompt.input_type).nat, timeout };
  if (!('options' in prompt)) return shown;
  return { ...shown, options: prompt.options.map((option) => ({ ...option, value: asText(option.value) })) };
};

/** The value of an option as clients see it and send it back. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
