/** What keeps a command from its work, and how the process ends then. */
import { Failure } from '../runtime/index.ts';
import { createServer, type Server, type ServerSetup } from '../server/index.ts';

/** What is said in one line, since a stack would say no more, or is in the log already. */
export class CannotGoOn extends Error {}

/** Rejects with what `refusal` tells. */
export const listening = (setup: ServerSetup): Promise<Server> => createServer(setup).catch(cannotServe);

export const cannotServe = (cause: unknown): never => {
  if (cause instanceof Failure && cause.code === 'options_invalid') throw cause;
  throw new CannotGoOn(cause instanceof Error ? cause.message : String(cause), { cause });
};

/** Exit codes: 2 for what the caller can mend (command line, configuration, module, input), 1 for the rest. */
export const refusal = (thrown: unknown): { readonly said: string; readonly exitCode: 1 | 2 } => {
  const isMendable = thrown instanceof Failure && thrown.code === 'options_invalid';
  const isPlain = isMendable || thrown instanceof CannotGoOn;
  const said = thrown instanceof Error ? (isPlain ? thrown.message : thrown.stack) : thrown;
  return { said: String(said), exitCode: isMendable ? 2 : 1 };
};
