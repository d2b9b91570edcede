/**
 * What the whole page shares: the client, whether its operator is let in, and the news that come from the server.
 *
 * All is asked for with `X-As-Operator`, which lets in whoever the server's door would: by the cookie of signing in, or for
 * being on the same machine. A script cannot read that cookie, and no other page can send this header.
 */
import { signal } from '@preact/signals';
import { createClient, RequestError } from '../../client/index.ts';
import { whileSeen } from './seen.ts';

/** The server's root path: the page is at `/console` below it. */
export const root = location.pathname.replace(/\/console\/?$/, '');

export const AS_OPERATOR = { 'x-as-operator': '1' };

/** The page says itself that the server is away, and asks again. */
export const api = createClient({
  baseUrl: location.origin + root,
  headers: AS_OPERATOR,
  retryMs: () => undefined,
});

/** `shut`: the operator key is needed; `reason` is what the server said. */
export const session = signal<{ is: 'asking' } | { is: 'open' } | { is: 'shut'; reason: string }>({ is: 'asking' });

export const connection = signal<'connecting' | 'live' | 'lost'>('connecting');

/** Counts the news: whoever shows what can change looks again when it does. */
export const news = signal(0);

/** Epoch milliseconds, once a second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);

/** Sees whether the operator is let in, and then listens for news until that ends. */
export const enter = async (): Promise<void> => {
  try {
    await patiently(() => api.builders());
    session.value = { is: 'open' };
    await whileSeen(listen);
  } catch (error) {
    shutOut(error);
  }
};

const listen = async (signal: AbortSignal): Promise<void> => {
  const onConnection = (isOpen: boolean): void => {
    connection.value = isOpen ? 'live' : 'lost';
  };
  const retryMs = (attempt: number): number => Math.min(3000, 250 * 2 ** attempt);
  for await (const _ of api.changes({ signal, onConnection, retryMs })) news.value += 1;
};

/** Asks again while there is no server to answer. */
const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RequestError && error.status < 500) throw error;
      connection.value = 'lost';
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
};

const shutOut = (error: unknown): void => {
  const reason = error instanceof Error ? error.message : String(error);
  session.value = { is: 'shut', reason };
};

/** Gives the key away for a cookie. False if it is not the key. */
export const signIn = async (key: string): Promise<boolean> => {
  const response = await fetch(`${root}/operator`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  if (!response.ok) return false;
  localStorage.setItem(SIGNED_IN, 'yes');
  void enter();
  return true;
};

/** Remembers only that there is a cookie, which no script can see. */
const SIGNED_IN = 'fermata.signedIn';

export const hasSignedIn = (): boolean => localStorage.getItem(SIGNED_IN) !== null;

export const signOut = async (): Promise<void> => {
  await fetch(`${root}/operator`, { method: 'DELETE' });
  localStorage.removeItem(SIGNED_IN);
  location.reload();
};

/** Whether an error says that the operator is let in no more; then the page has noticed. */
export const isShutOut = (error: unknown): boolean => {
  if (!(error instanceof RequestError) || (error.status !== 401 && error.code !== 'operator_required')) return false;
  shutOut(error);
  return true;
};

export const messageOf = (error: unknown): string => {
  if (error instanceof TypeError) return 'The server cannot be reached.';
  return error instanceof Error ? error.message : String(error);
};
