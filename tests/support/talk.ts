export {
  contentOf,
  givenSocketServer as givenTalk,
  interactionReply as answers,
  isComplete,
  isError,
  isPrompt,
  isText,
  type SocketServerWorld as Talk,
  textsOf,
  userMessage as asks,
} from './socket-server.ts';
