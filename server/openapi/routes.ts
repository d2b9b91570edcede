/** What the server says about its own routes: to programs and to people. It is the same for everybody, as long as it runs. */
import { createHash } from 'node:crypto';
import { jsonSchemaOf, type Workflow } from '../../runtime/index.ts';
import { aboutDocument, aboutPage } from '../api/about.ts';
import type { Reply, Route } from '../http/route.ts';
import { chatRequest } from '../nat/chat/schema.ts';
import { jobFields } from '../nat/routes/jobs.ts';
import { packageVersion } from '../package.ts';
import { wireSchemas } from '../wire/schemas.ts';
import { type DocumentOptions, openApiOf } from './document.ts';
import { PAGE_POLICY, pageOf } from './page.ts';
import { workflowSchemas } from './workflow-schemas.ts';

/** They describe `routes`, among which they may be themselves, as these are when somebody first asks. */
export const openApiRoutes = (routes: readonly Route[], workflows: readonly Workflow[], rootPath: string): Route[] => [
  {
    method: 'GET',
    path: '/openapi.json',
    about: aboutDocument,
    handle: cached({ 'content-type': 'application/json' }, () =>
      JSON.stringify(openApiOf(routes, options(workflows, rootPath))),
    ),
  },
  {
    method: 'GET',
    path: '/docs',
    about: aboutPage,
    handle: cached(PAGE_HEADERS, () => pageOf(routes, options(workflows, rootPath))),
  },
];

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Written once, and not sent again to whoever has it. */
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

const options = (workflows: readonly Workflow[], rootPath: string): DocumentOptions => ({
  title: 'Fermata',
  version: packageVersion(),
  rootPath,
  schemas: {
    ...wireSchemas,
    ...workflowSchemas(workflows, jsonSchemaOf(jobFields)),
    ChatRequest: jsonSchemaOf(chatRequest),
  },
});
