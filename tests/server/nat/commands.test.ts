/** The commands that NAT documents for people with `curl`, one form of each, with the words of our own workflows. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createServer, type Server } from '../../../server/index.ts';
import { labMessage, labPerUser } from '../../lab/workflows.ts';

const run = promisify(execFile);
const isMissing = spawnSync('curl', ['--version']).status !== 0 && 'curl is not installed';

const directory = mkdtempSync(join(tmpdir(), 'fermata-'));
const file = join(directory, 'data.txt');
writeFileSync(file, 'some data\n');
after(() => rmSync(directory, { recursive: true, force: true }));

let agent: Server;
let perUser: Server;
before(async () => {
  const config = { host: '127.0.0.1', port: 0, asyncJobs: true, monitorUsers: true, objectStore: 'memory' } as const;
  agent = await createServer({ workflow: labMessage, config: { ...config, enableInteractiveExtensions: true } });
  perUser = await createServer({ workflow: labPerUser, config });
});
after(() => Promise.all([agent.close(), perUser.close()]));

const curl = async (server: Server, typed: readonly string[]) => {
  const args = typed.map((word) => word.replace('http://localhost:8000', server.url));
  const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', ...args]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
};

const at = (path: string) => `http://localhost:8000${path}`;
/** The two ways in which it is written. */
const request = (path: string, data: unknown) =>
  [
    '--request',
    'POST',
    '--url',
    at(path),
    '--header',
    'Content-Type: application/json',
    '--data',
    pretty(data),
  ] as const;
const short = (path: string, data: unknown, ...more: string[]) =>
  ['-X', 'POST', at(path), '-H', 'Content-Type: application/json', ...more, '-d', pretty(data)] as const;
const pretty = (data: unknown): string => JSON.stringify(data, null, 2);

const message = { input_message: 'echo:ready' };
const chat = (more: object = {}) => ({ messages: [{ role: 'user', content: 'echo:ready' }], ...more });
const asking = { messages: [{ role: 'user', content: 'ask-text' }] };
const completion = /"object":"chat.completion".*"content":"ready"/;
const chunks = /^data: \{.*"content":"ready"/m;

const commands: readonly [command: readonly string[], status: number, body: RegExp][] = [
  [[at('/health')], 200, /^\{"status":"healthy"\}$/],
  ...['/v1/workflow', '/generate'].flatMap((path): [readonly string[], number, RegExp][] => [
    [request(path, message), 200, /^\{"value":"ready"\}$/],
    [request(`${path}/stream`, message), 200, /^data: \{"value":"ready"\}$/m],
    [request(`${path}/stream`, message), 200, /^intermediate_data: \{.*"name":"Function Start: <workflow>"/m],
    [request(`${path}/full`, message), 200, /^intermediate_data: \{.*"type":"WORKFLOW_START"/m],
    [request(`${path}/full?filter_steps=none`, message), 200, /^data: \{"value":"ready"\}\n\n$/],
    [
      request(`${path}/full?filter_steps=FUNCTION_END,TOOL_END`, message),
      200,
      /^(?:intermediate_data: \{.*"type":"FUNCTION_END".*\n\n|data: .*\n\n?)+$/,
    ],
    [request(`${path}/async`, message), 202, /^\{"job_id":"[\w-]+","status":"submitted"\}$/],
    [
      request(`${path}/async`, { ...message, sync_timeout: 10 }),
      200,
      /"status":"success".*"output":\{"value":"ready"\}/,
    ],
    [short(path, chat(), '-H', 'Cookie: nat-session=alice'), 200, completion],
  ]),
  ...['/v1/chat', '/chat'].flatMap((path): [readonly string[], number, RegExp][] => [
    [request(path, chat()), 200, completion],
    [request(`${path}/stream`, chat()), 200, chunks],
  ]),
  [
    short('/v1/chat/completions', chat({ model: 'm', stream: false, temperature: 0.7, max_tokens: 100 })),
    200,
    completion,
  ],
  [short('/v1/chat/completions', chat({ model: 'm', stream: true, temperature: 0.7 })), 200, chunks],
  [short('/v1/chat/completions', chat({ model: 'm', stream: true })), 200, /^data: \[DONE\]$/m],
  [short('/v1/chat', asking), 202, /"status_url":"\/executions\/[\w-]+","status":"interaction_required"/],
  [short('/v1/chat/completions', { ...asking, stream: false }), 202, /"status":"interaction_required"/],
  [short('/chat', asking), 422, /"code":"workflow_error".*No human prompt callback/],
  // What the page of object stores says is not what NAT takes: it wants a form.
  [['-X', 'PUT', '--data-binary', `@${file}`, at('/static/folder/data.txt')], 422, /"missing"/],
  [['-X', 'POST', '-F', `file=@${file}`, at('/static/folder/data.txt')], 200, /^\{"filename":"folder\/data.txt"\}$/],
  [['-X', 'POST', '-F', `file=@${file}`, at('/static/folder/data.txt')], 409, /already exists/],
  [['-X', 'PUT', '-F', `file=@${file}`, at('/static/folder/data.txt')], 200, /folder\/data.txt/],
  [['-X', 'GET', at('/static/folder/data.txt')], 200, /^some data\n$/],
  [['-I', at('/static/folder/data.txt')], 200, /content-type: text\/plain/i],
  [['-X', 'DELETE', at('/static/folder/data.txt')], 204, /^$/],
  [['-X', 'DELETE', at('/static/folder/data.txt')], 404, /No object found/],
];

for (const [command, status, body] of commands) {
  test(`curl ${command.join(' ').replaceAll(/\s+/g, ' ').replace(file, 'data.txt')}`, { skip: isMissing }, async () => {
    const reply = await curl(agent, command);

    assert.equal(reply.status, status, reply.body);
    assert.match(reply.body, body);
  });
}

test('a job is asked for by its id; one that its client has chosen, without saying who it is, with its cookies', {
  skip: isMissing,
}, async () => {
  const jar = join(directory, 'jar');
  const chosen = request('/v1/workflow/async', { ...message, job_id: 'example-job-123', sync_timeout: 10 });
  const chosenPath = at('/v1/workflow/async/job/example-job-123');

  const given = JSON.parse((await curl(agent, request('/v1/workflow/async', message))).body) as { job_id: string };
  const found = await curl(agent, [at(`/v1/workflow/async/job/${given.job_id}`)]);
  const started = await curl(agent, [...chosen, '-c', jar]);
  const own = await curl(agent, [chosenPath, '-b', jar]);
  const strange = await curl(agent, [chosenPath]);

  assert.equal(found.status, 200);
  assert.match(started.body, /"job_id":"example-job-123","status":"success"/);
  assert.match(own.body, /"job_id":"example-job-123","status":"success".*"output":\{"value":"ready"\}/);
  assert.equal(strange.status, 404);
});

test('an execution is polled and answered by the URLs of its reply, with the members that the page names', {
  skip: isMissing,
}, async () => {
  const started = JSON.parse((await curl(agent, short('/v1/chat', asking))).body);
  const answer = { response: { input_type: 'text', text: 'Ada' } };

  const before = await curl(agent, [at(started.status_url)]);
  const answered = await curl(agent, short(started.response_url, answer));
  const again = await curl(agent, short(started.response_url, answer));
  const done = await curl(agent, [at(`${started.status_url}?wait=5`)]);

  assert.match(before.body, /"status":"interaction_required"/);
  assert.equal(answered.status, 204);
  assert.ok([400, 404].includes(again.status));
  assert.match(done.body, /"status":"completed","result":\{.*Ada/);
});

test('several options are chosen as the page says', { skip: isMissing }, async () => {
  const checkbox = { messages: [{ role: 'user', content: 'ask-checkbox' }] };
  const started = JSON.parse((await curl(agent, short('/v1/chat', checkbox))).body);
  const selected_options = [{ id: 'email', label: 'E-mail', value: 'channel-email' }, { id: 'sms' }];

  const answered = await curl(
    agent,
    short(started.response_url, { response: { input_type: 'checkbox', selected_options } }),
  );
  const done = await curl(agent, [at(`${started.status_url}?wait=5`)]);

  assert.equal(answered.status, 204);
  assert.match(done.body, /channel-email.*channel-sms/);
});

test('each session has an instance of its own, and those who look after the server see them', {
  skip: isMissing,
}, async () => {
  const count = (name: string) =>
    curl(perUser, short('/generate', { cmd: 'count' }, '-H', `Cookie: nat-session=${name}`));

  const seen = [await count('alice'), await count('alice'), await count('Hatter')].map(({ body }) => body);
  const anonymous = await curl(perUser, short('/generate', { cmd: 'count' }));
  const monitored = await curl(perUser, [at('/monitor/users')]);

  assert.deepEqual(seen, ['{"out":"1"}', '{"out":"2"}', '{"out":"1"}']);
  assert.ok(anonymous.status >= 400);
  assert.match(monitored.body, /"total_active_users":2,/);
});
