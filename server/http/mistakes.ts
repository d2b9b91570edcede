/** Mistakes in a body, in pydantic's shape. */

/** One mistake. `input` is what stood at `loc`; of a missing member it is the object that lacks it. */
export type ValidationEntry = {
  type: string;
  /** Begins with `body`; members by name, items by index. */
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
};

/** A body was refused; `validationReply(entries)` is what the client is told. */
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

/** Entries after which a list or dictionary is not looked at any further (L3). */
export const enoughEntries = 100;
