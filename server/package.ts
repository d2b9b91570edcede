import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const manifest = createRequire(import.meta.url).resolve('fermata/package.json');

/** A file of this package by its path there, be it that the sources run or what is compiled of them. */
export const packageFile = (path: string): URL => new URL(path, pathToFileURL(manifest));

/** Of this package, from its manifest. */
export const packageVersion = (): string => {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
};
