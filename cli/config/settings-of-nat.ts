/** The section `general` of the file: NAT's own settings, with NAT's names and defaults. */
import { z } from 'zod';
import { defaults } from '../../runtime/index.ts';
import { acceptedKinds } from '../../server/identity/options.ts';
import { type RoutePaths, serverDefaults } from '../../server/options.ts';
import {
  choice,
  duration,
  hostName,
  ignored,
  integer,
  isMap,
  listOf,
  only,
  orNull,
  path,
  pattern,
  prefix,
  text,
  texts,
  yesOrNo,
} from './kinds.ts';

/** NAT's types of intermediate steps. */
const steps = ['LLM', 'TOOL', 'WORKFLOW', 'TASK', 'TTC', 'FUNCTION', 'CUSTOM', 'SPAN'];
const stepEvents = [...steps.flatMap((step) => [`${step}_START`, `${step}_END`]), 'LLM_NEW_TOKEN', 'SPAN_CHUNK'];

const description = z.unknown().optional().meta({ natOnly: 'Accepted, and not read.' });

/** NAT uses a section of routes without its defaults: a route that it does not name is not served. */
const route = (initial: string | null | undefined, description: string) =>
  orNull(path)
    .default(initial ?? null)
    .meta({ description, nullInSection: true });

/** The routes of a workflow, with their defaults. */
const routes = (initial: Partial<RoutePaths>) => ({
  description,
  method: choice('GET', 'POST')
    .default('POST')
    .describe(
      'Method of the routes of the workflow. With GET it runs without input and never pauses, and pages of other sites can start it only if CORS allows them.',
    ),
  path: route(initial.path, 'Interactive routes: this path, and `/stream`, `/full` and `/atif` below it.'),
  websocket_path: route(initial.websocketPath, 'The WebSocket.'),
  openai_api_path: route(initial.openaiApiPath, 'Interactive chat routes: this path, and `/stream` below it.'),
  openai_api_v1_path: route(
    initial.openaiApiV1Path,
    'Chat for OpenAI clients; the request chooses whether to stream. Only with POST.',
  ),
  legacy_path: route(
    initial.legacyPath,
    'Older routes, which never pause: this path, and `/stream` and `/full` below it.',
  ),
  legacy_openai_api_path: route(
    initial.legacyOpenaiApiPath,
    'Older chat routes, which never pause: this path, and `/stream` below it.',
  ),
});

/** An entry of `general.front_end.endpoints`. */
export const endpoint = z.strictObject({ function_name: text.describe('Name of the workflow.'), ...routes({}) });

/** A setting of CORS that is null has its default. */
const cors = z.strictObject({
  allow_origins: texts.default([]).meta({
    description: 'Origins whose pages may send requests, such as `https://app.example`; `*` for any.',
    nullIsUnset: true,
  }),
  allow_origin_regex: orNull(pattern).default(null).describe('Further origins: a pattern for the whole origin.'),
  allow_methods: texts.default(['GET']).meta({ description: 'Methods for these pages.', nullIsUnset: true }),
  allow_headers: texts.default([]).meta({
    description: 'Request headers for these pages, besides those that browsers always allow.',
    nullIsUnset: true,
  }),
  allow_credentials: yesOrNo.default(false).meta({ description: 'Whether they may send cookies.', nullIsUnset: true }),
  expose_headers: texts.default([]).meta({
    description:
      'Response headers that they may read, besides ours. With a list, only clients that send `prefer` or `idempotency-key` may read `execution-id`.',
    nullIsUnset: true,
  }),
  max_age: integer(0).default(600).meta({
    description: 'Seconds for which a browser may cache these permissions.',
    nullIsUnset: true,
  }),
});

const ofDask = (value: string | number | null) =>
  only(value, 'there are no Dask jobs here, remove it; for others see fermata.async_jobs', "NAT's default");

const evaluation = (at: string) =>
  z
    .unknown()
    .optional()
    .refine(
      (given) => given === undefined || (isMap(given) && (given.path ?? at) === at),
      'evaluations are not served here, remove it',
    )
    .meta({ natOnly: 'Its default path. Another path is refused: evaluations are not served here.' });

const frontEnd = z.strictObject({
  _type: only('fastapi', 'only the front end fastapi is served here'),
  host: hostName.default(serverDefaults.host).meta({
    description:
      'Name or address to listen on. `localhost` accepts connections from this machine only; `0.0.0.0` and `::` are all addresses.',
    flag: '--host <name>',
  }),
  port: integer(0, 65_535).default(serverDefaults.port).meta({
    description: 'Port to listen on. 0 is a free port.',
    flag: '--port <number>',
  }),
  root_path: prefix.default(serverDefaults.rootPath).meta({
    description: 'Prefix under which all routes also answer. URLs in bodies begin with it.',
    flag: '--root-path <path>',
  }),
  workflow: z.strictObject(routes(serverDefaults.workflow)),
  endpoints: z.array(z.unknown()).default([]).meta({ holds: 'a list', isEntries: true, nullIsUnset: true }),
  oauth2_callback_path: orNull(path)
    .default(serverDefaults.oauthCallbackPath)
    .describe('The callback path of consents. Null: consents are not possible.'),
  disable_legacy_routes: yesOrNo
    .default(serverDefaults.disableLegacyRoutes)
    .describe('Serves no older routes, even if they have paths.'),
  enable_interactive_extensions: yesOrNo
    .default(false)
    .describe('Requests to `openai_api_v1_path` may pause too, which OpenAI clients do not expect.'),
  step_adaptor: z.strictObject({
    mode: choice('default', 'custom', 'off')
      .default('default')
      .describe(
        'The intermediate steps that are streamed: those of models, tools and functions, the list below, or none.',
      ),
    custom_event_types: listOf(choice(...stepEvents), 'step types such as LLM_END')
      .default([])
      .describe('Steps that mode `custom` streams. Empty: `CUSTOM_START` and `CUSTOM_END`.'),
  }),
  cors,
  identity_header: text
    .optional()
    .describe(
      'The header in which a proxy identifies the user. It overrides all credentials, and requests without it are refused.',
    ),
  accepted_identity_credentials: listOf(choice(...acceptedKinds), `credentials such as ${acceptedKinds[0]}`)
    .optional()
    .describe(
      `The kinds of credentials that count: ${acceptedKinds.map((kind) => `\`${kind}\``).join(', ')}. Without: all of them.`,
    ),
  identity_authentication: texts
    .optional()
    .describe(
      'Names of entries of `authentication` with `_type: jwt`: the issuers whose tokens are accepted. Excludes `fermata.jwt`.',
    ),
  reload: only(false, 'a server does not reload itself; while developing, use `npm run dev`'),
  workers: only(1, 'one process serves all, since it owns the directory of its executions; remove it'),
  use_gunicorn: only(false, 'the server listens itself, remove it'),
  runner_class: only(null, 'a Python class cannot be loaded here, remove it'),
  object_store: z.unknown().optional().meta({
    natOnly:
      'The name of a store with `_type: in_memory`, which is then one in memory here; of any other only together with `fermata.object_store`, which counts.',
  }),
  evaluate: evaluation('/evaluate'),
  evaluate_item: evaluation('/evaluate/item'),
  scheduler_address: ofDask(null),
  db_url: ofDask(null),
  max_running_async_jobs: ofDask(10),
  dask_workers: ofDask('processes'),
  dask_threads_per_worker: ofDask(1),
  dask_worker_memory_limit: ofDask('0'),
  dask_log_level: ofDask('WARNING'),
});

export const general = z.strictObject({
  front_end: frontEnd,
  per_user_workflow_timeout: duration(1)
    .default(defaults.builderIdleMs)
    .describe('How long the resources of an idle user stay open.'),
  enable_per_user_monitoring: yesOrNo
    .default(serverDefaults.monitorUsers)
    .describe('Serves `/monitor/users`: to those with the operator key, or without one on this machine only.'),
  use_uvloop: ignored('has no effect'),
  telemetry: ignored('is not read: the log goes to standard output, see fermata.log_level'),
  per_user_workflow_cleanup_interval: duration().optional().meta({
    natOnly: 'Has no effect: resources are closed here as soon as their time is over. A warning says so.',
    warning: 'has no effect: resources are closed here as soon as their time is over',
  }),
});

const notRead = ignored('not read, since what runs is the module that is served');

/** The sections of NAT about its workflows. */
export const sectionsOfNat = {
  embedders: notRead,
  eval: notRead,
  finetuning: notRead,
  function_groups: notRead,
  functions: notRead,
  llms: notRead,
  memory: notRead,
  middleware: notRead,
  object_stores: notRead,
  optimizer: notRead,
  retrievers: notRead,
  trainer_adapters: notRead,
  trainers: notRead,
  trajectory_builders: notRead,
  ttc_strategies: notRead,
  workflow: notRead,
  workspace: notRead,
  workspace_guardrails: notRead,
};
