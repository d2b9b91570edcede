/**
 * Chat completions and their chunks: an execution for OpenAI clients. A completion is a view of an execution: id and
 * time are those of the execution, so each read returns the same completion.
 */
import type { ExecutionView, ListedView, Texts } from '../../runtime/index.ts';

/** NAT's name if the workflow has none. */
const UNKNOWN_MODEL = 'unknown-model';

type Said = Readonly<Partial<Record<'content' | 'role' | 'tool_calls' | 'refusal', unknown>>> | null;
type Choice = {
  readonly index?: unknown;
  readonly finish_reason?: unknown;
  readonly message?: Said;
  readonly delta?: Said;
} | null;

/**
 * The text of a completion or a chunk. Undefined for other values; null for one without text, such as a tool call, or a
 * last chunk with the usage only.
 */
export const saidIn = (value: unknown): string | null | undefined => {
  if (!isCompletion(value) && !isChunk(value)) return undefined;
  const content = (value.choices[0]?.delta ?? value.choices[0]?.message)?.content;
  return typeof content === 'string' ? content : null;
};

/** Whether two chunks of one choice have the same text. Ids and times differ when a model is called again. */
export const saidTexts: Texts = {
  textOf: (value) => {
    if (typeof value === 'string') return value;
    const content = isChunk(value) && value.choices.length === 1 ? value.choices[0]?.delta?.content : undefined;
    return typeof content === 'string' ? content : undefined;
  },
  withText: (value, content) => {
    if (!isChunk(value)) return content;
    const [choice] = value.choices;
    return { ...value, choices: [{ ...choice, delta: { ...choice?.delta, content } }] };
  },
  keyOf: (value) => JSON.stringify(isChunk(value) || isCompletion(value) ? value.choices : value),
};

/** As workflows return it: only these members are required. */
type Completion = Partial<Identity> & {
  readonly object: 'chat.completion';
  readonly choices: readonly Choice[];
  readonly usage?: unknown;
};
type Chunk = Partial<Identity> & { readonly choices: readonly Choice[]; readonly usage?: unknown };
type Identity = { readonly id: string; readonly created: number; readonly model: string };

/** A completion is sent unchanged. Any other result is wrapped in a completion that counts words as tokens. */
export const completionOf = (execution: Pick<ListedView, 'id' | 'context'>): unknown => {
  const { result } = execution.context;
  if (isCompletion(result)) return result;
  const content = textOf(result);
  const { id, created, model } = identityOf(execution);
  return {
    id,
    object: 'chat.completion',
    model,
    created,
    choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
    usage: usageOf(wordsIn(content)),
    system_fingerprint: null,
    service_tier: null,
  };
};

const wordsIn = (text: string): number => text.match(/\S+/g)?.length ?? 0;
const usageOf = (words: number) => ({ prompt_tokens: 0, completion_tokens: words, total_tokens: words });

export interface ChunksOptions {
  /**
   * Whether choices that the workflow has finished are preserved, as with OpenAI. NAT closes every stream with `stop`.
   */
  readonly endsOnce: boolean;
  /** Whether the last chunk contains the usage. */
  readonly includesUsage: boolean;
  /** Whether the first chunk of a choice gets a role if the workflow sets none: OpenAI's client requires one. */
  readonly namesRoles: boolean;
}

/** The chunks of one stream. All have one id: the execution's, or that of the workflow's own chunks. */
export class Chunks {
  readonly #options: ChunksOptions;
  #identity: Identity;
  /** The final finish reason of each choice; null for one that has had its own. */
  readonly #reasons = new Map<number, string | null>();
  /** Choices that have had a role. */
  readonly #named = new Set<number>();
  #words = 0;
  /** The last usage that the workflow reported. */
  #usage: unknown = null;
  #isUsageSent = false;

  constructor(execution: ExecutionView, options: ChunksOptions) {
    this.#identity = identityOf(execution);
    this.#options = options;
  }

  /** A chunk is passed on unchanged. A whole completion becomes a chunk, and so does any other output. */
  of(output: unknown): unknown {
    if (isChunk(output)) return this.#passed(output);
    if (isCompletion(output)) return this.#cut(output);
    const content = textOf(output);
    this.#words += wordsIn(content);
    return this.#chunk([choiceOf(0, null, { content, role: 'assistant', tool_calls: null })]);
  }

  /** The chunks after the last output: the completion is complete. */
  ending(): unknown[] {
    const { endsOnce, includesUsage } = this.#options;
    const reasons = endsOnce && this.#reasons.size > 0 ? [...this.#reasons] : [[0, this.#reasons.get(0)] as const];
    const open = reasons.filter(([, reason]) => !endsOnce || reason !== null);
    const closing = open.map(([index, reason]) =>
      choiceOf(index, reason ?? 'stop', { content: '', role: null, tool_calls: null }),
    );
    const chunks = closing.length > 0 ? [this.#chunk(closing)] : [];
    if (includesUsage && !this.#isUsageSent) chunks.push(this.#chunk([], this.#usage ?? usageOf(this.#words)));
    return chunks;
  }

  #passed(chunk: Chunk): unknown {
    this.#adopt(chunk);
    for (const [at, choice] of chunk.choices.entries()) {
      const { index = at, finish_reason: reason, delta } = choice ?? {};
      if (typeof reason === 'string') this.#reasons.set(Number(index), null);
      else if (!this.#reasons.has(Number(index))) this.#reasons.set(Number(index), 'stop');
      if (typeof delta?.content === 'string') this.#words += wordsIn(delta.content);
    }
    if (chunk.choices.length === 0 && this.#usage !== null) this.#isUsageSent = true;
    return this.#options.namesRoles ? this.#withRoles(chunk) : chunk;
  }

  #withRoles(chunk: Chunk): Chunk {
    const choices = chunk.choices.map((choice, at) => {
      const { index = at, delta } = choice ?? {};
      if (this.#named.has(Number(index))) return choice;
      this.#named.add(Number(index));
      return delta && !delta.role ? { ...choice, delta: { ...delta, role: 'assistant' } } : choice;
    });
    return { ...chunk, choices };
  }

  /** The finish reasons come at the end. NAT reports no usage here. */
  #cut(completion: Completion): unknown {
    this.#adopt(completion);
    const choices = completion.choices.length > 0 ? completion.choices : [null];
    return this.#chunk(
      choices.map((choice, index) => {
        const { message, finish_reason: reason } = choice ?? {};
        this.#reasons.set(index, typeof reason === 'string' ? reason : 'stop');
        const content = typeof message?.content === 'string' ? message.content : null;
        this.#words += wordsIn(content ?? '');
        const { tool_calls: calls, refusal } = message ?? {};
        const tool_calls = Array.isArray(calls) ? calls.map((call, at) => ({ ...call, index: at })) : null;
        const refused = typeof refusal === 'string' ? { refusal } : {};
        return choiceOf(index, null, { content, role: 'assistant', tool_calls, ...refused });
      }),
    );
  }

  #adopt({ id, created, model, usage }: Chunk): void {
    const known = this.#identity;
    this.#identity = {
      id: typeof id === 'string' ? id : known.id,
      created: typeof created === 'number' ? created : known.created,
      model: typeof model === 'string' ? model : known.model,
    };
    this.#usage = usage ?? this.#usage;
  }

  #chunk(choices: readonly object[], usage: unknown = null): unknown {
    const { id, created, model } = this.#identity;
    return {
      id,
      choices,
      created,
      model,
      object: 'chat.completion.chunk',
      system_fingerprint: null,
      service_tier: null,
      usage,
    };
  }
}

const choiceOf = (index: number, finish_reason: string | null, delta: object) => ({ finish_reason, index, delta });

const identityOf = ({ id, context: { startedAt } }: Pick<ListedView, 'id' | 'context'>): Identity => ({
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
const isChunk = (value: unknown): value is Chunk => isOf(value, 'chat.completion.chunk');

/** A text is unchanged, an empty value is an empty text, and other values are JSON. */
const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
};
