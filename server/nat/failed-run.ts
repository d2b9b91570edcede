/** Failures before a run that NAT's clients see as failures of the run. */
import { Failure } from '../../runtime/index.ts';

/**
 * NAT resolves identities inside the run. Clients of its interactive routes see an invalid credential as a failed
 * workflow, not as a refused request. Returns the message of that failure; rethrows other errors.
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
