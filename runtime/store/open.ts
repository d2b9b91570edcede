/** Opens the durable store that `data` names: a directory, or a database. */
import { resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { DurableStore, type DurableStoreOptions } from './durable.ts';
import { isPostgres, readAddress } from './postgres/address.ts';
import { PostgresStore } from './postgres/store.ts';
import { PostgresExecutions } from './postgres/stored-executions.ts';
import type { Store } from './store.ts';
import type { StoredData } from './stored-data.ts';
import { StoredExecutions } from './stored-executions.ts';

export interface DataOptions extends Omit<DurableStoreOptions, 'directory' | 'maxDataBytes'> {
  /** A directory, or `postgres://user:password@host:port/database`. */
  readonly data: string;
  /** Bytes of the file. A database has no limit of its own. */
  readonly maxDataBytes: number;
}

export const defaultDataBytes = 4 * 1024 ** 3;

/** Rejects with `options_invalid`. */
export const openData = async ({ data, maxDataBytes, ...options }: DataOptions): Promise<Store> => {
  if (!isPostgres(data)) return DurableStore.open({ ...options, directory: data, maxDataBytes });
  if (maxDataBytes === defaultDataBytes) return PostgresStore.open({ ...options, url: data });
  const detail =
    'maxDataBytes limits a file, and the executions are in a database. Leave it out, and set a shorter retention.';
  throw new Failure('options_invalid', { detail });
};

/** For tools that do not run them. Rejects with `options_invalid`. */
export const openStoredData = async (data: string): Promise<StoredData> =>
  isPostgres(data) ? PostgresExecutions.open(data) : new StoredExecutions(data);

/** For messages: without user and password. */
export const describeData = (data: string): { readonly directory: string } | { readonly database: string } =>
  isPostgres(data) ? { database: readAddress(data).name } : { directory: resolve(data) };
