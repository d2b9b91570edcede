/**
 * Objects in a directory, one file each, written atomically.
 *
 * A file is named by the hash of its key. So no key can lead out of the directory, hide another, or be too long. A file
 * begins with a line of JSON with key and media type. The directory belongs to the store: other files in it are not
 * touched, and links are not followed.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants, type FileHandle, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Content } from '../http/route.ts';
import { requireKey } from './object-key.ts';
import type { ObjectStore, OpenObject, StoredObject } from './object-store.ts';
import { StoreFullError } from './store-full-error.ts';

type Head = { readonly key: string; readonly contentType: string };

const UNFINISHED = '.unfinished';
/** No upload takes this long: an older file was left by a process that crashed. */
const LEFT_BEHIND_MS = 3_600_000;
const NEWLINE = 0x0a;
/** A key has 512 bytes, which may take six times as many in JSON. */
const MAX_HEAD_BYTES = 8_192;
/** A full disk, a used-up quota, and a file larger than the process may write. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export class DirectoryStore implements ObjectStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Creates the directory if missing, and removes files of crashed processes. Rejects for an invalid directory. */
  static async open(path: string): Promise<DirectoryStore> {
    const directory = resolve(path);
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory)) {
      if (!name.endsWith(UNFINISHED)) continue;
      const file = join(directory, name);
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < Date.now() - LEFT_BEHIND_MS) await rm(file, { force: true });
    }
    const store = new DirectoryStore(directory);
    await unlink(await store.#write({ key: 'probe', contentType: '' }, Buffer.alloc(0)));
    return store;
  }

  async create(key: string, { data, contentType }: StoredObject): Promise<boolean> {
    const file = this.#fileOf(key);
    const written = await this.#write({ key, contentType }, data);
    try {
      await link(written, file);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await unlink(written);
    }
  }

  async put(key: string, { data, contentType }: StoredObject): Promise<void> {
    const file = this.#fileOf(key);
    const written = await this.#write({ key, contentType }, data);
    try {
      await rename(written, file);
    } catch (error) {
      await rm(written, { force: true });
      throw error;
    }
  }

  async open(key: string): Promise<OpenObject | undefined> {
    const file = await openIfThere(this.#fileOf(key), constants.O_RDONLY | constants.O_NOFOLLOW);
    if (file === undefined) return undefined;
    try {
      const { contentType, end } = await readHead(file, key);
      const { size } = await file.stat();
      return { contentType, content: new FileContent(file, end, size - end) };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async delete(key: string): Promise<boolean> {
    try {
      await unlink(this.#fileOf(key));
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  #fileOf(key: string): string {
    requireKey(key);
    return join(this.#directory, createHash('sha256').update(key).digest('hex'));
  }

  /** Returns the path of a file that is completely on the disk. */
  async #write(head: Head, data: Buffer): Promise<string> {
    try {
      return await this.#writeWhole(head, data);
    } catch (error) {
      if (!FULL.has(codeOf(error))) throw error;
      throw new StoreFullError('There is no room left on the disk of the object store.', { cause: error });
    }
  }

  async #writeWhole(head: Head, data: Buffer): Promise<string> {
    const path = join(this.#directory, `${randomUUID()}${UNFINISHED}`);
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(head)}\n`);
      await file.writeFile(data);
      await file.sync();
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }
}

/** The head, and the number of its bytes. */
const readHead = async (file: FileHandle, key: string): Promise<Head & { readonly end: number }> => {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(MAX_HEAD_BYTES), 0, MAX_HEAD_BYTES, 0);
  const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
  const head = JSON.parse(buffer.toString('utf8', 0, Math.max(newline, 0))) as Head;
  if (head.key !== key) throw new Error(`the file of ${JSON.stringify(key)} in the object store is one of another`);
  return { ...head, end: newline + 1 };
};

/** The bytes of a file from a position on. */
class FileContent implements Content {
  readonly length: number;
  readonly #file: FileHandle;
  #at: number;

  constructor(file: FileHandle, at: number, length: number) {
    this.#file = file;
    this.#at = at;
    this.length = length;
  }

  async read(most: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(most), 0, most, this.#at);
    this.#at += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** The handle waits for a read that is under way. */
  close(): void {
    this.#file.close().catch(() => {}); // the bytes that were read are as they were
  }
}

const openIfThere = async (path: string, flags: number): Promise<FileHandle | undefined> => {
  try {
    return await open(path, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
