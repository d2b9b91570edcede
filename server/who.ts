/** Who calls: the identity of a request, and whether it comes from an operator. */
import type { Caller } from '../runtime/index.ts';
import type { Identifier } from './identity.ts';
import type { OperatorDoor } from './operator-door.ts';
import type { Call, Reply } from './route.ts';

/**
 * Throws or rejects with `credential_invalid` for a credential that cannot be accepted. A promise only where a JWT is
 * verified. An operator needs no identity beside.
 */
export type Who = (call: Pick<Call, 'headers' | 'client'>) => Caller | Promise<Caller>;

/**
 * With a `door`, a page for operators asks by the header `X-As-Operator` for what the door gives its browser. Without that
 * header a signed-in browser, or one on this machine, is nobody in particular; and other pages cannot send it.
 */
export const createWho = ({ identify, isOperator }: Identifier, door?: OperatorDoor): Who => {
  return (call) => {
    const { headers } = call;
    const identity = identify(headers);
    const operator = isOperator(headers) || (headers['x-as-operator'] !== undefined && door?.mayOperate(call) === true);
    if (!(identity instanceof Promise)) return { userId: identity?.userId, isOperator: operator };
    return identity.then(({ userId }) => ({ userId, isOperator: operator }));
  };
};

/** Goes on with the caller: at once, if it is known at once. */
export const withCaller = (
  by: Caller | Promise<Caller>,
  reply: (by: Caller) => Reply | Promise<Reply>,
): Reply | Promise<Reply> => (by instanceof Promise ? by.then(reply) : reply(by));
