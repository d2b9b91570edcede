/** Sends requests as they are written: paths are not normalised, and a header given as null is not sent. */
import { type IncomingMessage, request as open } from 'node:http';
import { asOperator } from '../support/proxy-setup.ts';
import type { Seen } from './expectations.ts';
import { parseJson } from './matchers.ts';

type Form = { name: string; filename?: string; type: string; content: string };

export type HttpRequest = {
  method?: string;
  path: string;
  headers?: Readonly<Record<string, string | null>>;
  json?: unknown;
  text?: string;
  form?: Form;
};

/** Resolves with the response head; a name of a header may come in several lines. */
export const openRequest = (base: string, order: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const { body, type } = bodyOf(order);
    const operator = /^\/(monitor|static)\b/.test(order.path) ? asOperator() : {};
    const all = { ...operator, 'content-type': type, 'content-length': body && String(body.length), ...order.headers };
    const isSent = (line: [string, unknown]): line is [string, string] => typeof line[1] === 'string';
    const headers = Object.fromEntries(Object.entries(all).filter(isSent));
    const path = order.path.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
    open({ hostname, port, path, method: order.method ?? 'GET', headers, agent: false, signal })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });

export const headOf = ({ statusCode, rawHeaders }: IncomingMessage): Seen => {
  const headers: Record<string, string[]> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    (headers[rawHeaders[index]!.toLowerCase()] ??= []).push(rawHeaders[index + 1]!);
  }
  return { status: statusCode, headers };
};

export const exchange = async (base: string, order: HttpRequest, signal: AbortSignal): Promise<Seen> => {
  const response = await openRequest(base, order, signal);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { ...headOf(response), text, json: parseJson(text), empty: text === '' };
};

const boundary = 'fermata-boundary';

const bodyOf = ({ json, text, form }: HttpRequest): { body?: Buffer; type?: string } => {
  if (json !== undefined) return { body: Buffer.from(JSON.stringify(json)), type: 'application/json' };
  if (text !== undefined) return { body: Buffer.from(text), type: 'application/json' };
  if (form === undefined) return {};
  const filename = form.filename === undefined ? '' : `; filename="${form.filename}"`;
  const lines = [
    `--${boundary}`,
    `content-disposition: form-data; name="${form.name}"${filename}`,
    `content-type: ${form.type}`,
    '',
    form.content,
    `--${boundary}--`,
    '',
  ];
  return { body: Buffer.from(lines.join('\r\n')), type: `multipart/form-data; boundary=${boundary}` };
};
