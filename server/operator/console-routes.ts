/**
 * Serves the console: the page that `npm run build` makes of `console/`. Its files contain no data and no secrets and
 * are public. The page gets its data from the API, which answers operators only.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bytes, html, refused } from '../http/about.ts';
import { refusal } from '../http/problem.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { packageFile } from '../package.ts';
import { route } from '../wire/route.ts';

const BUILT = packageFile('console/dist/');

export const consoleRoutes = (): Route[] => {
  const page = once(() => new Served('index.html', 'no-cache'));
  const files = once(() => readFiles('console/'));
  return [
    route({
      method: 'GET',
      path: '/console',
      about: {
        tag: 'server',
        credential: 'none',
        summary: 'The console, a page for operators',
        answers: {
          200: { description: 'The page.', content: html },
          304: 'As it was.',
          404: refused('It has not been built.'),
        },
      },
      handle: (call) => page()?.reply(call) ?? unbuilt,
    }),
    route({
      method: 'GET',
      path: '/console/:file',
      about: {
        tag: 'server',
        credential: 'none',
        summary: 'The files of the page',
        answers: {
          200: { description: 'A file.', content: bytes },
          304: 'As it was.',
          404: refused('There is no such file.'),
        },
      },
      handle: (call) => files()?.get(call.params.file!)?.reply(call) ?? refusal(404, 'Not Found'),
    }),
  ];
};

const unbuilt = refusal(404, 'The console has not been built: run `npm run build`, and start the server again.');

/** Files are read on first use; undefined if there are none. */
const once = <T>(read: () => T): (() => T | undefined) => {
  let got: { readonly value: T | undefined } | undefined;
  return () => {
    got ??= { value: whereBuilt(read) };
    return got.value;
  };
};

const whereBuilt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** By name. The names change with the content. */
const readFiles = (folder: string): Map<string, Served> =>
  new Map(
    readdirSync(new URL(folder, BUILT)).map((name) => [
      name,
      new Served(folder + name, 'public, max-age=31536000, immutable'),
    ]),
  );

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** No inline script or style, no external resources, no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

class Served {
  readonly #plain: Buffer;
  readonly #zipped: Buffer;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(path: string, caching: string) {
    this.#plain = readFileSync(new URL(path, BUILT));
    this.#zipped = gzipSync(this.#plain);
    this.#headers = {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'cache-control': caching,
      etag: `"${createHash('sha256').update(this.#plain).digest('base64url')}"`,
      vary: 'accept-encoding',
      'content-security-policy': POLICY,
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    };
  }

  reply({ headers: asked }: Pick<Call, 'headers'>): Reply<never> {
    if (asked['if-none-match'] === this.#headers.etag) return { status: 304, headers: this.#headers };
    if (!/\bgzip\b/.test(asked['accept-encoding'] ?? '')) {
      return { status: 200, headers: this.#headers, body: this.#plain };
    }
    return { status: 200, headers: { ...this.#headers, 'content-encoding': 'gzip' }, body: this.#zipped };
  }
}
