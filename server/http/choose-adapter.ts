/** Which library speaks HTTP: the one that is asked for, else the fastest that this machine can load. */
import type { Adapter, AdapterName } from './adapter.ts';

export interface Chosen {
  readonly adapter: Adapter;
  /** Why it is not the default, where none was asked for. */
  readonly fallback?: string;
}

type Load = (maxHeaderBytes: number) => Promise<Adapter>;

const loaders: Readonly<Record<AdapterName, Load>> = {
  uws: async (maxHeaderBytes) => (await import('./uws/adapter.ts')).createUwsAdapter(maxHeaderBytes),
  node: async () => (await import('./node/adapter.ts')).nodeAdapter,
};

/** Rejects if the one that is asked for cannot be loaded. */
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
