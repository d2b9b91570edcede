/** Every route, and who may use it: a route that is missing here fails the test. */
import type { Owned, State } from './world.ts';

/** Kinds of access. One line of the table has the reply for each caller. */
export type Access =
  /** The same for all. */
  | 'everybody'
  /** Not there, for all. */
  | 'absent'
  /** A caller with the operator key in the body. */
  | 'signIn'
  /** A caller who may start a run. */
  | 'starter'
  /** A caller who starts a run of a per-user workflow. */
  | 'user'
  /** The owner of an execution. */
  | 'owner'
  /** Users, who see what is theirs. */
  | 'lister'
  /** The same, for news. */
  | 'follower'
  /** Who has the token of the guest whose job it is. */
  | 'guest'
  /** Who may write files. */
  | 'writer'
  /** Operators, as programs. */
  | 'operator'
  /** Operators by header, or at this machine. */
  | 'monitor'
  /** Operators in a browser. */
  | 'page'
  /** As `starter`, `user`, `owner` and `page`, on sockets: pages of others open none. */
  | 'says'
  | 'saysOwn'
  | 'talker'
  /** Who says on a socket to be another user: the conversation of the user before is not shown. */
  | 'renamed'
  | 'watcher';

export interface Entry {
  readonly access: Access;
  /** Default: the route as it is. */
  readonly line?: (owned: Owned) => string;
  readonly body?: unknown;
  /** In which the execution is tried. Default: none is needed. */
  readonly states?: readonly State[];
  /** Whether it changes the execution, so that each call needs a new one. */
  readonly changes?: boolean;
  /** Whether there has to be a file. */
  readonly needsFile?: boolean;
}

const everyState = ['executing', 'asking', 'consenting', 'sleeping', 'completed', 'failed'] as const;

const everybody: Entry = { access: 'everybody' };
const starter: Entry = { access: 'starter', body: {} };
const chatter: Entry = { access: 'starter', body: { messages: [{ role: 'user', content: 'Hello.' }] } };
const user: Entry = { access: 'user', body: {} };
export const file = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n';

const ofExecution = (more: Partial<Entry> & { readonly at: string }): Entry => ({
  access: 'owner',
  states: everyState,
  line: ({ execution, interaction }) =>
    more.at.replace(':executionId', execution).replace(':interactionId', interaction),
  ...more,
});

export const entries: Readonly<Record<string, Entry>> = {
  'GET /': everybody,
  'GET /health': everybody,
  'GET /health/ready': everybody,
  'GET /workflows': everybody,
  'GET /v1/models': everybody,
  'GET /v1/models/*': { access: 'everybody', line: () => 'GET /v1/models/shared' },
  'GET /openapi.json': everybody,
  'GET /docs': everybody,
  'GET /console': everybody,
  'GET /console/:file': { access: 'absent', line: () => 'GET /console/none.js' },
  'GET /auth/redirect': { access: 'everybody', line: () => 'GET /auth/redirect?state=x&code=y' },
  'POST /auth/redirect': everybody,
  'POST /operator': { access: 'signIn', body: { key: 'guessed' } },
  'DELETE /operator': everybody,

  'GET /executions/:executionId': ofExecution({ at: 'GET /executions/:executionId' }),
  'DELETE /executions/:executionId': ofExecution({ at: 'DELETE /executions/:executionId', changes: true }),
  'POST /executions/:executionId/retry': ofExecution({ at: 'POST /executions/:executionId/retry' }),
  'GET /executions/:executionId/stream': ofExecution({ at: 'GET /executions/:executionId/stream' }),
  'GET /executions/:executionId/journal': ofExecution({ at: 'GET /executions/:executionId/journal' }),
  'POST /executions/:executionId/interactions/:interactionId/response': ofExecution({
    at: 'POST /executions/:executionId/interactions/:interactionId/response',
    states: ['asking'],
    body: { response: { type: 'text', text: 'This.' } },
    changes: true,
  }),
  'GET /executions': { access: 'lister' },
  'GET /executions/': { access: 'absent' },
  'GET /executions/changes': { access: 'follower' },
  'GET /interactions': { access: 'lister' },

  'GET /builders': { access: 'operator' },
  'GET /nodes': { access: 'operator' },
  'GET /metrics': { access: 'operator' },
  'GET /monitor/users': { access: 'monitor' },
  'GET /inspect': { access: 'page' },

  'POST /v1/workflow': starter,
  'POST /generate': starter,
  'POST /v1/workflow/stream': starter,
  'POST /v1/workflow/full': starter,
  'POST /generate/stream': starter,
  'POST /generate/full': starter,
  'POST /v1/chat': chatter,
  'POST /v1/chat/stream': chatter,
  'POST /chat': chatter,
  'POST /chat/stream': chatter,
  'POST /v1/chat/completions': chatter,
  'POST /personal': user,
  'POST /own': user,
  'POST /personal/stream': user,
  'POST /personal/full': user,
  'POST /own/stream': user,
  'POST /own/full': user,
  'POST /work': starter,
  'POST /old-work': starter,
  'POST /work/stream': starter,
  'POST /work/full': starter,
  'POST /old-work/stream': starter,
  'POST /old-work/full': starter,
  'POST /work/async': starter,
  'POST /old-work/async': starter,
  'GET /work/async/job/:jobId': { access: 'guest', line: () => 'GET /work/async/job/job-1' },
  'GET /old-work/async/job/:jobId': { access: 'guest', line: () => 'GET /old-work/async/job/job-1' },

  'GET /static/*': { access: 'everybody', line: () => 'GET /static/file.txt' },
  'PUT /static/*': { access: 'writer', line: () => 'PUT /static/file.txt', body: file },
  'POST /static/*': { access: 'writer', line: () => 'POST /static/file.txt', body: file },
  'DELETE /static/*': { access: 'writer', line: () => 'DELETE /static/file.txt', needsFile: true },
};

/** The same for sockets: connecting, and each message that clients send. */
export const spoken: Readonly<Record<string, Access>> = {
  'SOCKET /websocket reconnect': 'talker',
  'SOCKET /websocket user_message': 'says',
  'SOCKET /websocket user_interaction_message': 'talker',
  'SOCKET /websocket auth_message': 'renamed',
  'SOCKET /personal/socket reconnect': 'talker',
  'SOCKET /personal/socket user_message': 'saysOwn',
  'SOCKET /personal/socket user_interaction_message': 'talker',
  'SOCKET /personal/socket auth_message': 'renamed',
  'SOCKET /inspect/socket reconnect': 'watcher',
};
