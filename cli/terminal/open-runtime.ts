/** The runtime of a single run: without a server, except for the callback of a consent. */
import { createRuntime, type Log, type Runtime, type Workflow } from '../../runtime/index.ts';
import { openStore } from '../../server/open-store.ts';
import type { ServerConfig } from '../config/read.ts';
import { cannotServe, listening } from '../refusals.ts';

export interface OpenRuntime {
  readonly runtime: Runtime;
  /** Ends runs, disposes builders, and closes the port. */
  close(): Promise<void>;
}

/** Rejects with the error of a build, or if the required port is in use. */
export const openRuntime = async (workflow: Workflow, config: ServerConfig, log: Log): Promise<OpenRuntime> => {
  const { providers, oauthCallbackPath, runtime: options } = config;
  if (Object.keys(providers).length > 0 && oauthCallbackPath !== null) {
    return listening({ workflow, log, config: { ...config, ...callbackOnly } });
  }
  const opened = await openStore(config).catch(cannotServe);
  const runtime = await createRuntime({ ...opened, workflows: [workflow], options, providers, log }).catch(
    async (error: unknown) => {
      await opened.store?.close();
      return cannotServe(error);
    },
  );
  return { runtime, close: () => runtime.stop() };
};

/** Only the browser of this machine uses it, for the callback: the workflow has no route. */
const callbackOnly = {
  host: 'localhost',
  workflow: {
    method: 'POST',
    path: null,
    legacyPath: null,
    websocketPath: null,
    openaiApiPath: null,
    openaiApiV1Path: null,
    legacyOpenaiApiPath: null,
  },
  endpoints: [],
  monitorUsers: false,
  asyncJobs: false,
  objectStore: null,
} as const;
