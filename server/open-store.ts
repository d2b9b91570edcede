/** Opens the store: a directory, or memory. */
import { resolve } from 'node:path';
import { DurableStore, Failure, type Log, resolveOptions, type Store } from '../runtime/index.ts';
import { LEAST_DATA_SECRET, type ServerOptions } from './options.ts';

export type StoreOptions = Pick<ServerOptions, 'data' | 'dataSecret' | 'maxDataBytes' | 'runtime'>;

/** Without a store, the runtime has one in memory. Rejects with `options_invalid` for an invalid directory. */
export const openStore = async (options: StoreOptions): Promise<{ readonly store?: Store }> => {
  const { data, dataSecret: secret, maxDataBytes, runtime } = options;
  if (data === null) return {};
  if (/^postgres(ql)?:/i.test(data)) throw new Failure('options_invalid', { detail: NO_POSTGRES });
  if (secret !== undefined && secret.length < LEAST_DATA_SECRET) {
    const detail = `dataSecret needs at least ${LEAST_DATA_SECRET} characters, got ${secret.length}.`;
    throw new Failure('options_invalid', { detail });
  }
  return {
    store: await DurableStore.open({ ...resolveOptions(runtime, true), directory: data, secret, maxDataBytes }),
  };
};

const NO_POSTGRES =
  'data: this version stores executions in a directory, not yet in PostgreSQL. Give the path of a directory.';

/** Information for operators at the start. */
export const reportStore = ({ data, dataSecret }: StoreOptions, log: Log): void => {
  if (data === null) log.info({}, 'executions are in memory, and end with this process');
  else log.info({ directory: resolve(data) }, 'executions are stored in a directory');
  if (data === null || dataSecret !== undefined) return;
  log.info({}, 'tokens and credentials are in memory only, because FERMATA_DATA_SECRET is not set');
};
