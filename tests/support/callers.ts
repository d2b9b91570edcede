import type { Caller } from '../../runtime/index.ts';

export const alice: Caller = { userId: 'alice' };
export const bob: Caller = { userId: 'bob' };
export const operator: Caller = { userId: undefined, isOperator: true };
