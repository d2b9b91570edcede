/**
 * Converts a chat to the input of a workflow: the text of the last message, or the whole chat, as the workflow
 * requires.
 */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../../../runtime/index.ts';
import { ValidationFailure } from '../../http/mistakes.ts';
import { lookUp } from '../../wire/pydantic/compile.ts';
import { isRecord } from '../../wire/pydantic/containers.ts';
import { createReader } from '../../wire/pydantic/reader.ts';
import type { Input } from '../../wire/start.ts';
import { type ChatRequest, lastText } from './schema.ts';

/** `refused`: why this workflow cannot take the chat, which a client sees as a failed run. */
type Converted =
  | { readonly input: Pick<Input, 'raw' | 'value'>; readonly refused?: undefined }
  | { readonly input?: undefined; readonly refused: string };

/** Throws or rejects with a `ValidationFailure` if the workflow takes chats, but not this one. */
export type Convert = (request: ChatRequest) => Promise<Converted>;

/** Whether the workflow gets the whole chat instead of a text. */
export const getsChats = ({ input }: Workflow): boolean => input === undefined || takesChats(jsonSchemaOf(input));

/**
 * The schemas decide. A workflow whose input has `messages`, or that declares no input, takes the whole chat. A
 * workflow that takes one text, also as the only member of an object, gets the text of the last message, and must
 * return a value that can be shown.
 */
export const converter = ({ name, input, output }: Workflow): Convert => {
  if (input === undefined) return async (request) => ({ input: { raw: request, value: request } });
  const schema = jsonSchemaOf(input);
  const read = createReader(input, schema);

  if (takesChats(schema)) {
    return async (request) => {
      const reading = await read(request);
      if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
      return { input: { raw: request, value: reading.value } };
    };
  }

  const wrap = textWrapper(schema);
  if (wrap === undefined || isStructured(jsonSchemaOf(output, 'output'))) {
    const refused = `${name} cannot be called as a chat: it takes or gives something other than a text or a chat.`;
    return async () => ({ refused });
  }
  return async (request) => {
    const raw = wrap(lastText(request));
    const reading = await read(raw);
    if (reading.issues === undefined) return { input: { raw, value: reading.value } };
    return { refused: `The last message does not fit: ${reading.issues.map(({ msg }) => msg).join('; ')}` };
  };
};

/** One of the alternatives is an object with `messages`, or the input is unknown: then any chat may fit. */
export const takesChats = (root: JsonSchema): boolean =>
  choicesOf(root, root).some(({ type, properties }) =>
    isRecord(properties) ? Object.hasOwn(properties, 'messages') : type === undefined,
  );

/** Converts a text to the input of a workflow that takes one text; undefined for other workflows. */
export const textWrapper = (root: JsonSchema): ((text: string) => unknown) | undefined => {
  if (takesTexts(root, root)) return (text) => text;
  const { properties } = resolved(root, root);
  const [member, ...more] = Object.entries(isRecord(properties) ? properties : {});
  if (member === undefined || more.length > 0) return undefined;
  const [name, of] = member;
  return isRecord(of) && takesTexts(of, root) ? (text) => ({ [name]: text }) : undefined;
};

const takesTexts = (schema: JsonSchema, root: JsonSchema): boolean =>
  choicesOf(schema, root).some(({ type }) => [type].flat().includes('string'));

/** Lists, and objects that are certainly not completions. */
const isStructured = (root: JsonSchema): boolean => {
  const { type, properties } = resolved(root, root);
  return type === 'array' || (isRecord(properties) && Object.keys(properties).length > 0 && !('choices' in properties));
};

const choicesOf = (schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] => {
  const whole = resolved(schema, root);
  const choices = whole.anyOf ?? whole.oneOf;
  return Array.isArray(choices) ? choices.filter(isRecord).map((choice) => resolved(choice, root)) : [whole];
};

const resolved = (schema: JsonSchema, root: JsonSchema): JsonSchema =>
  typeof schema.$ref === 'string' ? lookUp(root, schema.$ref) : schema;
