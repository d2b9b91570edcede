/** Access control: each kind of caller uses every route and socket, in every state of an execution. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientTypes } from '../../../../server/nat/websocket/client-messages.ts';
import { interactionReply, isComplete, isError, isPrompt, userMessage } from '../../../support/socket-server.ts';
import type { SocketMessage } from '../../../support/web-socket.ts';
import { type Outcome, type Sent, speak } from './asking.ts';
import { kinds } from './callers.ts';
import { type Access, entries, file, spoken } from './entries.ts';
import { expected } from './expected.ts';
import { type MatrixWorld, matrixWorld } from './world.ts';

const nothing = { execution: 'x', interaction: 'x' };

/** Each cell: where the caller knocked, and what came of it. */
type Cell = (access: Access, where: string, caller: string, outcome: Outcome) => void;

const knockAtRoutes = async (world: MatrixWorld, callers: Callers, cell: Cell): Promise<void> => {
  for (const route of world.server.routes.filter((one) => !one.startsWith('SOCKET'))) {
    const entry = entries[route];
    assert.ok(entry, `${route} has no entry in entries.ts: say who may use it`);
    for (const state of entry.states ?? [undefined]) {
      const shared = state === undefined ? nothing : entry.changes ? undefined : await world.start(state);
      for (const [caller, headers] of callers) {
        const owned = shared ?? (await world.start(state!));
        if (entry.needsFile) await world.send('PUT /static/file.txt', world.ownHeaders, file);
        const outcome = await world.send(entry.line?.(owned) ?? route, await headers(), entry.body);
        cell(entry.access, `${route} ${state ?? ''}`, caller, outcome);
      }
    }
  }
};

const knockAtSockets = async (world: MatrixWorld, callers: Callers, cell: Cell): Promise<void> => {
  const words = world.server.routes
    .filter((one) => one.startsWith('SOCKET'))
    .flatMap((socket) =>
      socket === 'SOCKET /inspect/socket'
        ? [`${socket} reconnect`]
        : ['reconnect', ...clientTypes].map((type) => `${socket} ${type}`),
    );
  for (const word of words) {
    const access = spoken[word];
    assert.ok(access, `${word} has no entry in entries.ts: say who may use it`);
    for (const [caller, headers] of callers) cell(access, word, caller, await say(world, word, await headers()));
  }
};

const say = async (world: MatrixWorld, word: string, headers: Sent): Promise<Outcome> => {
  const [, path = '', type] = word.split(' ');
  const url = world.server.url + path;
  if (path === '/inspect/socket') return speak(url, headers, undefined, () => 'yes');
  if (type === 'user_message')
    return speak(
      url,
      headers,
      userMessage('completed'),
      orRefused((one) => isComplete(one)),
    );
  const back = `${url}?conversation_id=${await world.conversation(path)}`;
  switch (type) {
    case 'reconnect':
      // An answer without text: where a prompt is open it stays open.
      return speak(
        back,
        headers,
        interactionReply([]),
        (one) => orRefused(isPrompt)(one) ?? (isError(one) ? '404' : undefined),
      );
    case 'user_interaction_message': {
      const outcome = await speak(back, headers, interactionReply('stolen'), orRefused(isComplete));
      if (outcome === 'yes') world.isOver(path);
      return outcome;
    }
    default:
      return speak(back, headers, { type, payload: { method: 'api_key', token: 'mallory' } }, renamed);
  }
};

/** The owner is shown the conversation before; for others another name is of no use. */
const renamed = (message: SocketMessage): Outcome | undefined => {
  if (isPrompt(message)) return 'yes';
  if (message.type !== 'auth_response_message') return undefined;
  return message.status === 'error' ? '401' : '404';
};

const orRefused =
  (isLetIn: (message: SocketMessage) => boolean) =>
  (message: SocketMessage): Outcome | undefined => {
    if (isLetIn(message)) return 'yes';
    if (message.type === 'auth_response_message') return message.status === 'error' ? '401' : undefined;
    if (!isError(message)) return undefined;
    const { code, message: name } = message.content as { code: string; message: string };
    if (code === 'workflow_error' && /credential_invalid|identity_required/.test(name)) return '401';
    return name === 'No prompt is open' ? '404' : undefined;
  };

type Callers = readonly (readonly [name: string, headers: () => Sent | Promise<Sent>])[];

/** A line for each kind of access. Cells of one kind that differ stand beside each other, with where that was. */
const tableOf = (
  names: readonly string[],
  cells: ReadonlyMap<Access, ReadonlyMap<string, Map<Outcome, string[]>>>,
): string => {
  const lines = [...cells].map(([access, row]) => {
    const outcomes = names.map((name) => {
      const found = [...(row.get(name) ?? [])];
      const [first] = found;
      return found.length === 1
        ? first![0]
        : found.map(([outcome, where]) => `${outcome} at ${where[0]}`).join(' but ');
    });
    return [access, ...outcomes];
  });
  return [['', ...names], ...lines]
    .map((line) =>
      line
        .map((text, column) => (column === 0 ? text.padEnd(9) : text.padStart((names[column - 1]?.length ?? 0) + 2)))
        .join(''),
    )
    .join('\n');
};

/** Each request comes from another address: who guesses keys from one is slowed down, which is another test. */
let address = 0;
const elsewhere = () => {
  address += 1;
  return { 'x-forwarded-for': `10.${address >> 16}.${(address >> 8) % 256}.${address % 256}` };
};

for (const kind of kinds) {
  test(`${kind.name} gives each kind of caller its rights, and no others`, async (t) => {
    const world = await matrixWorld(t, kind);
    const { trustProxy = [] } = kind.config;
    const callers: Callers = Object.entries(kind.callers).map(([name, caller]) => [
      name,
      async () => ({ ...(trustProxy.length > 0 && elsewhere()), ...(await caller(world.browser)) }),
    ]);
    const cells = new Map<Access, Map<string, Map<Outcome, string[]>>>();
    const cell: Cell = (access, where, caller, outcome) => {
      const row = cells.get(access) ?? new Map<string, Map<Outcome, string[]>>();
      const found = row.get(caller) ?? new Map<Outcome, string[]>();
      cells.set(access, row.set(caller, found.set(outcome, [...(found.get(outcome) ?? []), where])));
    };

    await knockAtRoutes(world, callers, cell);
    await knockAtSockets(world, callers, cell);

    const actual = tableOf(
      callers.map(([name]) => name),
      cells,
    );
    for (const line of actual.split('\n')) t.diagnostic(line);
    assert.equal(`\n${actual}\n`, expected[kind.like ?? kind.name]);
    await world.end();
  });
}
