/**
 * `npm run build` compiles the published files: `dist/` of the package, or of the named folder, according to its
 * `tsconfig.build.json`. Tests, examples and tools run the sources.
 */
import { execFileSync } from 'node:child_process';
import { chmod, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder = '.'] = process.argv.slice(2);
const dist = join(root, folder, 'dist');

/** Files for pages and threads, which the compiler does not process. */
const ASSETS = [
  'cli/typescript-hooks.mjs',
  'runtime/store/writer.mjs',
  'runtime/store/postgres/beats.mjs',
  'server/operator/inspector/in-browser.mjs',
];

/** The compiler does not change file names in declarations. */
const namesOfFiles = /(?<=\bfrom ['"]|\bimport\(['"])(\.{1,2}\/[^'"]+)\.ts(?=['"])/g;

await rm(dist, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(root, folder, 'tsconfig.build.json')], { stdio: 'inherit' });

for (const file of await readdir(dist, { recursive: true })) {
  if (!file.endsWith('.d.ts')) continue;
  const path = join(dist, file);
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll(namesOfFiles, '$1.js'));
}

if (folder === '.') {
  for (const asset of ASSETS) await cp(join(root, asset), join(dist, asset));
  await chmod(join(dist, 'cli/main.js'), 0o755);
}
