/**
 * `fermata executions retry`: asks the server that has the executions. Only that one may write what happens to them; and a server
 * that starts retries all that are blocked by itself, so that there is nothing to do while none runs.
 */
import { Failure } from '../../runtime/index.ts';
import type { ServerConfig } from '../config/read.ts';
import type { Host } from '../host.ts';
import { CannotGoOn } from '../refusals.ts';

export interface RetryWanted {
  readonly what: 'retry';
  readonly ids: readonly string[];
  /** Of the server, with its root path. Undefined: as the configuration has it. */
  readonly url: string | undefined;
}

/** Rejects with what keeps one of them from being retried; those before it have been. */
export const retry = async ({ ids, url }: RetryWanted, config: ServerConfig, { streams }: Host): Promise<void> => {
  const base = (url ?? urlOf(config)).replace(/\/+$/, '');
  const [operatorKey] = [config.identity.operatorKey ?? []].flat();
  // On the same machine the server may let operators in without a key.
  const headers = { 'x-as-operator': '1', ...(operatorKey !== undefined && { 'x-operator-key': operatorKey }) };
  for (const id of ids) {
    const path = `${base}/executions/${encodeURIComponent(id)}/retry`;
    const response = await fetch(path, { method: 'POST', headers }).catch((cause: unknown) => {
      throw new CannotGoOn(unreached(base), { cause });
    });
    if (!response.ok) throw refused(id, base, response.status, await detailIn(response));
    streams.stderr.write(`${id} tries again.\n`);
  }
};

const urlOf = ({ host, port, rootPath }: ServerConfig): string => {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}${rootPath}`;
};

const unreached = (base: string): string =>
  `No server answers at ${base}. Name the one that has the executions with --url, or start it: it retries what is blocked.`;

const refused = (id: string, base: string, status: number, detail: string): Failure => {
  const more = status === 404 ? ' If it is somebody else’s, give the operator key in FERMATA_OPERATOR_KEY.' : '';
  return new Failure('options_invalid', { detail: `${base} answers ${status} for ${id}: ${detail}${more}` });
};

const detailIn = async (response: Response): Promise<string> => {
  const text = await response.text();
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? text);
  } catch {
    return text.slice(0, 200);
  }
};
