/** Who calls: the identity of a request, and whether it comes from an operator. */
import type { Caller } from '../runtime/index.ts';
import type { Identifier } from './identity.ts';
import type { Call, Reply } from './route.ts';

/**
 * Throws or rejects with `credential_invalid` for a credential that cannot be accepted. A promise only where a JWT is
 * verified. An operator needs no identity beside.
 */
export type Who = (call: Pick<Call, 'headers'>) => Caller | Promise<Caller>;

export const createWho =
  ({ identify, isOperator }: Identifier): Who =>
  ({ headers }) => {
    const identity = identify(headers);
    const operator = isOperator(headers);
    if (!(identity instanceof Promise)) return { userId: identity?.userId, isOperator: operator };
    return identity.then(({ userId }) => ({ userId, isOperator: operator }));
  };

/** Goes on with the caller: at once, if it is known at once. */
export const withCaller = (
  by: Caller | Promise<Caller>,
  reply: (by: Caller) => Reply | Promise<Reply>,
): Reply | Promise<Reply> => (by instanceof Promise ? by.then(reply) : reply(by));
