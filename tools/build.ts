/**
 * `npm run build` compiles what is published: `dist/` of the package, or of the folder that is named, as its
 * `tsconfig.build.json` says. Tests, examples and the tools run the sources.
 */
import { execFileSync } from 'node:child_process';
import { chmod, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder = '.'] = process.argv.slice(2);
const dist = join(root, folder, 'dist');

/** What a page or a thread loads as it is, and the compiler does not look at. */
const ASSETS = ['cli/typescript-hooks.mjs', 'runtime/store/writer.mjs', 'server/operator/inspector/in-browser.mjs'];

/** The compiler leaves the names of files in declarations as they are in the sources. */
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
