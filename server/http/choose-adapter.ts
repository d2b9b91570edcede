/** Chooses the HTTP library: the requested one, else the fastest that loads on this machine. */
import type { Adapter, AdapterName } from './adapter.ts';

export interface Chosen {
  readonly adapter: Adapter;
  /** Why uWebSockets.js does not load, if no library was requested and node:http was chosen. */
  readonly fallback?: string;
}

type Load = (maxHeaderBytes: number) => Promise<Adapter>;

const loaders: Readonly<Record<AdapterName, Load>> = {
  uws: async (maxHeaderBytes) => (await import('./uws/adapter.ts')).createUwsAdapter(maxHeaderBytes),
  node: async () => (await import('./node/adapter.ts')).nodeAdapter,
};

/** Rejects if the requested library cannot be loaded. */
export const chooseAdapter = async (
  wanted: AdapterName | undefined,
  maxHeaderBytes: number,
  load = loaders,
): Promise<Chosen> => {
  if (wanted !== undefined) return { adapter: await load[wanted](maxHeaderBytes) };
  try {
    return { adapter: await load.uws(maxHeaderBytes) };
  } catch (error) {
    const fallback = error instanceof Error ? error.message : String(error);
    return { adapter: await load.node(maxHeaderBytes), fallback };
  }
};
