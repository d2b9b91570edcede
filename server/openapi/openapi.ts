/**
 * The description of all routes, for programs and people. It is the same for all callers, as long as the server runs.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { html } from '../http/about.ts';
import type { Call, Reply } from '../http/route.ts';
import { packageVersion } from '../package.ts';
import type { Protocol } from '../protocol.ts';
import { route } from '../wire/route.ts';
import { type DocumentOptions, openApiOf } from './document.ts';
import { PAGE_POLICY, pageOf } from './page.ts';

export const openApi = (): Protocol => (app) => {
  const { routes, config } = app;
  const document: DocumentOptions = { title: 'Fermata', version: packageVersion(), rootPath: config.rootPath };
  return {
    name: 'openapi',
    routes: [
      route({
        method: 'GET',
        path: '/openapi.json',
        reply: z.object({}),
        about: { ...about, summary: 'This document', answers: { 200: 'OpenAPI 3.1.', 304: 'As it was.' } },
        handle: cached({ 'content-type': 'application/json' }, () => JSON.stringify(openApiOf(routes, document))),
      }),
      route({
        method: 'GET',
        path: '/docs',
        about: {
          ...about,
          summary: 'The same as a web page',
          answers: { 200: { description: 'The page.', content: html }, 304: 'As it was.' },
        },
        handle: cached(PAGE_HEADERS, () => pageOf(routes, document)),
      }),
    ],
  };
};

const about = { tag: 'server', credential: 'none' } as const;

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Rendered once, and not sent again to a client that has it. */
const cached = (headers: Readonly<Record<string, string>>, write: () => string) => {
  let whole: (Reply<never> & { readonly headers: { readonly etag: string } }) | undefined;
  return ({ headers: asked }: Call): Reply<never> => {
    whole ??= tagged(headers, write());
    const known = asked['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (!known?.includes(whole.headers.etag) && !known?.includes('*')) return whole;
    return { status: 304, headers: whole.headers };
  };
};

const tagged = (headers: Readonly<Record<string, string>>, body: string) => {
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { status: 200, headers: { ...headers, etag, 'cache-control': 'no-cache' }, body };
};
