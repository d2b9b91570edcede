/**
 * Streams of a workflow: a request starts an execution and reads it while it runs. On the interactive routes a prompt is
 * an event, and who leaves can come back by the id of the execution; NAT's older ones never pause and cannot be found again.
 */
import type { Caller, ExecutionView, Runtime, Workflow } from '../../../runtime/index.ts';
import { eventStream, eventsOnly } from '../../http/event-stream.ts';
import { readIdempotencyKey } from '../../http/preferences.ts';
import { countReader } from '../../http/readers.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import type { Who } from '../../identity/caller.ts';
import type { RoutePaths } from '../../options.ts';
import type { Wire } from '../../wire/bodies.ts';
import { type ErrorForm, errorFrame, NatFrames, type NatFramesOptions } from '../frames.ts';
import { asFailedRun, type Input, inputReader, type ResultForm, startRequest } from '../start.ts';
import { AdaptedSteps, type StepAdaptorOptions } from '../step-adaptor.ts';
import { rawSteps, type Steps } from '../steps.ts';
import { outputFrame } from '../value-envelope.ts';
import { aboutStream } from './about.ts';

export interface StreamRouteDeps {
  readonly runtime: Runtime;
  readonly who: Who;
  readonly wire: Wire;
  readonly stepAdaptor: StepAdaptorOptions;
  /** Whether runs end with their readers also on routes where they could be found again. */
  readonly cancelOnDisconnect: boolean;
}

/** `functionName`: what the steps call the workflow; undefined for that of the server. */
export const streamRoutes = (
  deps: StreamRouteDeps,
  workflow: Workflow,
  { method, path, legacyPath }: RoutePaths,
  functionName?: string,
): Route[] => {
  const family = (base: string, isLegacy: boolean): Route[] => {
    const start = starter(deps, workflow, { method, isLegacy, functionName });
    const adapted = () => new AdaptedSteps(deps.stepAdaptor);
    const raw = ({ query }: Call) => rawSteps(new URLSearchParams(query).get('filter_steps'));
    return [
      {
        method,
        path: `${base}/stream`,
        isUnsafe: true,
        about: aboutStream(workflow, method, false),
        handle: (call) => start(call, adapted()),
      },
      {
        method,
        path: `${base}/full`,
        isUnsafe: true,
        about: aboutStream(workflow, method, true),
        handle: (call) => start(call, raw(call)),
      },
    ];
  };
  return [...(path === null ? [] : family(path, false)), ...(legacyPath === null ? [] : family(legacyPath, true))];
};

interface Family {
  readonly method: 'GET' | 'POST';
  readonly isLegacy: boolean;
  readonly functionName: string | undefined;
}

const starter = (
  deps: StreamRouteDeps,
  workflow: Workflow,
  { method, isLegacy, functionName }: Family,
): ((call: Call, steps: Steps) => Promise<Reply>) => {
  const read = inputReader(workflow, method);
  const interactive = !isLegacy && method === 'POST';
  const answer = streamer(deps, { workflow, interactive, isLegacy, functionName });
  const errors = isLegacy ? 'bare' : 'event';
  return async (call, steps) => answer(call, await read(call), () => ({ steps, output: outputFrame }), errors);
};

export interface Streamed {
  readonly workflow: Workflow;
  readonly interactive: boolean;
  readonly isLegacy: boolean;
  readonly functionName: string | undefined;
  readonly form?: ResultForm;
}

/** What the frames of a reader look like, where routes differ. */
export type Look = (execution: ExecutionView) => Omit<NatFramesOptions, 'wire' | 'execution' | 'errors'>;

/** Starts an execution, and answers with all that happens to it. */
export const streamer = (
  { runtime, who, wire, cancelOnDisconnect }: StreamRouteDeps,
  { workflow, interactive, isLegacy, functionName, form }: Streamed,
): ((call: Call, input: Input, look: Look, errors: ErrorForm) => Promise<Reply>) => {
  return async (call, input, look, errors) => {
    const idempotencyKey = readIdempotencyKey(call.headers['idempotency-key']);
    const run = { workflow, input, interactive, streaming: true, functionName, form, idempotencyKey };
    let execution: ExecutionView;
    let isNew: boolean;
    let by: Caller;
    try {
      by = await who(call);
      ({ execution, isNew } = await runtime.start(startRequest(call, input.body, by, run)));
    } catch (thrown) {
      if (!interactive) throw thrown;
      return eventsOnly(errorFrame({ message: asFailedRun(thrown), name: 'ValueError' }, errors));
    }

    const endsWithReaders = isLegacy || cancelOnDisconnect || wantsCancel(call);
    countReader(runtime, execution, call, endsWithReaders ? by : undefined);
    const translator = new NatFrames({ wire, execution, errors, ...look(execution) });
    const headers: Record<string, string> = { 'execution-id': execution.id };
    if (!isNew) headers['idempotent-replayed'] = 'true';
    return eventStream({ runtime, execution, translator, headers });
  };
};

/** `?on_disconnect=cancel` */
const wantsCancel = ({ query }: Call): boolean => new URLSearchParams(query).get('on_disconnect') === 'cancel';
