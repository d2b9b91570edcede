/** The steps of a run's own function: what tracers and chat interfaces see around all others. */
import { randomUUID } from 'node:crypto';
import type { TraceStep } from '../machines/facts.ts';
import type { Run } from './run.ts';
import { toJsonOrNull } from './to-json.ts';

/** As many outputs as NAT repeats at the end. */
const MAX_OUTPUTS = 50;

export class RunSteps {
  readonly functionId: string = randomUUID();
  readonly #workflowId = randomUUID();
  readonly #run: Run;
  readonly #input: unknown;
  readonly #outputs: unknown[] = [];

  constructor(run: Run) {
    this.#run = run;
    this.#input = toJsonOrNull(run.asked.input);
    this.#note(this.#workflowStep('WORKFLOW_START', { input: this.#input }));
    this.#note(this.#functionStep('FUNCTION_START', { input: this.#input }));
  }

  emitted(value: unknown): void {
    if (this.#outputs.length < MAX_OUTPUTS) this.#outputs.push(value);
  }

  /** Not for a run that has failed: how that ended is in the execution. */
  end(result: unknown): void {
    if (this.#run.execution.isSettled) return;
    const all = this.#outputs.length > 0 || result === null ? this.#outputs : [result];
    const output = all.map((value) => (typeof value === 'object' && value !== null ? value : { value }));
    this.#note(this.#functionStep('FUNCTION_END', { input: this.#input, output }));
    this.#note(this.#workflowStep('WORKFLOW_END', { output }));
  }

  #note(step: TraceStep): void {
    this.#run.note({ type: 'trace.emitted', step });
  }

  #functionStep(event: string, data: { input?: unknown; output?: unknown }): TraceStep {
    const { functionId: id } = this;
    return { id, parentId: this.#workflowId, functionId: 'root', event, name: this.#name, ...data };
  }

  #workflowStep(event: string, data: { input?: unknown; output?: unknown }): TraceStep {
    const { asked, workflow } = this.#run;
    const metadata = {
      workflow_run_id: asked.trace.runId,
      workflow_trace_id: asked.trace.traceId,
      conversation_id: asked.conversationId ?? null,
      display_name: this.#name,
    };
    const parentId = asked.trace.parentId ?? 'root';
    return { id: this.#workflowId, parentId, functionId: 'root', event, name: workflow.name, ...data, metadata };
  }

  get #name(): string {
    return this.#run.asked.functionName ?? '<workflow>';
  }
}
