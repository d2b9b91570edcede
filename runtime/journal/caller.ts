/** Who asks. */
export interface Caller {
  /** Undefined for a caller who has not said who it is. */
  readonly userId: string | undefined;
  /**
   * What tells a caller without identity from others: an unguessable token. Names of such a caller's choice are its own by
   * it. Default: only names that nobody can guess stand for something.
   */
  readonly guest?: string | undefined;
  /** Operators may do what owners may. */
  readonly isOperator?: boolean;
}
