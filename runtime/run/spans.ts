/** `ctx.span`: each start, chunk and end of a span is a fact of its own. */
import { randomUUID } from 'node:crypto';
import type { TraceStep } from '../../machines/facts.ts';
import type { Span, SpanKind, SpanOptions } from '../authoring/context.ts';
import { toJsonOrNull } from '../json.ts';
import type { RunCalls } from './run-calls.ts';

interface SpanOf {
  readonly parentId: string;
  readonly functionId: string;
  readonly kind: SpanKind;
  readonly name: string;
}

export const startSpan = (run: RunCalls, { parentId, functionId, kind, name }: SpanOf, options: SpanOptions): Span => {
  const isFunction = kind === 'FUNCTION';
  const trace = (id: string, event: string, more: { input?: unknown; output?: unknown; chunk?: string }): TraceStep => {
    const step = toJsonOrNull({ id, parentId, functionId, event, name, ...more }) as unknown as TraceStep | null;
    const shown = step ?? { id, parentId, functionId, event, name };
    return run.note({ type: 'trace.emitted', call: 0, after: 0, step: shown }).step;
  };
  const { input } = options;
  const { id } = trace(options.id ?? randomUUID(), `${kind}_START`, { input });
  const inner = { parentId: id, functionId: isFunction ? id : functionId };
  return {
    id,
    chunk: (chunk) => void trace(id, kind === 'LLM' ? 'LLM_NEW_TOKEN' : 'SPAN_CHUNK', { chunk }),
    end: (output) => void trace(id, `${kind}_END`, isFunction ? { input, output } : { output }),
    span: (kind, name, more = {}) => startSpan(run, { ...inner, kind, name }, more),
  };
};
