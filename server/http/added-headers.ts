/** The headers that the server adds to the reply of a route. */
import { type HeaderLines, withExposed } from './cors.ts';
import type { Reply } from './route.ts';

export interface AddedHeaders {
  /** Added to every reply. */
  readonly extraHeaders: HeaderLines;
  /** Our own headers that a page of another origin may read. */
  readonly exposed: readonly string[];
  /** See `Route.isPublic`. */
  readonly isPublic: boolean;
}

const UNCACHED: HeaderLines = [['cache-control', 'no-store']];

export const linesFor = ({ headers }: Reply, { exposed, extraHeaders, isPublic }: AddedHeaders): HeaderLines => {
  const lines = exposed.length > 0 ? withExposed(extraHeaders, exposed, headers) : extraHeaders;
  if (isPublic || headers?.['cache-control'] !== undefined) return lines;
  return lines.length === 0 ? UNCACHED : [...lines, ...UNCACHED];
};
