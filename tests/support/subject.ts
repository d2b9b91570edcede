import type { Subject } from '../../runtime/oauth/oauth.ts';

/** Whose token is asked for: a user's, whatever the execution, or an execution's that nobody owns. */
export const subject = (user: string | undefined, executionId = 'execution-1'): Subject => ({ user, executionId });
