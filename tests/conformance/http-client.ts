/** Sends requests as they are written: paths are not normalised, and a header given as null is not sent. */
import type { IncomingMessage } from 'node:http';
import * as support from '../support/http-client.ts';
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
export const openRequest = (base: string, order: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> => {
  const { body, type } = bodyOf(order);
  const operator = /^\/(monitor|static)\b/.test(order.path) ? asOperator() : {};
  const isSent = (line: [string, unknown]): line is [string, string] => typeof line[1] === 'string';
  const headers = Object.entries({ ...operator, 'content-type': type, ...order.headers }).filter(isSent);
  const line = `${order.method ?? 'GET'} ${order.path.replaceAll(' ', '%20')}`;
  const options = { headers: Object.fromEntries(headers), signal, ...(body && { bytes: body }) };
  return support.openRequest(new URL(base).origin, line, options);
};

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
