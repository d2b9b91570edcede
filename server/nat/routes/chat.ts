/**
 * Chat completions for OpenAI clients, of any workflow that takes a text or a chat. NAT has three families: its own,
 * which may pause; the older one, which never does; and OpenAI's, where the request decides whether to stream.
 */
import type { Workflow } from '../../../runtime/index.ts';
import { inJson } from '../../http/about.ts';
import { eventsOnly } from '../../http/event-stream.ts';
import { defaults } from '../../http/listen.ts';
import { ValidationFailure } from '../../http/mistakes.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import { Chunks, type ChunksOptions } from '../../wire/completion.ts';
import { readJsonBody } from '../../wire/json-body.ts';
import { type RequestBody, route } from '../../wire/route.ts';
import { chatCompletionBody } from '../bodies.ts';
import { converter, getsChats } from '../chat/convert.ts';
import { isOpenAiClient, presentsAsOpenAi, withOpenAiError } from '../chat/openai.ts';
import { type ChatRequest, chatRequest, readChat } from '../chat/schema.ts';
import { type ErrorForm, errorFrame } from '../frames.ts';
import type { NatApp, Placed } from '../placed.ts';
import { AdaptedSteps } from '../step-adaptor.ts';
import { aboutChat } from './about.ts';
import { type Look, type Streamed, streamer } from './streams.ts';
import { answerer, workflowError } from './workflow.ts';

/** NAT's own routes, and the older ones. */
export const chatRoutes = (app: NatApp, placed: Placed): Route[] => {
  const { workflow, method, path, isLegacy } = placed;
  const answer = chatAnswerer(app, { ...placed, interactive: !isLegacy });
  const maxBodyBytes = maxChatBytes(app.config);
  return [false, true].map((isStream) => {
    const as: As = { ...asNat, isStream, errors: isLegacy ? 'bare' : 'event' };
    return route({
      method,
      path: isStream ? `${path}/stream` : path,
      body: chatBody,
      ...(!isStream && { reply: chatCompletionBody }),
      about: aboutChat(workflow, !isLegacy, isStream),
      maxBodyBytes,
      handle: (call, given) => answer(call, given, as),
    });
  });
};

/** OpenAI's route. */
export const completionRoutes = (app: NatApp, placed: Placed): Route[] => {
  const { workflow, method, path } = placed;
  const interactive = app.config.enableInteractiveExtensions; // without it, NAT treats the route like its older ones
  const asked = route({
    method,
    path,
    body: chatBody,
    reply: chatCompletionBody,
    about: aboutChat(workflow, interactive, 'as asked'),
    maxBodyBytes: maxChatBytes(app.config),
    handle: completions(app, { ...placed, isLegacy: !interactive, interactive }),
  });
  return [withOpenAiErrors(app, asked)];
};

/** The refusals of a route with the member that OpenAI clients read. */
const withOpenAiErrors = (app: NatApp, asked: Route): Route => ({
  ...asked,
  handle: async (call) => {
    if (!isOpenAiClient(call)) return asked.handle(call);
    try {
      return withOpenAiError(await asked.handle(call));
    } catch (thrown) {
      return withOpenAiError(app.problem(thrown));
    }
  },
  refused: (reply, call) => (isOpenAiClient(call) ? withOpenAiError(reply) : reply),
});

/** Chats contain images, so they may be larger. A limit below the default applies to chats too. */
const maxChatBytes = ({ limits: { maxBodyBytes } }: NatApp['config']): number =>
  maxBodyBytes < defaults.maxBodyBytes ? maxBodyBytes : Math.max(maxBodyBytes, 16 * 1024 * 1024);

/** OpenAI's own route. The kind of client decides on additions to NAT's members and frames. */
const completions = (app: NatApp, served: ServedChat): ((call: Call, given: Given) => Promise<Reply>) => {
  const { workflow } = served;
  const answer = chatAnswerer(app, served);
  const isOwn = getsChats(workflow);

  return async (call, given) => {
    const isOpenAi = isOpenAiClient(call);
    const { stream, stream_options: options } = given.request;
    if (!isOwn) refuseChoices(given.request, workflow);
    // A workflow that takes chats sees the model and other parameters; NAT leaves them to it.
    const includesUsage = options?.include_usage === true && (isOpenAi || !isOwn);
    const errors: ErrorForm = isOpenAi ? 'openai' : 'event';
    const endsAtPause = presentsAsOpenAi(call);
    const as = { isStream: stream === true, errors, endsAtPause, endsOnce: true, includesUsage, namesRoles: isOpenAi };
    return answer(call, given, as);
  };
};

type ServedChat = Omit<Streamed, 'form'>;

interface Given {
  readonly body: unknown;
  readonly request: ChatRequest;
}

/** The frames of an answer. */
interface As extends ChunksOptions {
  readonly isStream: boolean;
  readonly errors: ErrorForm;
  readonly endsAtPause: boolean;
}

const asNat = { endsAtPause: false, endsOnce: false, includesUsage: false, namesRoles: false } as const;

const chatBody: RequestBody<Given> = {
  content: inJson(chatRequest),
  read: async (call) => {
    const body = readJsonBody(call.headers['content-type'], call.body);
    return { body, request: await readChat(body) };
  },
};

const chatAnswerer = (
  app: NatApp,
  { workflow, functionName, interactive, isLegacy }: ServedChat,
): ((call: Call, given: Given, as: As) => Promise<Reply>) => {
  const convert = converter(workflow);
  const once = answerer(app, { workflow, interactive, form: 'chat' });
  const stream = streamer(app, { workflow, functionName, interactive, isLegacy, form: 'chat' });

  return async (call, { body, request }, as) => {
    const { isStream, errors } = as;
    const converted = await convert(request);
    if (converted.refused === undefined) {
      const input = { body, ...converted.input };
      return isStream ? stream(call, input, lookOf(app, as), errors) : once(call, input);
    }
    const { refused: message } = converted;
    if (isStream) return eventsOnly(errorFrame({ message, name: 'ValueError' }, errors));
    return workflowError(message, interactive ? 'ExecutionFailed' : 'ValueError');
  };
};

/** NAT ignores `n`; a client that requests several choices and gets one would not notice. */
const refuseChoices = ({ n }: ChatRequest, { name }: Workflow): void => {
  if (n === undefined || n === null || n === 1) return;
  const msg = `Value error, ${name} gives one choice: leave n away, or set it to 1`;
  throw new ValidationFailure([{ type: 'value_error', loc: ['body', 'n'], msg, input: n, ctx: { error: {} } }]);
};

const lookOf =
  ({ config }: NatApp, as: As): Look =>
  (execution) => {
    const chunks = new Chunks(execution, as);
    return {
      steps: new AdaptedSteps(config.stepAdaptor),
      endsAtPause: as.endsAtPause,
      output: (value) => dataFrame(chunks.of(value)),
      end: () => `${chunks.ending().map(dataFrame).join('')}data: [DONE]\n\n`,
    };
  };

const dataFrame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
