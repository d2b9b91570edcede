import type { Log } from './authoring/context.ts';

const silent = (): void => {};

/** For programs that embed the runtime and want no log. */
export const silentLog: Log = { debug: silent, info: silent, warn: silent, error: silent };
