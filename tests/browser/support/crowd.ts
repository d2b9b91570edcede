/** An office at work, for pictures: executions of all kinds, of several people. */
import { createServer, type Server } from '../../../server/index.ts';
import { endpoints, office } from './office.ts';

const provider = {
  clientId: 'fermata',
  authorizationUrl: 'https://accounts.example.com/authorize',
  tokenUrl: 'https://accounts.example.com/token',
  redirectUri: 'http://127.0.0.1:8000/auth/redirect',
};

export const crowdedOffice = async (): Promise<Server> => {
  const server = await createServer({
    workflow: office[0],
    workflows: office.slice(1),
    config: {
      host: '127.0.0.1',
      port: 0,
      endpoints,
      providers: { calendar: provider },
      runtime: { maxConcurrency: 3, maxQueued: 20, stopTimeoutMs: 0 },
    },
  });
  for (const [path, who, input] of starts) await start(server.url + path, who, input);
  await answerSome(server.url);
  return server;
};

const expense = (amount: number, purpose: string) => ({ amount, purpose, category: 'travel' });

const starts: readonly (readonly [path: string, who: string, input: unknown])[] = [
  ['/v1/notebook', 'ada', { note: 'Order paper' }],
  ['/v1/notebook', 'grace', { note: 'Call the landlord' }],
  ...['2023', '2024', '2025', '2026'].map((folder) => ['/v1/invoice-import', 'ada', { folder }] as const),
  ['/v1/workflow', 'grace', expense(89, 'Adapter for the projector')],
  ['/v1/workflow', 'linus', expense(1240, 'Two nights in Ghent')],
  ['/v1/nightly-report', 'cron', { region: 'nowhere' }],
  ['/v1/nightly-report', 'cron', { region: 'north' }],
  ['/v1/calendar-sync', 'ada', {}],
  ['/v1/workflow', 'linus', expense(412.5, 'Train to the conference in Lyon')],
  ['/v1/workflow', 'ada', expense(57.9, 'Books on type systems')],
  ['/v1/release-notes', 'grace', { version: '2.4' }],
];

const headersOf = (who: string) => ({ 'x-api-key': who, 'content-type': 'application/json', prefer: 'respond-async' });

const start = async (url: string, who: string, input: unknown): Promise<void> => {
  const response = await fetch(url, { method: 'POST', headers: headersOf(who), body: JSON.stringify(input) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
};

/** The two oldest expenses: one is approved, one is cancelled. */
const answerSome = async (url: string): Promise<void> => {
  const asOperator = { 'x-as-operator': '1', 'content-type': 'application/json' };
  const reply = await fetch(`${url}/executions?workflow=expense-approval`, { headers: asOperator });
  const { executions } = (await reply.json()) as { executions: { execution_id: string; response_url: string }[] };
  const [linus, grace] = [executions.at(-2)!, executions.at(-1)!];
  const body = JSON.stringify({ response: { type: 'binary_choice', selected_option: { id: 'yes' } } });
  await fetch(url + grace.response_url, { method: 'POST', headers: asOperator, body });
  await fetch(`${url}/executions/${linus.execution_id}`, { method: 'DELETE', headers: asOperator });
};
