/**
 * Chat completions as OpenAI's clients ask for them, of any workflow that takes a text or a chat. NAT has three families: its
 * own, which may pause; the older one, which never does; and OpenAI's, where the request says whether to stream.
 */
import type { Workflow } from '../../../runtime/index.ts';
import { eventsOnly } from '../../http/event-stream.ts';
import { ValidationFailure } from '../../http/mistakes.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import type { RoutePaths } from '../../options.ts';
import { Chunks, type ChunksOptions } from '../../wire/completion.ts';
import { readJsonBody } from '../../wire/json-body.ts';
import { converter, getsChats } from '../chat/convert.ts';
import { isOpenAiClient, presentsAsOpenAi, withOpenAiError } from '../chat/openai.ts';
import { type ChatRequest, readChat } from '../chat/schema.ts';
import { type ErrorForm, errorFrame } from '../frames.ts';
import { AdaptedSteps } from '../step-adaptor.ts';
import { aboutChat } from './about.ts';
import { type Look, type StreamRouteDeps, streamer } from './streams.ts';
import { answerer, workflowError } from './workflow.ts';

export interface ChatRouteDeps extends StreamRouteDeps {
  /** Whether a request for a completion may pause too. */
  readonly enableInteractiveExtensions: boolean;
  /** The reply for what was thrown. */
  problem(thrown: unknown): Reply;
  /** Bytes a chat may have: images are in it. */
  readonly maxChatBytes: number;
}

/** `functionName`: what the steps call the workflow; undefined for that of the server. A GET has no messages: no routes. */
export const chatRoutes = (
  deps: ChatRouteDeps,
  workflow: Workflow,
  paths: RoutePaths,
  functionName?: string,
): Route[] => {
  const { maxChatBytes: maxBodyBytes } = deps;
  const { method, openaiApiPath, openaiApiV1Path, legacyOpenaiApiPath } = paths;
  if (method === 'GET') return [];
  const served = { workflow, functionName };
  const routes: Route[] = [];
  const family = (path: string, isLegacy: boolean): void => {
    const answer = chatAnswerer(deps, { ...served, interactive: !isLegacy, isLegacy });
    const errors = isLegacy ? 'bare' : 'event';
    const add = (path: string, isStream: boolean): void => {
      const about = aboutChat(workflow, !isLegacy, isStream);
      const as = { ...asNat, isStream, errors } as const;
      routes.push({
        method,
        path,
        about,
        maxBodyBytes,
        handle: async (call) => answer(call, await readRequest(call), as),
      });
    };
    add(path, false);
    add(`${path}/stream`, true);
  };

  if (openaiApiPath && openaiApiPath !== openaiApiV1Path) family(openaiApiPath, false);
  if (legacyOpenaiApiPath) family(legacyOpenaiApiPath, true);
  if (openaiApiV1Path) {
    const interactive = deps.enableInteractiveExtensions; // without, it is to NAT like its older routes
    const about = aboutChat(workflow, interactive, 'as asked');
    const handle = completions(deps, { ...served, interactive });
    const refused = (reply: Reply, call: Call) => (isOpenAiClient(call) ? withOpenAiError(reply) : reply);
    routes.push({ method, path: openaiApiV1Path, about, maxBodyBytes, handle, refused });
  }
  return routes;
};

/** OpenAI's own route. Whose client it is decides on what is there beside NAT's members and frames. */
const completions = (deps: ChatRouteDeps, served: Omit<ServedChat, 'isLegacy'>): Route['handle'] => {
  const { workflow, interactive } = served;
  const answer = chatAnswerer(deps, { ...served, isLegacy: !interactive });
  const isOwn = getsChats(workflow);

  const handle = async (call: Call, isOpenAi: boolean): Promise<Reply> => {
    const given = await readRequest(call);
    const { stream, stream_options: options } = given.request;
    if (!isOwn) refuseChoices(given.request, workflow);
    // A workflow that gets the chat sees what was asked of it; NAT leaves it to that.
    const includesUsage = options?.include_usage === true && (isOpenAi || !isOwn);
    const errors: ErrorForm = isOpenAi ? 'openai' : 'event';
    const endsAtPause = presentsAsOpenAi(call);
    const as = { isStream: stream === true, errors, endsAtPause, endsOnce: true, includesUsage, namesRoles: isOpenAi };
    return answer(call, given, as);
  };

  return async (call) => {
    if (!isOpenAiClient(call)) return handle(call, false);
    return withOpenAiError(await handle(call, true).catch(deps.problem));
  };
};

interface ServedChat {
  readonly workflow: Workflow;
  readonly functionName: string | undefined;
  readonly interactive: boolean;
  readonly isLegacy: boolean;
}

interface Given {
  readonly body: unknown;
  readonly request: ChatRequest;
}

/** What an answer looks like. */
interface As extends ChunksOptions {
  readonly isStream: boolean;
  readonly errors: ErrorForm;
  readonly endsAtPause: boolean;
}

const asNat = { endsAtPause: false, endsOnce: false, includesUsage: false, namesRoles: false } as const;

const readRequest = async (call: Call): Promise<Given> => {
  const body = readJsonBody(call.headers['content-type'], call.body);
  return { body, request: await readChat(body) };
};

const chatAnswerer = (
  deps: ChatRouteDeps,
  { interactive, isLegacy, ...served }: ServedChat,
): ((call: Call, given: Given, as: As) => Promise<Reply>) => {
  const convert = converter(served.workflow);
  const once = answerer(deps, { ...served, interactive, form: 'chat' });
  const stream = streamer(deps, { ...served, interactive, isLegacy, form: 'chat' });

  return async (call, { body, request }, as) => {
    const { isStream, errors } = as;
    const converted = await convert(request);
    if (converted.refused === undefined) {
      const input = { body, ...converted.input };
      return isStream ? stream(call, input, lookOf(deps, as), errors) : once(call, input);
    }
    const { refused: message } = converted;
    if (isStream) return eventsOnly(errorFrame({ message, name: 'ValueError' }, errors));
    return workflowError(message, interactive ? 'ExecutionFailed' : 'ValueError');
  };
};

/** NAT passes over `n`; a client that asks for several choices and gets one would not notice. */
const refuseChoices = ({ n }: ChatRequest, { name }: Workflow): void => {
  if (n === undefined || n === null || n === 1) return;
  const msg = `Value error, ${name} gives one choice: leave n away, or set it to 1`;
  throw new ValidationFailure([{ type: 'value_error', loc: ['body', 'n'], msg, input: n, ctx: { error: {} } }]);
};

const lookOf =
  ({ stepAdaptor }: ChatRouteDeps, as: As): Look =>
  (execution) => {
    const chunks = new Chunks(execution, as);
    return {
      steps: new AdaptedSteps(stepAdaptor),
      endsAtPause: as.endsAtPause,
      output: (value) => dataFrame(chunks.of(value)),
      end: () => `${chunks.ending().map(dataFrame).join('')}data: [DONE]\n\n`,
    };
  };

const dataFrame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
