/** How an author says what a workflow is: its schemas, the resources it keeps, and the one function that runs. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Failure } from '../errors.ts';
import type { Context } from './context.ts';

/** Where resources are opened. What is deferred runs in reverse order when the builder is disposed, or fails to build. */
export interface Scope {
  /** Closes one resource. Each gets its turn, also if another throws. */
  defer(close: () => unknown): void;
  /** Aborted when nobody needs what is being built any more. */
  readonly signal: AbortSignal;
}

export type Build<Resources> = (user: string | null, scope: Scope) => Promise<Resources> | Resources;

/** What `run` may return: its one result, or an async generator whose yields are streamed before it. */
export type Returned<Output> = Promise<Output> | Output | AsyncGenerator<unknown, Output, undefined>;

export interface WorkflowOptions<Input, Output, Resources> {
  /** Shows in lists, logs and traces; endpoints of a configuration name it. */
  name: string;
  description?: string;
  /** Any Standard Schema; `run` gets what it returns. Without one, `run` gets the body as it came. */
  input?: StandardSchemaV1<unknown, Input>;
  /** What `run` returns has to fit; callers get what the schema makes of it. */
  output?: StandardSchemaV1<Output, unknown>;
  /** Opens resources once, before the first run; all runs share them. */
  build?: (scope: Scope) => Promise<Resources> | Resources;
  /** Opens resources once per user. Runs of a caller without identity are then refused. */
  perUser?: { build: (user: string, scope: Scope) => Promise<Resources> | Resources };
  /** It only streams: asking for a single result is an error. Default false. */
  streamOnly?: boolean;
  /**
   * What happens to executions that have lost their process, or have left memory while they waited. `replay`: they are
   * executed again from the top, and calls of `ctx` give what they gave before. `fail`: they end as `interrupted`, and never
   * leave memory. Default `replay`.
   */
  recover?: 'replay' | 'fail';
  /** Any text; change it when executions that were begun before can no longer be replayed. Default `1`. */
  version?: string;
  run(input: Input, ctx: Context, resources: Resources): Returned<Output>;
}

/** A checked workflow, as the runtime serves it. */
export interface Workflow<Input = unknown, Output = unknown> {
  readonly kind: 'fermata.workflow';
  readonly name: string;
  readonly description: string | undefined;
  readonly input: StandardSchemaV1<unknown, Input> | undefined;
  readonly output: StandardSchemaV1<Output, unknown> | undefined;
  readonly isPerUser: boolean;
  readonly streamOnly: boolean;
  readonly recover: 'replay' | 'fail';
  readonly version: string;
  readonly build: Build<unknown> | undefined;
  run(input: Input, ctx: Context, resources: unknown): Returned<Output>;
}

/** Throws `options_invalid` for a workflow that could never run. */
export const workflow = <Input, Output, Resources = undefined>(
  options: WorkflowOptions<Input, Output, Resources>,
): Workflow<Input, Output> => {
  const { name, description, input, output, build, perUser, streamOnly = false, run } = options;
  const { recover = 'replay', version = '1' } = options;
  const wrong = (detail: string): never => {
    throw new Failure('options_invalid', { detail: `workflow ${JSON.stringify(name)}: ${detail}` });
  };
  if (typeof name !== 'string' || name === '') wrong('name must be a text that is not empty');
  if (typeof run !== 'function') wrong('run must be a function');
  if (recover !== 'replay' && recover !== 'fail') wrong("recover must be 'replay' or 'fail'");
  if (typeof version !== 'string' || version === '') wrong('version must be a text that is not empty');
  if (build !== undefined && perUser !== undefined) wrong('build and perUser exclude each other');
  const builds: Build<unknown> | undefined = perUser
    ? (user, scope) => perUser.build(user as string, scope)
    : build && ((_user, scope) => build(scope));
  return {
    kind: 'fermata.workflow',
    name,
    description,
    input,
    output,
    isPerUser: perUser !== undefined,
    streamOnly,
    recover,
    version,
    build: builds,
    run: (input, ctx, resources) => run(input, ctx, resources as Resources),
  };
};

/** What the workflow's schema makes of an input. Rejects with `input_invalid`. */
export const readInput = async ({ input: schema }: Workflow, input: unknown): Promise<unknown> => {
  if (schema === undefined) return input;
  const read = await schema['~standard'].validate(input);
  if (read.issues === undefined) return read.value;
  const detail = read.issues.map(({ path = [], message }) => {
    const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
    return keys.length === 0 ? message : `${keys.join('.')}: ${message}`;
  });
  throw new Failure('input_invalid', { detail: detail.join('; ') });
};

export const isWorkflow = (value: unknown): value is Workflow =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'fermata.workflow';
