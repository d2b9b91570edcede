/** The routes for operators: health, users, and with `console` the console and the inspector. */
import type { Protocol } from '../protocol.ts';
import { consoleRoutes } from './console-routes.ts';
import { inspectorSocket } from './inspector/sockets.ts';
import { inspectorRoute } from './inspector-routes.ts';
import { healthRoute, monitorRoute, readyRoute } from './monitor-routes.ts';
import { metricsRoute, nodesRoute } from './nodes-route.ts';
import { operatorRoutes } from './operator-routes.ts';

/** The setting without which there are no pages. */
const PAGES = 'fermata.console';

export const operator = (): Protocol => (app) => {
  const { operators, config } = app;
  const pages = config.console
    ? [...consoleRoutes(), inspectorRoute(operators, config.rootPath), ...operatorRoutes(operators)]
    : [];
  return {
    name: 'operator',
    routes: [
      healthRoute,
      readyRoute(app),
      nodesRoute(app),
      metricsRoute(app),
      ...(config.monitorUsers ? [monitorRoute(app)] : []),
      ...pages.map((route) => ({ ...route, setting: PAGES })),
    ],
    sockets: config.console ? [{ ...inspectorSocket(app), setting: PAGES }] : [],
  };
};
