/** The interface of object stores, and one in memory. */
import type { Content } from '../http/route.ts';
import { requireKey } from './object-key.ts';
import { StoreFullError } from './store-full-error.ts';

export interface StoredObject {
  readonly data: Buffer;
  /** Media type, with no parameter except a charset: `text/plain; charset=latin1`. */
  readonly contentType: string;
}

/** An object to be read. Its reader closes the content. */
export interface OpenObject {
  readonly content: Content;
  readonly contentType: string;
}

/** Every method rejects with a TypeError for an invalid key. */
export interface ObjectStore {
  /** Resolves to false, without a change, if an object has this key. Rejects with StoreFullError. */
  create(key: string, object: StoredObject): Promise<boolean>;
  /** Creates or replaces an object. Rejects with StoreFullError. */
  put(key: string, object: StoredObject): Promise<void>;
  /** The content stays the same while it is read, also if the object is replaced or deleted meanwhile. */
  open(key: string): Promise<OpenObject | undefined>;
  /** Resolves to false if there is none. */
  delete(key: string): Promise<boolean>;
}

/** The counted overhead of an object, so that many small objects are limited too. */
const overheadBytes = 512;

export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** `maxBytes`: limit for all objects together, each with its key and 512 bytes of overhead. */
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

  async open(key: string): Promise<OpenObject | undefined> {
    requireKey(key);
    const object = this.#objects.get(key);
    return object && { content: new BytesInMemory(object.data), contentType: object.contentType };
  }

  async delete(key: string): Promise<boolean> {
    requireKey(key);
    this.#bytes -= sizeOf(key, this.#objects.get(key));
    return this.#objects.delete(key);
  }
}

class BytesInMemory implements Content {
  readonly length: number;
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.length = bytes.length;
    this.#rest = bytes;
  }

  async read(most: number): Promise<Buffer> {
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  close(): void {}
}

const sizeOf = (key: string, object: StoredObject | undefined): number =>
  object === undefined ? 0 : object.data.length + Buffer.byteLength(key) + overheadBytes;
