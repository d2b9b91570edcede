/** Converts a message to the input of a workflow: a text, or a chat. */
import { Failure, jsonSchemaOf, type Workflow } from '../../../runtime/index.ts';
import { ValidationFailure } from '../../http/mistakes.ts';
import { createReader } from '../../wire/pydantic/reader.ts';
import type { Input } from '../../wire/start.ts';
import { converter, takesChats, textWrapper } from '../chat/convert.ts';
import { lastUserTexts, type UserMessage } from './client-messages.ts';

/**
 * Resolves to undefined for a message without a required text. Rejects with `request_invalid` if the workflow cannot
 * take the message, which clients see as a failed run.
 */
export type ReadInput = (message: UserMessage) => Promise<{ readonly input: Pick<Input, 'raw' | 'value'> } | undefined>;

export const inputReader = (workflow: Workflow): ReadInput => {
  const [readText, convert] = [textReader(workflow), converter(workflow)];
  return async ({ schema_type: type, content }) => {
    if (type === 'generate' || type === 'generate_stream') {
      const [text] = lastUserTexts(content);
      return text === undefined ? undefined : readText(text);
    }
    if (content.messages.length === 0) return undefined;
    try {
      const converted = await convert(content);
      if (converted.refused !== undefined) throw unfit(converted.refused);
      return { input: converted.input };
    } catch (thrown) {
      throw thrown instanceof ValidationFailure ? unfit(thrown.message) : thrown;
    }
  };
};

const textReader = ({ input: standard }: Workflow) => {
  if (standard === undefined) return async (text: string) => ({ input: { raw: text, value: text } });
  const schema = jsonSchemaOf(standard);
  const read = createReader(standard, schema);
  const chat = (text: string): unknown => ({ messages: [{ role: 'user', content: text }] });
  const wrap = textWrapper(schema) ?? (takesChats(schema) ? chat : asItIs);
  return async (text: string) => {
    const raw = wrap(text);
    const reading = await read(raw);
    if (reading.issues !== undefined) throw unfit(new ValidationFailure(reading.issues).message);
    return { input: { raw, value: reading.value } };
  };
};

const asItIs = (text: string): unknown => text;

const unfit = (why: string): Failure =>
  new Failure('request_invalid', { detail: `The workflow cannot take this message: ${why}` });
