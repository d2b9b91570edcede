/** Files in an object store, if one is configured. */
import type { Protocol } from '../protocol.ts';
import { openObjectStore } from './open.ts';
import { staticRoutes } from './routes.ts';

export const files = (): Protocol => async (app) => {
  const { objectStore, maxStoreBytes, maxFileBytes } = app.config;
  if (objectStore === null) return { name: 'files', routes: [] };
  const store = await openObjectStore(objectStore, maxStoreBytes);
  return { name: 'files', routes: staticRoutes({ ...app, store, maxFileBytes }) };
};
