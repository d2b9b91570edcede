import type { Subject } from '../../runtime/oauth/oauth.ts';

/** The holder of the requested token: a user, for any execution, or an execution without owner. */
export const subject = (user: string | undefined, executionId = 'execution-1'): Subject => ({ user, executionId });
