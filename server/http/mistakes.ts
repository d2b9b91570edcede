/** Mistakes in a body, in pydantic's shape. */
import { z } from 'zod';

const validationEntry = z.object({
  type: z.string(),
  /** Begins with `body`; members by name, items by index. */
  loc: z.array(z.union([z.string(), z.int()])),
  msg: z.string(),
  input: z.unknown(),
  ctx: z.record(z.string(), z.unknown()).exactOptional(),
});

/** One mistake. `input` is the value at `loc`; for a missing member, the object that lacks it. */
export type ValidationEntry = z.infer<typeof validationEntry>;

export const validationRefusal = z.object({ detail: z.array(validationEntry) }).meta({ id: 'ValidationRefusal' });

/** A body was refused. The client gets `validationReply(entries)`. */
export class ValidationFailure extends Error {
  override readonly name = 'ValidationFailure';
  readonly entries: readonly ValidationEntry[];

  constructor(entries: readonly ValidationEntry[]) {
    super(entries.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '));
    this.entries = entries;
  }
}

/** What a client sent is repeated to it, as far as it is not too large: many mistakes may name one large value. */
export const validationReply = (entries: readonly ValidationEntry[]): { detail: readonly ValidationEntry[] } => {
  const echo = new Echo();
  return { detail: entries.map((entry) => echo.within(entry)) };
};

/** Characters of a body that one refusal repeats, and of a text in its messages. */
const MAX_ECHOED = 262_144;
const MAX_QUOTED = 1_000;
const TOO_LARGE = 'This part of the body is too large to be repeated.';

class Echo {
  #left = MAX_ECHOED;

  within(entry: ValidationEntry): ValidationEntry {
    const { msg, input, ctx } = entry;
    this.#spend(input);
    const isLarge = this.#left < 0;
    if (isLarge) this.#left = 0;
    if (!isLarge && msg.length <= MAX_QUOTED) return entry;
    const shown = { ...entry, msg: String(cut(msg)), input: isLarge ? TOO_LARGE : input };
    if (ctx === undefined) return shown;
    return { ...shown, ctx: Object.fromEntries(Object.entries(ctx).map(([name, value]) => [name, cut(value)])) };
  }

  /** Stops at the limit: a large value is not read to its end. */
  #spend(value: unknown): void {
    this.#left -= typeof value === 'string' ? value.length + 2 : 5;
    if (typeof value !== 'object' || value === null) return;
    for (const name in value) {
      if (!Array.isArray(value)) this.#left -= name.length;
      if (this.#left < 0) return;
      this.#spend(value[name as keyof typeof value]);
    }
  }
}

const cut = <Value>(value: Value): Value | string =>
  typeof value === 'string' && value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}...` : value;

/** Maximum number of mistakes in a list or dictionary (L3). */
export const enoughEntries = 100;
