/** Mistakes in a body, in pydantic's shape. */

/** One mistake. `input` is the value at `loc`; for a missing member, the object that lacks it. */
export type ValidationEntry = {
  type: string;
  /** Begins with `body`; members by name, items by index. */
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
};

/** A body was refused. The client gets `validationReply(entries)`. */
export class ValidationFailure extends Error {
  override readonly name = 'ValidationFailure';
  readonly entries: readonly ValidationEntry[];

  constructor(entries: readonly ValidationEntry[]) {
    super(entries.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '));
    this.entries = entries;
  }
}

export const validationReply = (entries: readonly ValidationEntry[]): { detail: readonly ValidationEntry[] } => ({
  detail: entries,
});

/** Maximum number of mistakes in a list or dictionary (L3). */
export const enoughEntries = 100;
