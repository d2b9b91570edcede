/** Finds the native binding of uWebSockets.js: the official package if it is installed, else a prebuilt one. */
import { createRequire } from 'node:module';
import type { Uws } from './types.ts';

export type Machine = { readonly platform: string; readonly arch: string; readonly nodeMajor: number };

const here: Machine = {
  platform: process.platform,
  arch: process.arch,
  nodeMajor: Number(process.versions.node.split('.')[0]),
};

let loaded: Uws | undefined;

/**
 * The binding, loaded once per process. uWS reads its limit for request headers (in bytes, all of them together) while
 * it loads: the first call decides for the whole process. Throws like `findUws`.
 */
export const loadUws = (maxHeaderBytes: number): Uws => {
  if (loaded === undefined) {
    process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(maxHeaderBytes);
    loaded = findUws(createRequire(import.meta.url), here);
  }
  return loaded;
};

/** Throws an error that says what to install, and why an installed binding could not be loaded. */
export const findUws = (load: (name: string) => unknown, { platform, arch, nodeMajor }: Machine): Uws => {
  const prebuilt = `@uwsjs/${platform}-${arch}-${nodeMajor}`;
  const reasons: unknown[] = [];
  for (const name of ['uWebSockets.js', prebuilt]) {
    try {
      const found = load(name) as Uws | undefined;
      if (typeof found?.App === 'function') return found;
      reasons.push(new Error(`${name} is not the binding: it has no App`));
    } catch (error) {
      reasons.push(error);
    }
  }
  const why = reasons.map((reason) => (reason instanceof Error ? reason.message.split('\n')[0] : String(reason)));
  throw new Error(
    `No binding of uWebSockets.js for ${platform}-${arch} and Node ${nodeMajor}. Install ${prebuilt}, or where that ` +
      `does not exist the official package, uNetworking/uWebSockets.js on GitHub; or serve with the node adapter. ` +
      `Tried: ${why.join('; ')}`,
    { cause: new AggregateError(reasons) },
  );
};
