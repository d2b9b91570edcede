/** The steps of a run's own function, which contain all others in tracers and chat interfaces. */
import { randomUUID } from 'node:crypto';
import type { TraceStep } from '../../machines/facts.ts';
import { toJsonOrNull } from '../json.ts';
import type { RunCalls } from './run-calls.ts';

/** NAT repeats at most this many outputs in the last steps of a run. */
const MAX_OUTPUTS = 50;

export class RunSteps {
  readonly functionId: string;
  readonly #workflowId: string;
  readonly #run: RunCalls;
  readonly #input: unknown;
  readonly #outputs: unknown[] = [];

  constructor(run: RunCalls) {
    this.#run = run;
    this.#input = toJsonOrNull(run.asked.input);
    this.#workflowId = this.#note(this.#workflowStep(randomUUID(), 'WORKFLOW_START', { input: this.#input }));
    this.functionId = this.#note(this.#functionStep(randomUUID(), 'FUNCTION_START', { input: this.#input }));
  }

  emitted(value: unknown): void {
    if (this.#outputs.length < MAX_OUTPUTS) this.#outputs.push(value);
  }

  /** Records the end of both steps. Not called for a failed run, whose error is in the execution. */
  end(result: unknown): void {
    if (this.#run.execution.isSettled) return;
    const all = this.#outputs.length > 0 || result === null ? this.#outputs : [result];
    const output = all.map((value) => (typeof value === 'object' && value !== null ? value : { value }));
    this.#note(this.#functionStep(this.functionId, 'FUNCTION_END', { input: this.#input, output }));
    this.#note(this.#workflowStep(this.#workflowId, 'WORKFLOW_END', { output }));
  }

  /** Returns the id of the step: that of the earlier run, if there was one. */
  #note(step: TraceStep): string {
    return this.#run.note({ type: 'trace.emitted', call: 0, after: 0, step }, this.#run).step.id;
  }

  #functionStep(id: string, event: string, data: { input?: unknown; output?: unknown }): TraceStep {
    return { id, parentId: this.#workflowId, functionId: 'root', event, name: this.#name, ...data };
  }

  #workflowStep(id: string, event: string, data: { input?: unknown; output?: unknown }): TraceStep {
    const { asked, workflow } = this.#run;
    const metadata = {
      workflow_run_id: asked.trace.runId,
      workflow_trace_id: asked.trace.traceId,
      conversation_id: asked.conversationId ?? null,
      display_name: this.#name,
    };
    const parentId = asked.trace.parentId ?? 'root';
    return { id, parentId, functionId: 'root', event, name: workflow.name, ...data, metadata };
  }

  get #name(): string {
    return this.#run.asked.functionName ?? '<workflow>';
  }
}
