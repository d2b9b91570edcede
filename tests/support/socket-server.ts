/** Talking to a server on sockets, in the words of NAT's clients. */
import type { TestContext } from 'node:test';
import type { ServerSetup } from '../../server/index.ts';
import { given, type ServerWorld } from './given.ts';
import { type SocketClient, type SocketMessage, socketOpener } from './web-socket.ts';

export interface SocketServerWorld extends ServerWorld {
  /** Throws if it is refused. All clients are gone before the world ends. */
  connect(query?: string, headers?: Readonly<Record<string, string>>): Promise<SocketClient>;
  /** The status of the answer to a handshake. */
  handshakeStatus(query?: string, headers?: Readonly<Record<string, string>>): Promise<number>;
}

export const givenSocketServer = async (
  t: TestContext,
  setup: Omit<ServerSetup, 'clock' | 'log'>,
): Promise<SocketServerWorld> => {
  const openSocket = socketOpener(t);
  const world = await given.server(t, setup);
  const open = (query = '', headers: Readonly<Record<string, string>> = {}) =>
    openSocket(`${world.server.url}/websocket${query}`, headers);
  return {
    ...world,
    connect: async (query, headers) => {
      const { status, client } = await open(query, headers);
      if (client === undefined) throw new Error(`the handshake was answered with ${status}`);
      return client;
    },
    handshakeStatus: async (query, headers) => (await open(query, headers)).status,
  };
};

const contentWith = (texts: readonly string[]) => ({
  messages: [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }],
});

export const userMessage = (text: string, more: object = {}): object => ({
  type: 'user_message',
  schema_type: 'generate',
  id: 'message-1',
  content: contentWith([text]),
  ...more,
});

export const interactionReply = (texts: string | readonly string[], more: object = {}): object => ({
  type: 'user_interaction_message',
  content: contentWith([texts].flat()),
  ...more,
});

export const isComplete = ({ status }: SocketMessage): boolean => status === 'complete';
export const isError = ({ type }: SocketMessage): boolean => type === 'error_message';
export const isPrompt = ({ type }: SocketMessage): boolean => type === 'system_interaction_message';
export const isText = ({ type, status }: SocketMessage): boolean =>
  type === 'system_response_message' && status === 'in_progress';

export const contentOf = ({ content }: SocketMessage): Readonly<Record<string, unknown>> =>
  content as Readonly<Record<string, unknown>>;

/** What a person has read. */
export const textsOf = (messages: readonly SocketMessage[]): unknown[] =>
  messages.filter(isText).map((message) => contentOf(message).text);
