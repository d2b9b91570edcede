/** The caller of a request. */
export interface Caller {
  /** Undefined for a caller without identity. */
  readonly userId: string | undefined;
  /**
   * Distinguishes callers without identity: an unguessable token. Names that such a caller chooses belong to this
   * token. Default: only unguessable names are accepted.
   */
  readonly guest?: string | undefined;
  /** Operators may do what owners may. */
  readonly isOperator?: boolean;
}
