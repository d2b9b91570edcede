/**
 * Streams of a workflow: a request starts an execution and reads it while it runs. On the interactive routes a prompt
 * is an event, and a client can reconnect by the id of the execution. NAT's older routes never pause and cannot be
 * reconnected.
 */
import type { Caller, ExecutionView, Workflow } from '../../../runtime/index.ts';

import { eventStream, eventsOnly } from '../../http/event-stream.ts';
import { readIdempotencyKey, readLast } from '../../http/preferences.ts';
import { countReader } from '../../http/readers.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import { route } from '../../wire/route.ts';
import { type Input, inputBody, type ResultForm, startRequest } from '../../wire/start.ts';
import { asFailedRun } from '../failed-run.ts';
import { type ErrorForm, errorFrame, NatFrames, type NatFramesOptions } from '../frames.ts';
import type { NatApp, Placed } from '../placed.ts';
import { AdaptedSteps } from '../step-adaptor.ts';
import { rawSteps } from '../steps.ts';
import { outputFrame } from '../value-envelope.ts';
import { aboutStream } from './about.ts';

export type StreamApp = Pick<NatApp, 'runtime' | 'who' | 'wire' | 'config'>;

export const streamRoutes = (app: StreamApp, placed: Placed): Route[] => {
  const { workflow, functionName, method, path, isLegacy } = placed;
  const interactive = !isLegacy && method === 'POST';
  const answer = streamer(app, { workflow, interactive, isLegacy, functionName });
  const errors = isLegacy ? 'bare' : 'event';
  return [false, true].map((isRaw) =>
    route({
      method,
      path: `${path}/${isRaw ? 'full' : 'stream'}`,
      isUnsafe: true,
      body: inputBody(workflow, method),
      about: aboutStream(workflow, isRaw),
      handle: (call, input) => {
        const steps = isRaw
          ? rawSteps(readLast(new URLSearchParams(call.query), 'filter_steps'))
          : new AdaptedSteps(app.config.stepAdaptor);
        return answer(call, input, () => ({ steps, output: outputFrame }), errors);
      },
    }),
  );
};

export interface Streamed {
  readonly workflow: Workflow;
  readonly interactive: boolean;
  readonly isLegacy: boolean;
  readonly functionName: string | undefined;
  readonly form?: ResultForm;
}

/** How frames look on this route. */
export type Look = (execution: ExecutionView) => Omit<NatFramesOptions, 'wire' | 'execution' | 'errors'>;

/** Starts an execution, and streams it. */
export const streamer = (
  { runtime, who, wire, config }: StreamApp,
  { workflow, interactive, isLegacy, functionName, form }: Streamed,
): ((call: Call, input: Input, look: Look, errors: ErrorForm) => Promise<Reply<never>>) => {
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

    const endsWithReaders = isLegacy || config.cancelOnDisconnect || wantsCancel(call);
    countReader(runtime, execution, call, endsWithReaders ? by : undefined);
    const translator = new NatFrames({ wire, execution, errors, ...look(execution) });
    const headers: Record<string, string> = { 'execution-id': execution.id };
    if (!isNew) headers['idempotent-replayed'] = 'true';
    return eventStream({ runtime, execution, translator, headers });
  };
};

/** `?on_disconnect=cancel` */
const wantsCancel = ({ query }: Call): boolean => readLast(new URLSearchParams(query), 'on_disconnect') === 'cancel';
