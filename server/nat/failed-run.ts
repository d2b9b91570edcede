/** Failures before a run that NAT's clients know as failures of it. */
import { Failure } from '../../runtime/index.ts';

/**
 * NAT resolves identities inside the run: to clients of its interactive routes a bad credential is a failed workflow, not
 * a refused request. Gives the message of that failure; throws what was thrown if it is something else.
 */
export const asFailedRun = (thrown: unknown): string => {
  const { code, message } = Failure.from(thrown);
  if (code === 'identity_required') return IDENTITY_REQUIRED;
  if (code === 'credential_invalid') return message;
  throw thrown;
};

export const IDENTITY_REQUIRED =
  'user_id is required for per-user workflow but could not be determined. Include a standard Bearer JWT token in the ' +
  "Authorization header (e.g. 'Authorization: Bearer <token>'), or construct a UserInfo instance and pass " +
  'UserInfo.get_user_id() as the user_id parameter.';
