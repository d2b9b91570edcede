/** The errors that a client gets on a socket. */
import { Failure } from '../../../runtime/index.ts';
import { IDENTITY_REQUIRED } from '../failed-run.ts';
import type { ErrorContent } from './server-messages.ts';

export const NO_TEXT: ErrorContent = {
  code: 'invalid_user_message_content',
  message: 'User message content could not be found',
  details: 'No user text content found in messages.',
};

export const NO_PROMPT: ErrorContent = {
  code: 'invalid_message',
  message: 'No prompt is open',
  details: 'No prompt waits for an answer.',
};

/** NAT sends the class of an exception as `message`; here it is the code of the failure. */
export const refusalOf = (thrown: unknown): ErrorContent => {
  const { code, message } = Failure.from(thrown);
  const details = code === 'identity_required' ? IDENTITY_REQUIRED : message;
  return { code: 'workflow_error', message: code, details };
};
