/**
 * Names in NAT's files that have no meaning here. A value without a request is accepted. A request for an unsupported
 * feature is refused, with advice. Sections about the workflow are ignored.
 */

import { parseDuration } from './durations.ts';
import { isMap } from './kinds.ts';

export type Verdict = 'accepted' | { readonly refused: string } | { readonly warning: string };

export const isRefused = (verdict: Verdict): verdict is { readonly refused: string } =>
  typeof verdict === 'object' && 'refused' in verdict;

/** Checks the value. Its message never contains the value, which may be a secret. */
export type Foreign = (given: unknown) => Verdict;

const accepted: Foreign = () => 'accepted';
const ignored =
  (warning: string): Foreign =>
  () => ({ warning });

/** Variables are texts, so values are compared as texts. */
const only =
  (value: string | number | boolean, refused: string): Foreign =>
  (given) =>
    given === null || String(given).toLowerCase() === String(value).toLowerCase() ? 'accepted' : { refused };

const absent =
  (refused: string): Foreign =>
  (given) =>
    given === null ? 'accepted' : { refused };

const warnedIf =
  (value: boolean, warning: string): Foreign =>
  (given) => {
    const word = String(given).toLowerCase();
    if (word !== 'true' && word !== 'false') return { refused: 'expected true or false' };
    return word === String(value) ? { warning } : 'accepted';
  };

const evaluation =
  (path: string): Foreign =>
  (given) => {
    const isDefault = given === null || (isMap(given) && (given.path ?? path) === path);
    return isDefault ? 'accepted' : { refused: 'evaluations are not served here, remove it' };
  };

const cleanupInterval: Foreign = (given) =>
  (typeof given === 'string' || typeof given === 'number') && parseDuration(given) !== undefined
    ? { warning: 'has no effect: resources are closed here as soon as their time is over' }
    : { refused: 'expected a duration, such as PT5M' };

const ofWorkflow = ignored('not read, since what runs is the module that is served');
const noDask = 'there are no Dask jobs here, remove it; for others see fermata.async_jobs';

const sections = [
  'embedders',
  'eval',
  'finetuning',
  'function_groups',
  'functions',
  'llms',
  'memory',
  'middleware',
  'object_stores',
  'optimizer',
  'retrievers',
  'trainer_adapters',
  'trainers',
  'trajectory_builders',
  'ttc_strategies',
  'workflow',
  'workspace',
  'workspace_guardrails',
];

const inFrontEnd: Readonly<Record<string, Foreign>> = {
  _type: only('fastapi', 'only the front end fastapi is served here'),
  'workflow.description': accepted,
  reload: only(false, 'a server does not reload itself; while developing, use `npm run dev`'),
  workers: only(1, 'one process serves all, since executions live in its memory; remove it'),
  use_gunicorn: only(false, 'the server listens itself, remove it'),
  runner_class: absent('a Python class cannot be loaded here, remove it'),
  object_store: accepted, // `readObjectStore` checks it
  evaluate: evaluation('/evaluate'),
  evaluate_item: evaluation('/evaluate/item'),
  scheduler_address: absent(noDask),
  db_url: absent(noDask),
  max_running_async_jobs: only(10, noDask),
  dask_workers: only('processes', noDask),
  dask_threads_per_worker: only(1, noDask),
  dask_worker_memory_limit: only('0', noDask),
  dask_log_level: only('WARNING', noDask),
};

/** By path in the file. */
export const foreign: ReadonlyMap<string, Foreign> = new Map<string, Foreign>([
  ...sections.map((name) => [name, ofWorkflow] as const),
  ['general.use_uvloop', ignored('has no effect')],
  ['general.telemetry', ignored('is not read: the log goes to standard output, see fermata.log_level')],
  ['general.per_user_workflow_cleanup_interval', cleanupInterval],
  ...Object.entries(inFrontEnd).map(([name, verdict]) => [`general.front_end.${name}`, verdict] as const),
]);

/** Within an entry of `general.front_end.endpoints`. */
export const foreignInEndpoint: ReadonlyMap<string, Foreign> = new Map([['description', accepted]]);

const CONSENT = 'oauth2_auth_code_flow';

/** For an entry of `authentication`; undefined for a consent, which is supported. */
export const otherCredential = (entry: unknown): string | undefined => {
  const type = isMap(entry) ? (entry._type ?? CONSENT) : CONSENT;
  if (type === CONSENT) return undefined;
  return `not read, since only ${CONSENT} is a consent; a workflow reads other credentials itself`;
};

/** Within an entry of `authentication`. */
export const foreignInProvider: ReadonlyMap<string, Foreign> = new Map([
  ['_type', accepted],
  ['use_pkce', warnedIf(false, 'has no effect: PKCE is always used')],
]);
