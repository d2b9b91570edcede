/** Our own routes for executions: status, prompts, journals, and workflows. */
import type { Protocol } from '../protocol.ts';
import { changesRoute } from './changes.ts';
import { executionStreamRoute } from './execution-stream.ts';
import { executionRoutes } from './executions.ts';
import { journalRoute } from './journal.ts';
import { overviewRoutes } from './overview.ts';

export const api = (): Protocol => (app) => ({
  name: 'api',
  routes: [
    ...executionRoutes(app),
    executionStreamRoute(app),
    journalRoute(app),
    changesRoute(app),
    ...overviewRoutes(app),
  ],
});
