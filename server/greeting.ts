/** What a person sees when the server listens: how to start an execution, to look at it, and to answer it. */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../runtime/index.ts';
import type { RoutePaths } from './options.ts';
import { sampleOf } from './sample.ts';
import { createReader } from './validation.ts';

export interface Greeted {
  /** `http://host:port`, with the root path. */
  readonly url: string;
  readonly workflow: Workflow;
  /** Where the workflow is served. */
  readonly paths: RoutePaths;
}

/** The line that starts an execution can be pasted as it is: its body fits the schema of the workflow. */
export const greeting = async ({ url, workflow, paths }: Greeted): Promise<string> => {
  const { method, path, legacyPath } = paths;
  const at = path ?? legacyPath;
  if (at === null) return text([`${workflow.name} has no route of its own at ${url}.`, STOP]);
  const start =
    method === 'GET' ? `curl -i ${quoted(url + at)}` : curlWithBody(url + at, (await bodyOf(workflow)) ?? NO_SAMPLE);
  const canWait = method === 'POST' && path !== null;
  return text([
    `${workflow.name} is served at ${url}. Start an execution:`,
    `  ${start}`,
    ...(start.includes(NO_SAMPLE) ? ['  (input.json is yours to write: no sample could be made of the schema.)'] : []),
    ...(canWait ? waiting(new URL(url).origin) : []),
    STOP,
  ]);
};

const STOP = 'Ctrl-C stops in order; once more, at once.';
const NO_SAMPLE = '@input.json';

const text = (paragraphs: readonly string[]): string => `\n${paragraphs.map((line) => `  ${line}\n\n`).join('')}`;

/** URLs in bodies begin with the root path. */
const waiting = (origin: string): string[] => [
  'If it waits for a person, its reply has a status_url and a response_url. Look at it, and answer:',
  `  curl ${origin}STATUS_URL\n    ${curlWithBody(`${origin}RESPONSE_URL`, ANSWER)}`,
];

const ANSWER = '{"response":{"type":"text","text":"yes"}}';

const curlWithBody = (url: string, body: string): string =>
  `curl -i ${quoted(url)} -H 'content-type: application/json' -d ${body.startsWith('@') ? body : quoted(body)}`;

/** For a shell, and only where it needs that. */
const quoted = (word: string): string => (/^[\w:/.@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** As JSON; undefined if what was made does not fit, or cannot be told to. */
const bodyOf = async ({ input }: Workflow): Promise<string | undefined> => {
  const schema: JsonSchema = jsonSchemaOf(input);
  const sample = sampleOf(schema);
  try {
    const reading = input === undefined ? undefined : await createReader(input, schema)(sample);
    return reading?.issues === undefined ? JSON.stringify(sample) : undefined;
  } catch {
    return undefined; // a schema may do anything, also throw
  }
};
