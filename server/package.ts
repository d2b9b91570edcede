import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const manifest = createRequire(import.meta.url).resolve('fermata/package.json');

/** A file of this package by its path, for the sources and for the compiled package. */
export const packageFile = (path: string): URL => new URL(path, pathToFileURL(manifest));

/** The version, from the manifest. */
export const packageVersion = (): string => {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
};
