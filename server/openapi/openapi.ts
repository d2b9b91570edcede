/**
 * The description of all routes, for programs and people. It is the same for all callers, as long as the server runs.
 */
import { createHash } from 'node:crypto';
import { type About, json, text } from '../http/about.ts';
import type { Reply, Route } from '../http/route.ts';
import { packageVersion } from '../package.ts';
import type { Protocol } from '../protocol.ts';
import { type DocumentOptions, openApiOf } from './document.ts';
import { PAGE_POLICY, pageOf } from './page.ts';

export const openApi = (): Protocol => (app) => {
  const { routes, schemas, config } = app;
  const about: DocumentOptions = { title: 'Fermata', version: packageVersion(), rootPath: config.rootPath, schemas };
  return {
    name: 'openapi',
    routes: [
      {
        method: 'GET',
        path: '/openapi.json',
        about: aboutDocument,
        handle: cached({ 'content-type': 'application/json' }, () => JSON.stringify(openApiOf(routes, about))),
      },
      { method: 'GET', path: '/docs', about: aboutPage, handle: cached(PAGE_HEADERS, () => pageOf(routes, about)) },
    ],
  };
};

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Rendered once, and not sent again to a client that has it. */
const cached = (headers: Readonly<Record<string, string>>, write: () => string): Route['handle'] => {
  let whole: (Reply & { readonly headers: { readonly etag: string } }) | undefined;
  return ({ headers: asked }) => {
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

const aboutDocument: About = {
  tag: 'server',
  summary: 'This document',
  answers: {
    200: { description: 'OpenAPI 3.1.', content: json({ type: 'object' }) },
    304: { description: 'As it was.' },
  },
  credential: 'none',
};

const aboutPage: About = {
  tag: 'server',
  summary: 'The same as a web page',
  answers: { 200: { description: 'The page.', content: { 'text/html': text } }, 304: { description: 'As it was.' } },
  credential: 'none',
};
