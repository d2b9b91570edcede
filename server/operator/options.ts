/** The options of the routes for operators, with their defaults. */

export interface OperatorOptions {
  /** Whether there is `/monitor/users`. Default false. */
  readonly monitorUsers: boolean;
  /** Whether operators have pages: the console, and `/inspect`. Default true. */
  readonly console: boolean;
}

export const operatorDefaults: OperatorOptions = { monitorUsers: false, console: true };
