/** Errors that stop a command, and its exit code. */
import { Failure } from '../runtime/index.ts';
import { createServer, type Server, type ServerSetup } from '../server/index.ts';

/** An error that is reported in one line, because the stack adds nothing, or is in the log. */
export class CannotGoOn extends Error {}

/** Rejects with the result of `refusal`. */
export const listening = (setup: ServerSetup): Promise<Server> => createServer(setup).catch(cannotServe);

export const cannotServe = (cause: unknown): never => {
  if (cause instanceof Failure && cause.code === 'options_invalid') throw cause;
  throw new CannotGoOn(cause instanceof Error ? cause.message : String(cause), { cause });
};

/**
 * Exit codes: 2 for errors that the caller can correct (command line, configuration, module, input), 1 for all others.
 */
export const refusal = (thrown: unknown): { readonly said: string; readonly exitCode: 1 | 2 } => {
  const isMendable = thrown instanceof Failure && thrown.code === 'options_invalid';
  const isPlain = isMendable || thrown instanceof CannotGoOn;
  const said = thrown instanceof Error ? (isPlain ? thrown.message : thrown.stack) : thrown;
  return { said: String(said), exitCode: isMendable ? 2 : 1 };
};
