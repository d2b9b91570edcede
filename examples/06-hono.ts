/**
 * Workflows next to the other routes of a Hono app. Bun and Deno serve the default export; on Node use
 * `@hono/node-server`.
 */
import { createHandler } from 'fermata/server';
import { Hono } from 'hono';
import approval from './02-approval.ts';

/** Call `close` when the app shuts down: runs finish first. */
export const workflows = await createHandler({ workflow: approval, config: { rootPath: '/workflows' } });

const app = new Hono();
app.get('/', (context) => context.text('The rest of the app.'));
app.all('/workflows/*', (context) => workflows(context.req.raw));

export default app;
