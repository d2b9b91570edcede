/**
 * Chat completions and their chunks: how a run looks to OpenAI's clients. A completion is a view of an execution: its id and
 * its time are the execution's, so that it is the same one whenever and however often it is read.
 */
import type { ExecutionView } from '../../runtime/index.ts';

/** NAT gives this name where the workflow gives none. */
const UNKNOWN_MODEL = 'unknown-model';

type Said = { readonly content?: unknown } | null;
type Choice = { readonly message?: Said; readonly delta?: Said } | null;

/**
 * What a completion, or a chunk of one, says. Undefined for anything else; null for one without text, such as a call of
 * a tool, or a last chunk that only says what was used.
 */
export const saidIn = (value: unknown): string | null | undefined => {
  if (!isCompletion(value) && !isChunk(value)) return undefined;
  const content = (value.choices[0]?.delta ?? value.choices[0]?.message)?.content;
  return typeof content === 'string' ? content : null;
};

/** As workflows may give it: of its members, only these are counted on. */
type Completion = { readonly object: 'chat.completion'; readonly choices: readonly Choice[] } & Partial<Identity> & {
    readonly usage?: unknown;
  };
type Identity = { readonly id: string; readonly created: number; readonly model: string };

/** A result that is a completion is sent as it is; of any other a completion is made, which counts words as tokens. */
export const completionOf = (execution: ExecutionView): unknown => {
  const { result } = execution.context;
  if (isCompletion(result)) return result;
  const content = textOf(result);
  const words = content.match(/\S+/g)?.length ?? 0;
  const { id, created, model } = identityOf(execution);
  return {
    id,
    object: 'chat.completion',
    model,
    created,
    choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
    usage: { prompt_tokens: 0, completion_tokens: words, total_tokens: words },
    system_fingerprint: null,
    service_tier: null,
  };
};

/** The chunks of one stream. All that we make have one id: the execution's, or that of the workflow's own chunks. */
export class Chunks {
  #identity: Identity;

  constructor(execution: ExecutionView) {
    this.#identity = identityOf(execution);
  }

  /** A chunk is passed on as it is; a whole completion becomes one, and so does any other output. */
  of(output: unknown): unknown {
    if (isChunk(output) || isCompletion(output)) this.#adopt(output);
    if (isChunk(output)) return output;
    if (!isCompletion(output)) return this.#chunk({ content: textOf(output), role: 'assistant' });
    return this.#chunk({ content: saidIn(output) ?? null, role: 'assistant', usage: output.usage });
  }

  /** The one after the last output: the completion is whole. */
  last(): unknown {
    return this.#chunk({ content: '', role: null, finishReason: 'stop' });
  }

  #adopt({ id, created, model }: Partial<Identity>): void {
    const known = this.#identity;
    this.#identity = {
      id: typeof id === 'string' ? id : known.id,
      created: typeof created === 'number' ? created : known.created,
      model: typeof model === 'string' ? model : known.model,
    };
  }

  #chunk(made: { content: string | null; role: string | null; finishReason?: string; usage?: unknown }): unknown {
    const { id, created, model } = this.#identity;
    const { content, role, finishReason = null, usage = null } = made;
    return {
      id,
      choices: [{ finish_reason: finishReason, index: 0, delta: { content, role, tool_calls: null } }],
      created,
      model,
      object: 'chat.completion.chunk',
      system_fingerprint: null,
      service_tier: null,
      usage,
    };
  }
}

const identityOf = ({ id, context: { startedAt } }: ExecutionView): Identity => ({
  id,
  created: Math.floor(startedAt / 1000),
  model: UNKNOWN_MODEL,
});

const isOf = (value: unknown, kind: string): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Reflect.get(value, 'object') === kind &&
  Array.isArray(Reflect.get(value, 'choices'));

const isCompletion = (value: unknown): value is Completion => isOf(value, 'chat.completion');
const isChunk = (value: unknown): value is Partial<Identity> & { readonly choices: readonly Choice[] } =>
  isOf(value, 'chat.completion.chunk');

/** A text is what it says, nothing says nothing, and everything else is written as JSON. */
const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
};
