/**
 * State that all views share: the client, whether the operator is signed in, and changes from the server.
 *
 * All requests have the header `X-As-Operator`. The server accepts it from operators: by the sign-in cookie, or from
 * the same machine. Scripts cannot read that cookie, and other pages cannot send this header.
 */
import { signal } from '@preact/signals';
import { createClient, RequestError } from '../../client/index.ts';
import { listen } from './changes.ts';
import { whileSeen } from './seen.ts';

/** The server's root path. The page is at `/console` below it. */
export const root = location.pathname.replace(/\/console\/?$/, '');

const AS_OPERATOR = { 'x-as-operator': '1' };

/** The page itself shows that the server is away, and retries. */
export const api = createClient({
  baseUrl: location.origin + root,
  headers: AS_OPERATOR,
  retryMs: () => undefined,
});

/** `shut`: the operator key is needed. `reason` is the server's explanation. */
export const session = signal<{ is: 'asking' } | { is: 'open' } | { is: 'shut'; reason: string }>({ is: 'asking' });

export const connection = signal<'connecting' | 'live' | 'lost'>('connecting');

/** Counts changes. Views that show changing data read it again when the count grows. */
export const news = signal(0);

let changed: readonly string[] | null = null;
/** Whether the last change may concern an execution. */
export const isNewsOf = (id: string): boolean => changed === null || changed.includes(id);

/** Epoch milliseconds, once a second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);

/** Checks whether the operator is signed in, and then reads changes until that ends. */
export const enter = async (): Promise<void> => {
  try {
    await patiently(() => api.builders());
    session.value = { is: 'open' };
    await whileSeen(follow);
  } catch (error) {
    shutOut(error);
  }
};

const follow = (signal: AbortSignal): Promise<void> =>
  listen(
    api,
    { name: `fermata.changes ${root}`, signal, retryMs: (attempt) => Math.min(3000, 250 * 2 ** attempt) },
    {
      onConnection: (isOpen) => {
        connection.value = isOpen ? 'live' : 'lost';
      },
      onChange: ({ executions }) => {
        changed = executions;
        news.value += 1;
      },
    },
  );

/** Retries while the server cannot be reached. */
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

/** Exchanges the key for a cookie. Resolves to false if the key is wrong. */
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

/** Remembers only that a cookie exists; scripts cannot read it. */
const SIGNED_IN = 'fermata.signedIn';

export const hasSignedIn = (): boolean => localStorage.getItem(SIGNED_IN) !== null;

export const signOut = async (): Promise<void> => {
  await fetch(`${root}/operator`, { method: 'DELETE' });
  localStorage.removeItem(SIGNED_IN);
  location.reload();
};

/** Whether an error means that the operator is signed out. The page then shows the sign-in form. */
export const isShutOut = (error: unknown): boolean => {
  if (!(error instanceof RequestError) || (error.status !== 401 && error.code !== 'operator_required')) return false;
  shutOut(error);
  return true;
};

export const messageOf = (error: unknown): string => {
  if (error instanceof TypeError) return 'The server cannot be reached.';
  return error instanceof Error ? error.message : String(error);
};
