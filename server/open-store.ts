/** Opens the store: a directory, a database, or memory. */
import { describeData, Failure, type Log, openData, resolveOptions, type Store } from '../runtime/index.ts';
import { LEAST_DATA_SECRET, type ServerOptions } from './options.ts';

export type StoreOptions = Pick<ServerOptions, 'data' | 'dataSecret' | 'maxDataBytes' | 'runtime'>;

/** Without a store, the runtime has one in memory. Rejects with `options_invalid` for data that cannot be opened. */
export const openStore = async (options: StoreOptions): Promise<{ readonly store?: Store }> => {
  const { data, dataSecret: secret, maxDataBytes, runtime } = options;
  if (data === null) return {};
  if (secret !== undefined && secret.length < LEAST_DATA_SECRET) {
    const detail = `dataSecret needs at least ${LEAST_DATA_SECRET} characters, got ${secret.length}.`;
    throw new Failure('options_invalid', { detail });
  }
  return { store: await openData({ ...resolveOptions(runtime, true), data, secret, maxDataBytes }) };
};

/** Information for operators at the start. */
export const reportStore = ({ data, dataSecret }: StoreOptions, log: Log): void => {
  if (data === null) log.info({}, 'executions are in memory, and end with this process');
  else {
    const place = describeData(data);
    log.info(place, `executions are stored in a ${Object.keys(place)[0]}`);
  }
  if (data === null || dataSecret !== undefined) return;
  log.info({}, 'tokens and credentials are in memory only, because FERMATA_DATA_SECRET is not set');
};
