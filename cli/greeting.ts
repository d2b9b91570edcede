/** The message for a person after the start of the server: how to start, read and answer an execution. */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../runtime/index.ts';
import type { RoutePaths } from '../server/options.ts';
import { createReader } from '../server/wire/pydantic/reader.ts';
import { sampleOf } from './sample.ts';

export interface Greeted {
  /** `http://host:port`, with the root path. */
  readonly url: string;
  readonly workflow: Workflow;
  /** Versions that are served for open executions only. Default none. */
  readonly older?: readonly string[];
  /** Paths of the workflow. */
  readonly paths: RoutePaths;
  /** Whether there is a console. */
  readonly console: boolean;
}

/** The command that starts an execution can be pasted: its body fits the schema of the workflow. */
export const greeting = async ({ url, workflow, older = [], paths, console }: Greeted): Promise<string> => {
  const { method, path, legacyPath } = paths;
  const at = path ?? legacyPath;
  const watch = console ? [`See all executions in a browser: ${url}/console`] : [];
  if (at === null) return shown([`${workflow.name} has no route of its own at ${url}.`, ...watch, STOP]);
  const canWait = method === 'POST' && path !== null;
  const body = method === 'POST' ? await sampleBody(workflow) : undefined;
  const known = workflow.isPerUser ? ["-H 'x-api-key: me'"] : [];
  const curl = (at: string, ...more: string[]): string => ['  curl -i', quoted(at), ...known, ...more].join(' ');
  const { origin } = new URL(url); // URLs in bodies begin with the root path
  const answer = (body: string): string => curl(`${origin}RESPONSE_URL`, JSON_TYPE, data(body));
  return shown([
    ...(older.length === 0 ? [] : [versionsOf(workflow, older)]),
    `${workflow.name} is served at ${url}. Start an execution:`,
    method === 'POST' ? curl(url + at, JSON_TYPE, data(body)) : curl(url + at),
    ...(method === 'POST' && body === undefined
      ? ['No generated sample fits the schema. Write your input to input.json.']
      : []),
    ...(canWait
      ? ['If the execution waits for a person, the reply has status_url and response_url. Read the status, and answer:']
      : []),
    ...(canWait ? [[curl(`${origin}STATUS_URL`), ...ANSWERS.map(answer)].join('\n  ')] : []),
    ...(canWait ? ['The type of an answer is the input_type of the prompt. An option is selected by its id.'] : []),
    ...watch,
    STOP,
  ]);
};

const versionsOf = ({ name, version }: Workflow, older: readonly string[]): string =>
  `New executions of ${name} use version ${version}. Open executions of ${older.join(', ')} continue with the code of their version.`;

const STOP = 'Ctrl-C shuts the server down. A second Ctrl-C ends it at once.';
const JSON_TYPE = "-H 'content-type: application/json'";
/** Answers of a binary choice and of a text prompt. */
const ANSWERS = [
  '{"response":{"type":"binary_choice","selected_option":{"id":"yes"}}}',
  '{"response":{"type":"text","text":"yes"}}',
];

const shown = (paragraphs: readonly string[]): string => `\n${paragraphs.map((line) => `  ${line}\n\n`).join('')}`;

const data = (body: string | undefined): string => `-d ${body === undefined ? '@input.json' : quoted(body)}`;

/** Quotes a word for a shell, if necessary. */
const quoted = (word: string): string => (/^[\w:/.@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** A sample input of a workflow, as JSON; undefined if the sample does not fit, or cannot be checked. */
export const sampleBody = async ({ input }: Workflow): Promise<string | undefined> => {
  const schema: JsonSchema = jsonSchemaOf(input);
  const sample = sampleOf(schema);
  try {
    const reading = input === undefined ? undefined : await createReader(input, schema)(sample);
    return reading?.issues === undefined ? JSON.stringify(sample) : undefined;
  } catch {
    return undefined; // the validation of a schema may throw
  }
};
