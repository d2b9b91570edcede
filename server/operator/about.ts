/** Descriptions of the routes for operators. */
import { bytes, inQuery, page, refusal, refusedWithProblem } from '../http/about.ts';
import type { AboutRoute } from '../wire/route.ts';
import { KINDS } from './inspector/watch.ts';

const open = { tag: 'server', credential: 'none' } as const;
const guarded = { tag: 'server', credential: 'operator' } as const;

const forOperators = refusedWithProblem('For operators only.');
const shownPage = { description: 'The page.', content: page };

export const aboutSignIn: AboutRoute = {
  ...open,
  summary: 'Signs a browser in as operator',
  answers: {
    204: 'Done, by a cookie.',
    403: refusedWithProblem('This is not the operator key.'),
    422: refusedWithProblem('The body does not fit.'),
  },
};

export const aboutSignOut: AboutRoute = { ...open, summary: 'Signs it out', answers: { 204: 'Done.' } };

export const aboutInspector: AboutRoute = {
  ...guarded,
  summary: 'The Stately inspector, connected to this server',
  description: 'The WebSocket at `/inspect/socket` sends the same messages, with the same query.',
  parameters: [
    inQuery('kind', 'Only actors of this kind; may be given several times.', { enum: [...KINDS] }),
    inQuery('execution', 'Only this one.'),
    inQuery('user', 'Only what is theirs.'),
    inQuery('payloads', '1 shows inputs, results, prompts and answers too.', { enum: ['0', '1'] }),
  ],
  answers: { 200: shownPage, 403: forOperators, 422: refusedWithProblem('A parameter is invalid.') },
};

export const aboutConsole: AboutRoute = {
  ...open,
  summary: 'The console, a page for operators',
  answers: { 200: shownPage, 304: 'As it was.', 404: refusal('It has not been built.') },
};

export const aboutConsoleFile: AboutRoute = {
  ...open,
  summary: 'The files of the page',
  answers: {
    200: { description: 'A file.', content: bytes },
    304: 'As it was.',
    404: refusal('There is no such file.'),
  },
};

export const aboutHealth: AboutRoute = { ...open, summary: '200 while it serves', answers: { 200: 'It serves.' } };

export const aboutMonitor: AboutRoute = {
  ...guarded,
  summary: 'Users with open resources',
  parameters: [inQuery('user_id', 'Only this one.')],
  answers: { 200: 'Those users.', 403: forOperators },
};
