/** Replies to requests that node:http cannot parse. */
import { STATUS_CODES } from 'node:http';
import { problem } from '../problem.ts';
import type { Reply } from '../route.ts';

const lengthFault = problem(400, 'Bad Request', 'Content-Length must be one number, and given once.');
const codingFault = problem(400, 'Bad Request', 'The only Transfer-Encoding here is chunked.');
const notHttp = problem(400, 'Bad Request', 'The request is not valid HTTP.');

export const noTunnel = problem(405, 'Method Not Allowed', 'This server opens no tunnels.');

/** By error code of the parser. */
const byCode: Readonly<Record<string, Reply>> = {
  HPE_HEADER_OVERFLOW: problem(431, 'Request Header Fields Too Large', 'The headers of the request are too long.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: problem(413, 'Content Too Large', 'The chunk extensions of the request are too long.'),
  HPE_UNEXPECTED_CONTENT_LENGTH: lengthFault,
  HPE_INVALID_CONTENT_LENGTH: lengthFault,
  HPE_INVALID_TRANSFER_ENCODING: codingFault,
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, 'Request Timeout', 'The head of the request did not arrive in time.'),
};

export const refusalOf = ({ code = '' }: { readonly code?: string }): Reply => byCode[code] ?? notHttp;

/** The bytes of a reply that ends its connection. */
export const rawReply = ({ status, headers, body = '' }: Reply): string => {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${head}\r\n${body}`;
};
