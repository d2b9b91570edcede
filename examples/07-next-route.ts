/**
 * Workflows in a Next.js app. Save this file as `app/workflows/[...path]/route.ts`. `next.config.ts` needs
 * `serverExternalPackages: ['fermata']`, because the server uses native libraries.
 */
import { createHandler, type Handler } from 'fermata/server';
import approval from './02-approval.ts';

/**
 * One handler per process, made by the first request. Next.js loads this file during the build, and again after
 * changes.
 */
const shared = globalThis as { workflows?: Promise<Handler> };

/** Add `data: '.fermata'` to store executions beyond the end of the process. */
const handle = async (request: Request): Promise<Response> => {
  shared.workflows ??= createHandler({ workflow: approval, config: { rootPath: '/workflows' } });
  return (await shared.workflows)(request);
};

export const dynamic = 'force-dynamic';
export { handle as DELETE, handle as GET, handle as POST, handle as PUT };
