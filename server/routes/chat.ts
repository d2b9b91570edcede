/**
 * Chat completions as OpenAI's clients ask for them, of any workflow that takes a text or a chat. NAT has three families: its
 * own, which may pause; the older one, which never does; and OpenAI's, where the request says whether to stream.
 */
import type { Workflow } from '../../runtime/index.ts';
import { Chunks } from '../chat/completion.ts';
import { converter } from '../chat/convert.ts';
import { readChat } from '../chat/schema.ts';
import { readJsonBody } from '../json-body.ts';
import { errorFrame } from '../nat-frames.ts';
import { aboutChat } from '../openapi/about-workflows.ts';
import type { RoutePaths } from '../options.ts';
import type { Call, Reply, Route } from '../route.ts';
import { eventsOnly } from '../sse.ts';
import { AdaptedSteps } from '../step-adaptor.ts';
import { type Look, type StreamRouteDeps, streamer } from './streams.ts';
import { answerer, workflowError } from './workflow.ts';

export interface ChatRouteDeps extends StreamRouteDeps {
  /** Whether a request for a completion may pause too. */
  readonly enableInteractiveExtensions: boolean;
}

/** `functionName`: what the steps call the workflow; undefined for that of the server. A GET has no messages: no routes. */
export const chatRoutes = (
  deps: ChatRouteDeps,
  workflow: Workflow,
  paths: RoutePaths,
  functionName?: string,
): Route[] => {
  const { method, openaiApiPath, openaiApiV1Path, legacyOpenaiApiPath } = paths;
  if (method === 'GET') return [];
  const served = { workflow, functionName };
  const routes: Route[] = [];
  const family = (path: string, isLegacy: boolean): void => {
    const answer = chatAnswerer(deps, { ...served, interactive: !isLegacy, isLegacy });
    routes.push({ method, path, about: aboutChat(workflow, !isLegacy, false), handle: (call) => answer(call, false) });
    routes.push({
      method,
      path: `${path}/stream`,
      about: aboutChat(workflow, !isLegacy, true),
      handle: (call) => answer(call, true),
    });
  };

  if (openaiApiPath && openaiApiPath !== openaiApiV1Path) family(openaiApiPath, false);
  if (legacyOpenaiApiPath) family(legacyOpenaiApiPath, true);
  if (openaiApiV1Path) {
    const interactive = deps.enableInteractiveExtensions; // without, it is to NAT like its older routes
    const answer = chatAnswerer(deps, { ...served, interactive, isLegacy: !interactive });
    routes.push({
      method,
      path: openaiApiV1Path,
      about: aboutChat(workflow, interactive, 'as asked'),
      handle: (call) => answer(call, 'as asked'),
    });
  }
  return routes;
};

interface ServedChat {
  readonly workflow: Workflow;
  readonly functionName: string | undefined;
  readonly interactive: boolean;
  readonly isLegacy: boolean;
}

const chatAnswerer = (
  deps: ChatRouteDeps,
  { interactive, isLegacy, ...served }: ServedChat,
): ((call: Call, streams: boolean | 'as asked') => Promise<Reply>) => {
  const convert = converter(served.workflow);
  const once = answerer(deps, { ...served, interactive, form: 'chat' });
  const stream = streamer(deps, { ...served, interactive, isLegacy, form: 'chat' });
  const look = lookOf(deps);

  return async (call, streams) => {
    const body = readJsonBody(call.headers['content-type'], call.body);
    const request = await readChat(body);
    const isStream = streams === 'as asked' ? request.stream === true : streams;
    const converted = await convert(request);
    if (converted.refused === undefined) {
      const input = { body, ...converted.input };
      return isStream ? stream(call, input, look) : once(call, input);
    }
    const { refused: message } = converted;
    if (isStream) return eventsOnly(errorFrame({ message, name: 'ValueError' }, isLegacy));
    return workflowError(message, interactive ? 'ExecutionFailed' : 'ValueError');
  };
};

const lookOf =
  ({ stepAdaptor }: ChatRouteDeps): Look =>
  (execution) => {
    const chunks = new Chunks(execution);
    return {
      steps: new AdaptedSteps(stepAdaptor),
      output: (value) => dataFrame(chunks.of(value)),
      end: () => `${dataFrame(chunks.last())}data: [DONE]\n\n`,
    };
  };

const dataFrame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
