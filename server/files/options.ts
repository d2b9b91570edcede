/** The options of files, with their defaults. */

export interface FilesOptions {
  /** The place of the files of `/static`: the word `memory`, or a directory. Default null: they are not served. */
  readonly objectStore: string | null;
  /** Maximum bytes of one file. Default 10_485_760. */
  readonly maxFileBytes: number;
  /** Maximum bytes of all files in memory. Default 268_435_456. */
  readonly maxStoreBytes: number;
}

export const filesDefaults: FilesOptions = {
  objectStore: null,
  maxFileBytes: 10 * 1024 * 1024,
  maxStoreBytes: 256 * 1024 * 1024,
};
