/** The input of a run from the command line. */
import { boundsFault, Failure, jsonSchemaOf, type Workflow } from '../../runtime/index.ts';
import type { ValidationEntry } from '../../server/http/mistakes.ts';
import { createReader } from '../../server/wire/pydantic/reader.ts';
import { sampleBody } from '../greeting.ts';

/**
 * The input, parsed by the schema of the workflow. `given` is JSON, or `-` for the text of `stdin`; undefined without
 * input. Throws `options_invalid` with all errors.
 */
export const readInput = async (
  workflow: Workflow,
  given: string | undefined,
  stdin: AsyncIterable<string | Uint8Array>,
): Promise<unknown> => {
  const value = given === undefined ? undefined : parsed(given === '-' ? await textOf(stdin) : given);
  const { name, input } = workflow;
  if (input === undefined) return value;
  const reading = await createReader(input, jsonSchemaOf(input))(value);
  if (reading.issues === undefined) return reading.value;
  if (given !== undefined) throw unusable(`The input does not fit ${name}:\n${reading.issues.map(line).join('\n')}`);
  const sample = await sampleBody(workflow);
  throw unusable(
    `${name} needs an input${sample === undefined ? ': --input <json>' : `, such as --input '${sample}'`}`,
  );
};

const textOf = async (stream: AsyncIterable<string | Uint8Array>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
};

const parsed = (text: string): unknown => {
  const fault = boundsFault(text);
  if (fault !== undefined) throw unusable(`The input has more than ${fault.most}.`);
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw unusable(`The input is not JSON: ${(thrown as Error).message}`);
  }
};

/** Paths begin with `body`, as in a request. */
const line = ({ loc: [, ...path], msg }: ValidationEntry): string =>
  path.length === 0 ? `  ${msg}` : `  ${path.join('.')}: ${msg}`;

const unusable = (detail: string): Failure => new Failure('options_invalid', { detail });
