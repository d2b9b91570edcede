/**
 * Workflows beside the other routes of an app of Hono. Bun and Deno serve the default export as it is;
 * on Node `@hono/node-server` does.
 */
import { createHandler } from 'fermata/server';
import { Hono } from 'hono';
import approval from './02-approval.ts';

/** `close` it when the app shuts down: runs finish first. */
export const workflows = await createHandler({ workflow: approval, config: { rootPath: '/workflows' } });

const app = new Hono();
app.get('/', (context) => context.text('The rest of the app.'));
app.all('/workflows/*', (context) => workflows(context.req.raw));

export default app;
