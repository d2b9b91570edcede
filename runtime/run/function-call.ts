/** The call of the author's function: its input and its end, each parsed by a schema if there is one. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OutputInvalidError, stackOf, wordsOf } from '../authoring/errors.ts';
import type { Returned, Workflow } from '../authoring/workflow.ts';
import { copyJson, toJson } from '../json.ts';
import { RunContext } from './context.ts';
import { RunSteps } from './function-steps.ts';
import type { RunCalls } from './run-calls.ts';
import { type Callee, type Position, runAt, runFrom } from './thread.ts';

/** Logs an error of a workflow, which is not an error of the server. */
export const FAILED = 'a workflow has failed';

/** Outputs of a generator between two turns of the event loop. */
const YIELDS_A_TURN = 256;

export class FunctionCall implements Callee<unknown> {
  readonly #run: RunCalls;
  /** The parsed input, if the schema was called. */
  readonly #read: { readonly value: unknown } | undefined;
  #generator: AsyncGenerator<unknown, unknown, undefined> | undefined;
  /** Only for callers that stream; others do not pay for it. */
  #steps: RunSteps | undefined;

  constructor(run: RunCalls, read: { readonly value: unknown } | undefined) {
    this.#run = run;
    this.#read = read;
  }

  /** Id of the step of the function, if that is recorded. */
  get stepId(): string | undefined {
    return this.#steps?.functionId;
  }

  begin(): void {
    const { workflow, asked } = this.#run;
    try {
      if (workflow.streamOnly && !asked.streaming)
        throw new Error('Cannot get a single output value for streaming workflows');
      if (asked.recordsSteps ?? asked.streaming) this.#steps = new RunSteps(this.#run);
      this.#readInput(workflow);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The run has emitted an output. */
  emitted(value: unknown): void {
    this.#steps?.emitted(value);
  }

  /** The execution has settled. */
  end(): void {
    if (this.#generator !== undefined) runAt(this.#run, () => this.#generator?.return(undefined).catch(() => {}));
  }

  /** The schema is called once per replay. */
  #readInput(workflow: Workflow): void {
    const { asked } = this.#run;
    const schema = workflow.input?.['~standard'];
    if (this.#read !== undefined || schema === undefined) {
      runFrom(this.#run, this, this.#read === undefined ? copyJson(asked.input) : this.#read.value);
      return;
    }
    const read = this.#validated(schema, copyJson(asked.input));
    if (!(read instanceof Promise)) this.#callWith(read);
    else read.then((late) => this.#callWith(late)).catch((error) => this.fail(error));
  }

  #callWith(read: StandardSchemaV1.Result<unknown>): void {
    if (this.#run.isOver) return;
    if (read.issues === undefined) runFrom(this.#run, this, read.value);
    else {
      const came = `a schema that does not take it: ${read.issues[0]?.message}`;
      this.#run.block('the input as it came', came);
      this.#run.execution.detach();
    }
  }

  call(input: unknown): Returned<unknown> {
    const { workflow, resources } = this.#run;
    const returned: Returned<unknown> = workflow.run(input, new RunContext(this.#run), resources);
    return isGenerator(returned) ? this.#drain((this.#generator = returned)) : returned;
  }

  async #drain(generator: AsyncGenerator<unknown, unknown, undefined>): Promise<unknown> {
    for (let yields = 0; ; yields += 1) {
      // The thread of a generator is that of its caller, which only knows the number of its calls.
      const position: Position = { run: this.#run, after: `yield ${yields}`, branch: undefined, step: undefined };
      const { done, value } = await runAt(position, () => generator.next());
      if (done) return value;
      this.#run.note({ type: 'output.emitted', call: 0, value: toJson(value, 'Output') }, position);
      // A generator without waits would fill the journal before any subscriber has had a turn.
      if (yields % YIELDS_A_TURN === YIELDS_A_TURN - 1) await new Promise(setImmediate);
    }
  }

  /** The output schema parses the result. A stream need not have one. */
  complete(result: unknown): void {
    const { workflow, asked } = this.#run;
    const { output } = workflow;
    const isAbsent = result === undefined && asked.streaming;
    const checked = output === undefined || isAbsent ? { value: result } : this.#validated(output['~standard'], result);
    if (checked instanceof Promise)
      void checked.then((late) => this.#conclude(late)).catch((error) => this.fail(error));
    else this.#conclude(checked);
  }

  /** On a thread of the run, so that promises which a schema does not await belong to the run. */
  #validated(schema: StandardSchemaV1['~standard'], value: unknown): ReturnType<typeof schema.validate> {
    return runAt(this.#run, () => schema.validate(value));
  }

  #conclude(checked: StandardSchemaV1.Result<unknown>): void {
    if (checked.issues !== undefined) {
      const issues = checked.issues.map(({ path = [], message }) => `${path.map(keyOf).join('.') || 'it'}: ${message}`);
      this.fail(new OutputInvalidError(`The result does not fit the output schema: ${issues.join('; ')}`));
      return;
    }
    const result = toJson(checked.value, 'The result');
    this.#run.once('the end of the function', () => {
      this.#steps?.end(result);
      this.#run.record({ type: 'execution.completed', at: 0, seq: undefined, result });
    });
  }

  fail(thrown: unknown): void {
    if (this.#run.isOver) return;
    const { message, name } = wordsOf(thrown);
    const stack = stackOf(thrown);
    this.#run.once(`the end of the function, by ${name}: ${message}`, () => {
      if (this.#run.isOver) return;
      const { deps, execution, workflow } = this.#run;
      const error = { code: 'workflow_error', message, name } as const;
      deps.log.error({ executionId: execution.id, workflow: workflow.name, err: thrown }, FAILED);
      this.#run.record({ type: 'execution.failed', error: stack === undefined ? error : { ...error, stack } });
    });
  }
}

const keyOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): string =>
  String(typeof segment === 'object' ? segment.key : segment);

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown, undefined> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value;
