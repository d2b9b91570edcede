/** The way to start an execution in a test without a server. */
import { type ExecutionView, noRequest, RunTrace, type Runtime, type StartRequest } from '../../runtime/index.ts';
import { alice } from './callers.ts';

export type StartOptions = Partial<StartRequest> & { readonly workflow: string };

/** By default alice starts it, with the input null, as a client that answers prompts and does not stream. */
export const startRequest = (options: StartOptions): StartRequest => ({
  input: null,
  by: alice,
  conversationId: undefined,
  userMessageId: undefined,
  request: noRequest,
  trace: new RunTrace({}),
  interactive: true,
  streaming: false,
  ...options,
});

/** Resolves when the start is committed. `isNew` is false if a name in the options already stands for an execution. */
export const start = async (
  runtime: Runtime,
  options: StartOptions,
): Promise<{ execution: ExecutionView; isNew: boolean }> => await runtime.start(startRequest(options));
