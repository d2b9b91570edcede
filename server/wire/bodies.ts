/** NAT's bodies of executions. Members have NAT's order. */

import type {
  AcceptedBody,
  AddressedPrompt,
  BlockedBody,
  CompletedBody,
  ExecutionBody,
  OpenPause,
} from '../../client/wire.ts';
import {
  type Consent,
  type ExecutionView,
  firstAwaited,
  type Interaction,
  isAwaited,
  isListed,
  jsonSchemaOf,
  type ListedView,
  type Prompt,
  type Workflow,
} from '../../runtime/index.ts';
import { completionOf } from './completion.ts';

/** The parts of an execution that bodies show. */
type Shown = Pick<ListedView, 'id' | 'context'>;

/** Paths in bodies begin with the root path of the server. */
export interface Wire {
  /** 202: the first open prompt or consent of a paused execution. */
  accepted(execution: ExecutionView): AcceptedBody;
  /** GET of an execution. */
  status(execution: Shown): ExecutionBody;
  /** The same in a list, without a large result. */
  listed(execution: ListedView): ExecutionBody | CompletedBody;
  /** The result of a completed execution. */
  result(execution: Shown): unknown;
  /** An open prompt or consent, without its URL. */
  pause(executionId: string, pause: Interaction | Consent): OpenPause;
  /** A prompt, and the path for its answer. */
  interaction(executionId: string, interactionId: string, prompt: Prompt): AddressedPrompt;
}

/**
 * Objects are sent unchanged; other values are wrapped. If the schema of a workflow allows both, all its results are
 * wrapped, so that clients find them in one place.
 */
const resultBody = (result: unknown, mayBeEither: boolean): unknown =>
  mayBeEither || typeof result !== 'object' || result === null || Array.isArray(result) ? { value: result } : result;

/** The JSON types that it allows, by its schema; `unknown` if the schema does not say. */
export const typesGivenBy = ({ output }: Workflow): readonly string[] => {
  const schema = jsonSchemaOf(output, 'output');
  const choices = [schema.anyOf ?? schema.oneOf ?? schema].flat() as readonly { readonly type?: string | string[] }[];
  return choices.flatMap(({ type = 'unknown' }) => type);
};

export const isWrapped = (type: string): boolean => type !== 'object' && type !== 'unknown';

/** By its schema: objects in some cases, and other values in others. */
const givesEither = (workflow: Workflow): boolean => {
  const types = typesGivenBy(workflow);
  return types.some(isWrapped) && !types.every(isWrapped);
};

/** Whether the start request can be answered: the execution has ended, or waits for a person. */
export const hasOutcome = (execution: ExecutionView): boolean =>
  execution.isSettled || firstAwaited(execution.context) !== undefined;

/** NAT's text for a failure without text, where the status can be read again; elsewhere the text stays empty. */
export const errorText = (message: string | undefined): string => message || 'Unknown error';

/** Why it is blocked; nothing if it is not. */
const blockedBody = ({ blocked }: ListedView['context']): { blocked?: BlockedBody } => {
  if (blocked === null) return {};
  const { expected, came, version, since } = blocked;
  return { blocked: { expected, came, version, since: new Date(since).toISOString() } };
};

export const createWire = (rootPath: string, workflows: readonly Workflow[]): Wire => {
  const either = new Set(workflows.filter(givesEither).map(({ name }) => name));
  const result: Wire['result'] = (execution) => {
    const { form, result: given, workflow } = execution.context;
    return form === 'chat' ? completionOf(execution) : resultBody(given, either.has(workflow));
  };
  const statusUrl = (executionId: string): string => `${rootPath}/executions/${executionId}`;

  const interaction: Wire['interaction'] = (executionId, interaction_id, prompt) => ({
    interaction_id,
    prompt,
    response_url: `${statusUrl(executionId)}/interactions/${interaction_id}/response`,
  });

  const pauseBody: Wire['pause'] = (executionId, pause) =>
    pause.kind === 'oauth'
      ? { status: 'oauth_required', auth_url: pause.authUrl, oauth_state: pause.id }
      : { status: 'interaction_required', ...interaction(executionId, pause.id, pause.prompt) };

  const status: Wire['status'] = (execution) => {
    const { context } = execution;
    const { executionId: execution_id, settledAt, error } = context;
    if (settledAt !== null) {
      return error === null
        ? { execution_id, status: 'completed', result: result(execution) }
        : { execution_id, status: 'failed', error: errorText(error.message) };
    }
    const open = context.pauses.filter(isAwaited);
    const [first] = open;
    const blocked = blockedBody(context);
    if (first === undefined) return { execution_id, status: 'running', ...blocked };
    const body = { execution_id, ...pauseBody(execution_id, first), ...blocked };
    return open.length === 1 ? body : { ...body, pending: open.map((pause) => pauseBody(execution_id, pause)) };
  };

  return {
    pause: pauseBody,
    interaction,
    result,
    status,
    listed: (execution) => {
      const { executionId, settledAt, error, result: given } = execution.context;
      const isShown = settledAt === null || error !== null || (given !== undefined && isListed(given));
      return isShown ? status(execution) : { execution_id: executionId, status: 'completed' };
    },
    accepted: (execution) => {
      const pause = firstAwaited(execution.context);
      const body = { execution_id: execution.id, status_url: statusUrl(execution.id) };
      return pause === undefined ? { ...body, status: 'running' } : { ...body, ...pauseBody(execution.id, pause) };
    },
  };
};
