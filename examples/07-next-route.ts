/**
 * Workflows in an app of Next.js: this is `app/workflows/[...path]/route.ts` there. `next.config.ts` needs
 * `serverExternalPackages: ['fermata']`, since libraries of the server are native.
 */
import { createHandler, type Handler } from 'fermata/server';
import approval from './02-approval.ts';

/** One for the process, made by the first request: Next.js loads this file while it builds, and again when it changes. */
const shared = globalThis as { workflows?: Promise<Handler> };

/** `data: '.fermata'` beside `rootPath` would keep executions when the process ends. */
const handle = async (request: Request): Promise<Response> => {
  shared.workflows ??= createHandler({ workflow: approval, config: { rootPath: '/workflows' } });
  return (await shared.workflows)(request);
};

export const dynamic = 'force-dynamic';
export { handle as DELETE, handle as GET, handle as POST, handle as PUT };
