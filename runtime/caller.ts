/** Who asks. */
export interface Caller {
  /** Undefined for a caller who has not said who it is. */
  readonly userId: string | undefined;
  /** Operators may do what owners may. */
  readonly isOperator?: boolean;
}
