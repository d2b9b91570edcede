/** Checks a reply before it is sent. */
import type { Reply } from './route.ts';

/** Why a reply cannot be sent. A line break in a header would begin another header. */
export const replyFault = (reply: Reply): string | undefined => {
  if (typeof reply !== 'object' || reply === null) return `a route must give a reply, got ${reply}`;
  const { status, headers, body } = reply;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) return `a reply needs a status, got ${status}`;
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body))
    return 'a body must be text or a Buffer';
  for (const name in headers) {
    if (!isToken.test(name)) return `a reply header cannot be called ${JSON.stringify(name)}`;
    const value: unknown = headers[name];
    if (typeof value !== 'string' || isUnsendable.test(value)) {
      return `the value of the reply header ${name} cannot be sent`;
    }
  }
  return undefined;
};

/** RFC 9110, 5.1 */
const isToken = /^[\w!#$%&'*+.^`|~-]+$/;

/** Control characters, except tab. */
const isUnsendable = /[^\P{Cc}\t]/u;
