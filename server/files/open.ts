/** Opens the object store: in memory, or in a directory. */
import { Failure } from '../../runtime/index.ts';
import { DirectoryStore } from './directory-store.ts';
import { MemoryObjectStore, type ObjectStore } from './object-store.ts';

/**
 * `place`: the word `memory`, or a directory, which is created if missing. `maxStoreBytes` applies in memory only.
 * Rejects with `options_invalid` for an invalid directory.
 */
export const openObjectStore = async (place: string, maxStoreBytes: number): Promise<ObjectStore> => {
  if (place === 'memory') return new MemoryObjectStore(maxStoreBytes);
  try {
    return await DirectoryStore.open(place);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('options_invalid', { detail: `object_store: the directory cannot be used: ${reason}`, cause });
  }
};
