/** Lab servers: the server as it is, with workflows that do what a test tells them. */
import { createServer, type ServerOptions } from '../../server/index.ts';
import { everyProfile, LAB_PORT, profiles, providersAt, TOKEN_PORT } from './profiles.ts';

export interface LabOptions {
  /** What the profile says nothing about. Default: loopback, and a free port. */
  readonly config?: Partial<ServerOptions>;
  /** Where the profile `oauth` finds its token endpoint, on loopback. Default 19_099. */
  readonly oauthTokenPort?: number;
}

export interface Lab {
  /** Origin of the server. */
  readonly base: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens when it resolves. Rejects for a profile that there is not, and if the port is taken. */
export const startLab = async (profile: string, options: LabOptions = {}): Promise<Lab> => {
  const found = Object.hasOwn(profiles, profile) ? profiles[profile] : undefined;
  if (found === undefined) {
    throw new Error(`no profile is called ${profile}; there are ${Object.keys(profiles).join(', ')}`);
  }
  const { config = { host: '127.0.0.1', port: 0 }, oauthTokenPort = TOKEN_PORT } = options;
  const { workflow, workflows = [], config: own } = found;
  const server = await createServer({
    workflow,
    workflows,
    config: {
      ...config,
      isClosingLocal: true, // clients that replay recordings open a connection for each request
      ...everyProfile,
      ...own,
      identity: { ...config.identity, ...everyProfile.identity, ...own?.identity },
      runtime: { ...config.runtime, ...own?.runtime },
      ...(own?.providers && { providers: providersAt(oauthTokenPort, config.port || LAB_PORT) }),
    },
  });
  return { base: new URL(server.url).origin, port: server.port, close: () => server.close() };
};
