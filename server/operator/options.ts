/** The options of the routes for operators, with their defaults. */

export interface OperatorOptions {
  /** Whether `/monitor/users` is served. Default false. */
  readonly monitorUsers: boolean;
  /** Whether the pages for operators are served: the console, and `/inspect`. Default true. */
  readonly console: boolean;
}

export const operatorDefaults: OperatorOptions = { monitorUsers: false, console: true };
