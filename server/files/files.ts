/** Files in an object store, if one is configured. */
import type { Protocol } from '../protocol.ts';
import { openObjectStore } from './open.ts';
import { staticRoutes } from './routes.ts';

export const files = (): Protocol => async (app) => {
  const { objectStore, maxStoreBytes, maxFileBytes } = app.config;
  if (objectStore === null) return { name: 'files', routes: [] };
  const store = await openObjectStore(objectStore, maxStoreBytes);
  const routes = staticRoutes({ ...app, store, maxFileBytes });
  return { name: 'files', routes: routes.map((route) => ({ ...route, setting: 'fermata.object_store' })) };
};
