/**
 * `fermata executions retry`: asks the server that has the executions, because only this server may write to them. A
 * server that starts retries all blocked executions itself, so without a running server there is nothing to do.
 */
import { Failure } from '../../runtime/index.ts';
import type { ServerConfig } from '../config/read.ts';
import type { Host } from '../host.ts';
import { CannotGoOn } from '../refusals.ts';

export interface RetryWanted {
  readonly what: 'retry';
  readonly ids: readonly string[];
  /** URL of the server, with its root path. Undefined: that of the configuration. */
  readonly url: string | undefined;
}

/** Rejects with the first refusal. Earlier executions have been retried. */
export const retry = async ({ ids, url }: RetryWanted, config: ServerConfig, { streams }: Host): Promise<void> => {
  const base = (url ?? urlOf(config)).replace(/\/+$/, '');
  const [operatorKey] = [config.identity.operatorKey ?? []].flat();
  // On the same machine, a server without a key accepts operators without one.
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
  `No server answers at ${base}. Name the server that has the executions with --url, or start it: it retries blocked executions.`;

const refused = (id: string, base: string, status: number, detail: string): Failure => {
  const more = status === 404 ? ' If it belongs to another user, give the operator key in FERMATA_OPERATOR_KEY.' : '';
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
