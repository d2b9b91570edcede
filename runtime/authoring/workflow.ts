/** The definition of a workflow: its schemas, its resources, and its function. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Failure } from '../errors.ts';
import type { Context } from './context.ts';

/** Opens resources. Deferred functions run in reverse order when the builder is disposed, or when the build fails. */
export interface Scope {
  /** Closes one resource. All deferred functions run, also if one throws. */
  defer(close: () => unknown): void;
  /** Aborted when the build is no longer needed. */
  readonly signal: AbortSignal;
}

type Build<Resources> = (user: string | null, scope: Scope) => Promise<Resources> | Resources;

/** The return value of `run`: its result, or an async generator whose yields are streamed before the result. */
export type Returned<Output> = Promise<Output> | Output | AsyncGenerator<unknown, Output, undefined>;

export interface WorkflowOptions<Input, Output, Resources> {
  /** Used in lists, logs and traces, and in the endpoints of a configuration. */
  name: string;
  description?: string;
  /** Any Standard Schema. `run` gets the parsed value. Without a schema, `run` gets the body unchanged. */
  input?: StandardSchemaV1<unknown, Input>;
  /** The schema of the result. Callers get the parsed value. */
  output?: StandardSchemaV1<Output, unknown>;
  /** Opens resources once, before the first run. All runs share them. */
  build?: (scope: Scope) => Promise<Resources> | Resources;
  /** Opens resources once per user. Callers without identity are then refused. */
  perUser?: { build: (user: string, scope: Scope) => Promise<Resources> | Resources };
  /** The workflow only streams. A request for a single result is an error. Default false. */
  streamOnly?: boolean;
  /**
   * What happens to executions that lost their process, or left memory while they waited. `replay`: the function runs
   * again from the top, and calls of `ctx` return their earlier results. `fail`: they end as `interrupted`, and never
   * leave memory. Default `replay`.
   */
  recover?: 'replay' | 'fail';
  /** Any text. Change it when earlier executions can no longer be replayed. Default `1`. */
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

/** Throws `options_invalid` for an invalid definition. */
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

/** Parses an input with the workflow's schema. Rejects with `input_invalid`. */
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
