/** What servers of tests speak HTTP with: what FERMATA_ADAPTER names, else the default. `web` is `createHandler` in a server. */
import { type AdapterName, adapterNames } from '../../server/http/adapter.ts';
import { mountedAdapter } from './mounted-handler.ts';

export const isOnWeb = (): boolean => process.env.FERMATA_ADAPTER === 'web';

/** A server takes an adapter itself as well as its name. */
export const testedAdapter = (): AdapterName | undefined =>
  isOnWeb()
    ? (mountedAdapter as unknown as AdapterName)
    : adapterNames.find((name) => name === process.env.FERMATA_ADAPTER);

export const isOnNode = (): boolean => process.env.FERMATA_ADAPTER === 'node';

/** Whether the HTTP parser is that of node:http, and its header bytes. */
export const isParsedByNode = (): boolean => isOnNode() || isOnWeb();

/** For tests of what the web handler leaves to the server around it. */
export const ownConnections = { skip: isOnWeb() && 'the server around the handler keeps the connections' };
export const ownSockets = { skip: isOnWeb() && 'the handler has no sockets' };
