/** NAT's protocol: workflows, chats, jobs and consents, as NAT's clients know them. */
import type { Route } from '../http/route.ts';
import type { Protocol } from '../protocol.ts';
import type { ServedWorkflow } from '../wire/served.ts';
import { ReturnPages } from './consent-links.ts';
import { ConsentPages } from './consent-pages.ts';
import type { NatApp, Placed } from './placed.ts';
import { chatRoutes, completionRoutes } from './routes/chat.ts';
import { consentLinkRoutes } from './routes/consent-links.ts';
import { interactionRoutes } from './routes/interactions.ts';
import { jobRoutes } from './routes/jobs.ts';
import { modelRoutes } from './routes/models.ts';
import { oauthRoutes } from './routes/oauth-callback.ts';
import { streamRoutes } from './routes/streams.ts';
import { workflowRoutes } from './routes/workflow.ts';
import { socketRoutes } from './websocket/sockets.ts';

export const nat = (): Protocol => (app) => {
  const { runtime, served, config } = app;
  const consents = new ConsentPages(config.providers, app.cors);
  const own: NatApp = { ...app, consents, returnPages: new ReturnPages(config) };
  return {
    name: 'nat',
    routes: [
      ...oauthRoutes(own),
      ...consentLinkRoutes(own),
      ...interactionRoutes(app),
      ...modelRoutes(served, runtime.now()),
      ...served.flatMap((one) => routesOf(own, one)),
    ],
    sockets: served.flatMap((one) => socketRoutes(own, one)),
  };
};

type Family = (app: NatApp, placed: Placed) => readonly Route[];

/** The routes at and below the paths of a workflow. */
const routesOf = (app: NatApp, { workflow, functionName, paths, setting }: ServedWorkflow): Route[] => {
  const { method, openaiApiPath, openaiApiV1Path } = paths;
  const at = (path: string | null | undefined, name: string, isLegacy: boolean, families: readonly Family[]) => {
    if (path === null || path === undefined) return [];
    const placed = { workflow, functionName, method, path, isLegacy };
    return families
      .flatMap((family) => family(app, placed))
      .map((route) => ({ ...route, setting: `${setting}.${name}` }));
  };
  const starts = [workflowRoutes, streamRoutes, ...(app.config.asyncJobs ? [jobRoutes] : [])];
  const started = [...at(paths.path, 'path', false, starts), ...at(paths.legacyPath, 'legacy_path', true, starts)];
  if (method === 'GET') return started; // a GET has no messages
  // NAT serves both forms of chat at such a path.
  const isBoth = openaiApiPath === openaiApiV1Path;
  return [
    ...started,
    ...at(isBoth ? null : openaiApiPath, 'openai_api_path', false, [chatRoutes]),
    ...at(openaiApiV1Path, 'openai_api_v1_path', false, [completionRoutes]),
    ...at(paths.legacyOpenaiApiPath, 'legacy_openai_api_path', true, [chatRoutes]),
  ];
};
