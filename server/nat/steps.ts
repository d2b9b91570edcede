/** Unfiltered intermediate steps, for the streams at `/full`. */
import type { TraceStep } from '../../runtime/index.ts';

/** A step for clients. */
export interface ShownStep {
  /** The same for all events of one step: clients replace the shown step. */
  readonly id: string;
  readonly parent_id: string;
  readonly type: string;
  readonly name: string;
  readonly payload: string;
}

export interface Steps {
  /** How an event of a step at this time (epoch milliseconds) is shown; undefined if it is not. */
  show(step: TraceStep, at: number): ShownStep | undefined;
}

/** All members of NAT's steps, as JSON. Members without a value here are null. */
export const payloadOf = (step: TraceStep, at: number): string => {
  const { id, event, name, input = null, output = null, chunk = null, metadata } = step;
  return JSON.stringify({
    event_type: event,
    event_timestamp: at / 1000,
    span_event_timestamp: null,
    framework: null,
    name,
    tags: null,
    metadata: metadata === undefined ? null : { ...noMetadata, provided_metadata: metadata, tools_schema: [] },
    data: { input, output, chunk, payload: null },
    usage_info: null,
    UUID: id,
  });
};

const noMetadata = {
  chat_responses: null,
  chat_inputs: null,
  tool_inputs: null,
  tool_outputs: null,
  tool_info: null,
  span_inputs: null,
  span_outputs: null,
};

/**
 * `filter` is the query parameter `filter_steps`: event types, separated by commas and not trimmed. `none` means no
 * steps, absent or empty all steps.
 */
export const rawSteps = (filter: string | undefined): Steps => {
  const shown = filter ? new Set(filter.toLowerCase() === 'none' ? [] : filter.split(',')) : undefined;
  return {
    show: (step, at) => {
      if (shown?.has(step.event) === false) return undefined;
      const { id, parentId: parent_id, event: type, name } = step;
      return { id, parent_id, type, name, payload: payloadOf(step, at) };
    },
  };
};
