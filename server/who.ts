/** Who calls: the identity of a request, and whether it comes from an operator. */
import type { Caller } from '../runtime/index.ts';
import type { Identifier } from './identity.ts';
import type { Call } from './route.ts';

/** Rejects with `credential_invalid` for a credential that cannot be accepted. An operator needs no identity beside. */
export type Who = (call: Pick<Call, 'headers'>) => Promise<Caller>;

export const createWho =
  ({ identify, isOperator }: Identifier): Who =>
  async ({ headers }) => {
    const identity = await identify(headers);
    return { userId: identity?.userId, isOperator: isOperator(headers) };
  };
