/** The two shapes in which a request is refused: RFC 9457 for what is ours, `{"detail"}` where NAT's clients expect it. */
import type { Reply } from './route.ts';

/** RFC 9457. `extra` adds members, or replaces `type`, which says by default that the title says it all. */
export const problem = (
  status: number,
  title: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title, status, detail, ...extra }),
});

export const refusal = (status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ detail }),
});
