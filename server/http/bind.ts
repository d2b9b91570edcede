/** Binds the addresses of a server, and explains failures. */
import { lookup } from 'node:dns/promises';
import type { Bound } from './adapter.ts';

/** Listens on one address and port; 0 is a free port. Rejects with an error that has a `code`. */
export type Take = (address: string, port: number) => Promise<Taken>;

export interface Taken {
  readonly port: number;
  /** Open connections stay. */
  release(): void;
}

/** A machine may name an address of a family that it does not support, such as `localhost` without IPv6. */
const isMissing = (reason: string): boolean => reason === 'EADDRNOTAVAIL' || reason === 'EAFNOSUPPORT';

/**
 * `localhost` means every address of that name, because clients try different ones. Other names mean their first
 * address. Port 0 is a free port. Rejects with an error that names host, port and reason, and then listens on nothing.
 */
export const bind = async (host: string, port: number, take: Take, resolve = addressesOf): Promise<Bound> => {
  const taken: Taken[] = [];
  const unbind = (): void => {
    for (const { release } of taken.splice(0)) release();
  };
  const found = await resolve(host).catch((error: unknown) => {
    throw cannot(host, port, reasonOf(error));
  });
  let bound = port;
  let failure: string | undefined;
  for (const address of host === 'localhost' ? found : found.slice(0, 1)) {
    try {
      const one = await take(address, bound);
      taken.push(one);
      bound = one.port;
    } catch (error) {
      if (failure === undefined || isMissing(failure)) failure = reasonOf(error);
    }
  }
  if (failure !== undefined && (taken.length === 0 || !isMissing(failure))) {
    unbind();
    throw cannot(host, port, failure);
  }
  return { port: bound, unbind };
};

const cannot = (host: string, port: number, reason: string): Error =>
  new Error(`cannot listen on ${host}, port ${port}: ${reason}`);

const addressesOf = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
