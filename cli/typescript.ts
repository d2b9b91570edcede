/**
 * Loads TypeScript modules of a user. The compiler is loaded with the first such module; a server with JavaScript
 * workflows does not load it.
 */
import { register } from 'node:module';

const ENTRIES = ['fermata', 'fermata/server', 'fermata/client', 'fermata/testing'];

export const isTypeScript = (file: string): boolean => /\.[cm]?tsx?$/.test(file);

let isAllowed = false;

export const allowTypeScript = async (): Promise<void> => {
  if (isAllowed) return;
  isAllowed = true;
  // The loader that runs these sources compiles all other files too.
  if (!isTypeScript(import.meta.url)) (await import('tsx/esm/api')).register();
  const entries = Object.fromEntries(ENTRIES.map((entry) => [entry, import.meta.resolve(entry)]));
  register('./typescript-hooks.mjs', import.meta.url, { data: entries });
};
