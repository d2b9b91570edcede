/**
 * Workflows in a Next.js app. Save this file as `app/workflows/[...path]/route.ts`, and import your workflow without
 * `.ts`. `next.config.ts` needs `serverExternalPackages: ['fermata']`, because the server uses native libraries.
 */
import { createHandler, type Handler } from 'fermata/server';
import approval from './02-approval.ts';

/** One handler per process, made by the first request: Next.js loads this file during the build, and again after changes. */
const shared = globalThis as { workflow?: typeof approval; workflows?: Promise<Handler> };

/** Add `data: '.fermata'` to store executions beyond the end of the process. */
const open = async (before: Promise<Handler> | undefined): Promise<Handler> => {
  await (await before?.catch(() => undefined))?.close();
  return createHandler({ workflow: approval, config: { rootPath: '/workflows' } }).catch((error: unknown) => {
    delete shared.workflow; // the next request tries again
    throw error;
  });
};

const handle = async (request: Request): Promise<Response> => {
  // `next dev` makes another workflow when its module changes.
  if (shared.workflow !== approval) {
    shared.workflow = approval;
    shared.workflows = open(shared.workflows);
  }
  return (await shared.workflows!)(request);
};

export const dynamic = 'force-dynamic';
export { handle as DELETE, handle as GET, handle as OPTIONS, handle as POST, handle as PUT };
