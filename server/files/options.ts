/** The options of files, with their defaults. */

export interface FilesOptions {
  /** Where the files of `/static` are: the word `memory`, or a directory. Default null: they are not served. */
  readonly objectStore: string | null;
  /** Bytes of one of these files. Default 10_485_760. */
  readonly maxFileBytes: number;
  /** Bytes of all of them, in memory. Default 268_435_456. */
  readonly maxStoreBytes: number;
}

export const filesDefaults: FilesOptions = {
  objectStore: null,
  maxFileBytes: 10 * 1024 * 1024,
  maxStoreBytes: 256 * 1024 * 1024,
};
