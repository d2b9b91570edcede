/** NAT's bodies: how an execution looks to its clients. Members stand in the order in which NAT sends them. */
import type { ExecutionView, Pause } from '../runtime/index.ts';

/** Paths in bodies begin with the root path of the server. */
export interface Wire {
  /** 202: the first thing a client has to do for an execution that has paused. */
  accepted(execution: ExecutionView): unknown;
  /** GET of an execution. */
  status(execution: ExecutionView): unknown;
  /** What waits, without saying where to. */
  pause(executionId: string, pause: Pause): Record<string, unknown>;
}

/** Scalars, lists and null are wrapped; objects are sent as they are. */
export const resultBody = (result: unknown): unknown =>
  typeof result === 'object' && result !== null && !Array.isArray(result) ? result : { value: result };

/** The oldest thing that a person has to do. */
export const firstPause = ({ context: { pauses } }: ExecutionView): Pause | undefined =>
  pauses.find(({ kind }) => kind !== 'sleep');

/** Whether the request that started it can be answered: it is over, or a person has to do something first. */
export const hasOutcome = (execution: ExecutionView): boolean =>
  execution.isSettled || firstPause(execution) !== undefined;

/** What NAT says for a failure without text. */
export const errorText = (message: string | undefined): string => message || 'Unknown error';

export const createWire = (rootPath: string): Wire => {
  const statusUrl = (executionId: string): string => `${rootPath}/executions/${executionId}`;

  const pauseBody = (executionId: string, pause: Pause): Record<string, unknown> => {
    switch (pause.kind) {
      case 'interaction':
        return {
          status: 'interaction_required',
          interaction_id: pause.id,
          prompt: pause.prompt,
          response_url: `${statusUrl(executionId)}/interactions/${pause.id}/response`,
        };
      case 'oauth':
        return { status: 'oauth_required', auth_url: pause.authUrl, oauth_state: pause.id };
      case 'sleep':
        return { status: 'running' };
    }
  };

  return {
    pause: pauseBody,
    accepted: (execution) => {
      const pause = firstPause(execution);
      const paused = pause === undefined ? { status: 'running' } : pauseBody(execution.id, pause);
      return { execution_id: execution.id, status_url: statusUrl(execution.id), ...paused };
    },
    status: (execution) => {
      const { context } = execution;
      const { executionId: execution_id, settledAt, error, result } = context;
      if (settledAt !== null) {
        return error === null
          ? { execution_id, status: 'completed', result: resultBody(result) }
          : { execution_id, status: 'failed', error: errorText(error.message) };
      }
      const open = context.pauses.filter(({ kind }) => kind !== 'sleep');
      const [first] = open;
      if (first === undefined) return { execution_id, status: 'running' };
      const body = { execution_id, ...pauseBody(execution_id, first) };
      return open.length === 1 ? body : { ...body, pending: open.map((pause) => pauseBody(execution_id, pause)) };
    },
  };
};
