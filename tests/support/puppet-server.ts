export {
  asAlice as alice,
  asking,
  asUser as as,
  controlledServer as puppetServer,
  type Headers,
  serveWorkflow as serve,
  untilWatched as watched,
} from './controlled-server.ts';
