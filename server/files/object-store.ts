/** What an object store is, and one in memory. */
import { requireKey } from './object-key.ts';
import { StoreFullError } from './store-full-error.ts';

export interface StoredObject {
  readonly data: Buffer;
  /** Media type, without parameters but a charset: `text/plain; charset=latin1`. */
  readonly contentType: string;
}

/** Every method rejects with a TypeError for what is no key. */
export interface ObjectStore {
  /** False, and nothing has changed, if there is an object with this key. Rejects with StoreFullError. */
  create(key: string, object: StoredObject): Promise<boolean>;
  /** Replaces what there may be. Rejects with StoreFullError. */
  put(key: string, object: StoredObject): Promise<void>;
  get(key: string): Promise<StoredObject | undefined>;
  /** False if there is none. */
  delete(key: string): Promise<boolean>;
}

/** What an object costs beside its bytes, so that many small ones are bounded too. */
const overheadBytes = 512;

export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** `maxBytes`: of all objects together, each with its key and 512 bytes beside. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async create(key: string, object: StoredObject): Promise<boolean> {
    requireKey(key);
    if (this.#objects.has(key)) return false;
    await this.put(key, object);
    return true;
  }

  async put(key: string, object: StoredObject): Promise<void> {
    requireKey(key);
    const bytes = this.#bytes + sizeOf(key, object) - sizeOf(key, this.#objects.get(key));
    if (bytes > this.#maxBytes) throw new StoreFullError(`All objects may have ${this.#maxBytes} bytes together.`);
    this.#bytes = bytes;
    this.#objects.set(key, object);
  }

  async get(key: string): Promise<StoredObject | undefined> {
    requireKey(key);
    return this.#objects.get(key);
  }

  async delete(key: string): Promise<boolean> {
    requireKey(key);
    this.#bytes -= sizeOf(key, this.#objects.get(key));
    return this.#objects.delete(key);
  }
}

const sizeOf = (key: string, object: StoredObject | undefined): number =>
  object === undefined ? 0 : object.data.length + Buffer.byteLength(key) + overheadBytes;
