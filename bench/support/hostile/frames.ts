/** Hostile sockets as bytes: handshakes, messages of NAT's clients, and frames that no client sends. */
import fc from 'fast-check';
import { nested, words } from './contents.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

const handshakes = [
  [],
  [],
  [],
  ['Cookie: nat-session=carol'],
  ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=x'],
  ['Sec-WebSocket-Protocol: graphql-ws, x'],
  ['Content-Length: 5'],
  ['Transfer-Encoding: chunked'],
  ['Origin: https://evil.example'],
  ['X-API-Key: alice'],
] as const;

const queries = [
  '',
  '?conversation_id=conversation-0123456789abcdef',
  '?session=%00',
  `?session=${'x'.repeat(3_000)}`,
] as const;

const messages = fc.oneof(
  words.map((text) => ({
    type: 'user_message',
    schema_type: 'generate',
    id: 'm',
    conversation_id: 'conversation-0123456789abcdef',
    content: { messages: [{ role: 'user', content: [{ type: 'text', text }] }] },
  })),
  fc.constantFrom<unknown>(
    {
      type: 'user_interaction_message',
      content: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Ada' }] }] },
    },
    { type: 'auth_message', payload: { method: 'api_key', token: 'alice' } },
    { type: 'auth_message', payload: { method: 'jwt', token: 'a.b.c' } },
    { type: 'constructor' },
    { type: ['user_message'], content: null },
    null,
    'text',
  ),
);

export const frameOf = (
  payload: string,
  { opcode = 1, isLast = true, isMasked = true, reserved = 0, announced = payload.length } = {},
) => {
  const body = Buffer.from(payload, 'latin1');
  const head = Buffer.alloc(announced < 126 ? 2 : announced < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (announced < 126 ? announced : announced < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(announced, 2);
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(announced), 2);
  // A mask of zeros leaves the bytes unchanged.
  return Buffer.concat([head, ...(isMasked ? [Buffer.alloc(4)] : []), body]).toString('latin1');
};

const said = messages.map((message) => frameOf(Buffer.from(JSON.stringify(message)).toString('latin1')));

const frames = fc.oneof(
  { weight: 10, arbitrary: said },
  { weight: 1, arbitrary: nested.map((text) => frameOf(text)) },
  { weight: 1, arbitrary: nested.map((text) => frameOf(`{"type":"user_message","content":${text}`)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      frameOf('\xff\xfe'),
      frameOf('{'),
      frameOf('x'.repeat(200_000)),
      frameOf('binary', { opcode: 2 }),
      frameOf('part', { isLast: false }),
      frameOf('goes on', { opcode: 0 }),
      frameOf('ping', { opcode: 9 }).repeat(50),
      frameOf('x'.repeat(126), { opcode: 9 }),
      frameOf('', { opcode: 10 }),
      frameOf('\x03\xe8', { opcode: 8 }),
      frameOf('\x00', { opcode: 8 }),
      frameOf('\xff\xff\xff', { opcode: 8 }),
      frameOf('reserved', { reserved: 7 }),
      frameOf('unknown', { opcode: 7 }),
      frameOf('plain', { isMasked: false }),
      frameOf('huge', { announced: 2 ** 40 }),
      frameOf('large', { announced: 30_000_000 }),
      'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ),
  },
);

/** A handshake, and the bytes after it on the same connection. */
export const socketsAt = (
  paths: readonly string[],
): fc.Arbitrary<{ readonly handshake: string; readonly frames: readonly string[] }> =>
  fc
    .record({
      path: fc.constantFrom(...paths),
      query: fc.constantFrom(...queries),
      lines: fc.constantFrom(...handshakes),
      key: fc.constantFrom(KEY, KEY, KEY, KEY, 'x', ''),
      version: fc.constantFrom(13, 13, 13, 13, 12),
      frames: fc.array(frames, { maxLength: 8 }),
    })
    .map(({ path, query, lines, key, version, frames }) => {
      const own = [
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        `Sec-WebSocket-Version: ${version}`,
        `Sec-WebSocket-Key: ${key}`,
      ];
      return { handshake: `GET ${path}${query} HTTP/1.1\r\n${[...own, ...lines].join('\r\n')}\r\n\r\n`, frames };
    });
