/** The two forms of a refusal: RFC 9457 for our own routes, `{"detail"}` for NAT's clients. */
import type { Reply } from './route.ts';

/** RFC 9457. `extra` adds members, or replaces `type`, whose default means that the title is sufficient. */
export const problem = (
  status: number,
  title: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
): Reply<never> => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title, status, detail, ...extra }),
});

export const refusal = (
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Reply<never> => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ detail }),
});
