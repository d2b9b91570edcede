/** Settings that need more than their schema: entries of lists and maps, and settings that exclude each other. */
import type { OAuthProviderConfig } from '../../runtime/index.ts';
import { createNetwork } from '../../server/http/network.ts';
import type { RoutePaths, ServerOptions } from '../../server/options.ts';
import { CONSENT, provider } from './credentials.ts';
import { isIssuer, refuseOption } from './identity.ts';
import { isMap } from './kinds.ts';
import { camelled, pick, present } from './option-names.ts';
import { type Reader, sources } from './reader.ts';
import type { Values } from './schema.ts';
import { endpoint } from './settings-of-nat.ts';

export type RouteBlock = Required<RoutePaths>;
export type Endpoint = RouteBlock & { readonly functionName: string };

const frontEnd = ['general', 'front_end'];

const pathNames = [
  'path',
  'websocketPath',
  'openaiApiPath',
  'openaiApiV1Path',
  'legacyPath',
  'legacyOpenaiApiPath',
] as const;

const hasPath = (block: RouteBlock): boolean => pathNames.some((name) => block[name] !== null);

/** Whether two routes collide, the server finds out when it starts. */
export const readWorkflow = (reader: Reader, { general }: Values): RouteBlock => {
  const path = [...frontEnd, 'workflow'];
  const block = pick(camelled(general.front_end.workflow), ['method', ...pathNames]);
  if (!hasPath(block)) reader.warn(path, 'names no path, so the workflow is not served');
  checkMethod(reader, path, block);
  return block;
};

export const readEndpoints = (reader: Reader, { general }: Values): Endpoint[] =>
  general.front_end.endpoints.flatMap((_, at) => {
    const path = [...frontEnd, 'endpoints', at];
    const values = reader.read(endpoint, path);
    if (values === undefined) return [];
    const block = pick(camelled(values), ['functionName', 'method', ...pathNames]);
    if (!hasPath(block)) reader.refuse(path, 'names no path, so nothing would be served');
    checkMethod(reader, path, block);
    return [block];
  });

const checkMethod = (reader: Reader, path: readonly (string | number)[], block: RouteBlock): void => {
  const isForGet = block.openaiApiV1Path !== null && block.method !== 'POST';
  if (isForGet) reader.refuse([...path, 'openai_api_v1_path'], 'needs method POST, or null');
};

/** As on NAT: the list counts only in mode `custom`, and an empty list means the custom steps. */
export const readStepAdaptor = (reader: Reader, { general }: Values): ServerOptions['stepAdaptor'] => {
  const { mode, custom_event_types: listed } = general.front_end.step_adaptor;
  if (mode === 'custom') return { mode, customEventTypes: listed.length > 0 ? listed : ['CUSTOM_START', 'CUSTOM_END'] };
  const path = [...frontEnd, 'step_adaptor', 'custom_event_types'];
  if (listed.length > 0) reader.warn(path, 'has no effect, since mode is not custom');
  return { mode, customEventTypes: [] };
};

export const readProviders = (reader: Reader, { authentication }: Values): Record<string, OAuthProviderConfig> => {
  const entries = Object.entries(authentication).filter(([, entry]) => !isIssuer(entry));
  return Object.fromEntries(
    entries.flatMap(([name, entry]) => {
      const config = readProvider(reader, ['authentication', name], entry);
      return config === undefined ? [] : [[name, config]];
    }),
  );
};

const readProvider = (reader: Reader, path: readonly string[], entry: unknown): OAuthProviderConfig | undefined => {
  if (isMap(entry) && (entry._type ?? CONSENT) !== CONSENT) {
    reader.warn(path, `not read, since only ${CONSENT} is a consent; a workflow reads other credentials itself`);
    return undefined;
  }
  const isSet = (name: string): boolean => isMap(entry) && (entry[name] ?? null) !== null;
  for (const url of isMap(entry) ? ['authorization_url', 'token_url'] : []) {
    if (isSet('provider') || isSet(url)) continue;
    reader.refuse([...path, url], 'is missing: expected an http or https URL, or a provider that is known');
  }
  const values = reader.read(provider, path);
  if (values === undefined) return undefined;
  const { _type, use_pkce: usePkce, authorization_kwargs: authorizationParams, ...own } = values;
  if (usePkce === false) reader.warn([...path, 'use_pkce'], 'has no effect: PKCE is always used');
  return present({ ...camelled(own), authorizationParams });
};

/** Chooses between a directory and memory, by the precedence of their sources; null: memory. */
export const readData = (reader: Reader, { fermata: { data, memory } }: Values): string | null => {
  if (!memory) return data;
  const [aboutData = 0, aboutMemory = 0] = ['data', 'memory'].map((name) =>
    sources.indexOf(reader.sourceOf(['fermata', name])),
  );
  if (aboutData === aboutMemory) reader.refuse(['fermata', 'memory'], 'excludes data, and both are given');
  return aboutData > aboutMemory ? data : null;
};

/**
 * NAT's name of an in-memory store means one in memory. Other stores of NAT do not exist here, so one of ours must be
 * named.
 */
export const readObjectStore = (reader: Reader, { general, fermata }: Values): string | null => {
  const name = general.front_end.object_store ?? null;
  if (fermata.object_store !== null || name === null) return fermata.object_store;
  if (reader.lookUp(['object_stores', String(name), '_type']) === 'in_memory') return 'memory';
  const instead = 'only stores of NAT with _type in_memory are known; set fermata.object_store to a directory';
  reader.refuse([...frontEnd, 'object_store'], instead);
  return null;
};

export const readNetwork = (reader: Reader, { general, fermata }: Values) => {
  const { trust_proxy: trustProxy, allowed_hosts: allowedHosts } = fermata;
  refuseOption(reader, () => createNetwork({ host: general.front_end.host, trustProxy, allowedHosts }));
  return { trustProxy, allowedHosts };
};
