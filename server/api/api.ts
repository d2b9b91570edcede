/** Our own routes for executions: how they stand, what they wait for, and what there is to run. */
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
