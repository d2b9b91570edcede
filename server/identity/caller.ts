/** The caller of a request: its identity, and whether it is an operator. */
import type { Caller } from '../../runtime/index.ts';
import type { Call, Reply } from '../http/route.ts';
import { readGuest } from './guest.ts';
import type { Headers, Identifier } from './identifier.ts';
import type { OperatorAccess } from './operator-access.ts';

/**
 * Throws or rejects with `credential_invalid` for an invalid credential. Returns a promise only for a JWT. An operator
 * needs no further identity.
 */
export type Who = (call: Pick<Call, 'headers' | 'client'>) => Caller | Promise<Caller>;

export interface WhoDeps {
  readonly identifier: Identifier;
  readonly operators: OperatorAccess;
  /** Whether there are pages for operators. */
  readonly hasPages: boolean;
  /** Whether all callers without identity are one, so that they share names, as on NAT. */
  readonly sharesNames: boolean;
}

/**
 * A page for operators sends the header `X-As-Operator` to use the rights of its browser. Without that header, a
 * signed-in browser, or one on this machine, has no identity. Other pages cannot send the header.
 */
export const createWho = ({ identifier, operators, hasPages, sharesNames }: WhoDeps): Who => {
  const { header } = identifier;
  const anonymous = (headers: Headers, isOperator: boolean): Caller => {
    const guest = sharesNames ? ALL_ANONYMOUS : readGuest(headers);
    return guest === undefined ? { userId: undefined, isOperator } : { userId: undefined, isOperator, guest };
  };
  return (call) => {
    const { headers } = call;
    const isPage = hasPages && headers['x-as-operator'] !== undefined;
    const operator = isPage ? operators.mayOperate(call) : operators.hasKey(call);
    // Operators do not come through the proxy that identifies users.
    if (operator && header !== undefined && headers[header] === undefined) return OPERATOR;
    const identity = identifier.identify(headers);
    if (identity === undefined) return anonymous(headers, operator);
    if (!(identity instanceof Promise)) return { userId: identity.userId, isOperator: operator };
    return identity.then(({ userId }) => ({ userId, isOperator: operator }));
  };
};

const ALL_ANONYMOUS = 'everybody';

const OPERATOR: Caller = { userId: undefined, isOperator: true };

/** Continues with the caller, synchronously if it is known already. */
export const withCaller = <Body = never>(
  by: Caller | Promise<Caller>,
  reply: (by: Caller) => Reply<Body> | Promise<Reply<Body>>,
): Reply<Body> | Promise<Reply<Body>> => (by instanceof Promise ? by.then(reply) : reply(by));
