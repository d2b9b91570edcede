/**
 * Reads request bodies like NAT: a body that is not JSON, or whose type is not JSON, is refused before its schema.
 * Refusals contain the position as Python's parser reports it, because V8 often reports none.
 */
import { isUtf8 } from 'node:buffer';
import { boundsFault } from '../../runtime/index.ts';
import { type LossyNumber, lossyNumberIn } from '../http/lossy-number.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import { countCharacters, entryOf } from './pydantic/scalars.ts';

/**
 * The value of a JSON body. Of two members with the same name the last counts; `__proto__` is an ordinary member.
 *
 * A body counts as JSON only if its content type says so (`application/json`, `application/*+json`). A missing type is
 * not JSON either, as in NAT's current framework: a web page can make a browser send such a body, with the user's
 * cookies, to any server without a preflight (a form with `text/plain`, `fetch` with an untyped Blob). It cannot do
 * this with a JSON type.
 *
 * @throws ValidationFailure for no body or `null`, another type, bytes that are not UTF-8, text that is not JSON, too
 * many levels or values (`boundsFault`), or a number that would be rounded
 */
export const readJsonBody = (contentType: string | undefined, body: Buffer | undefined): unknown => {
  if (body === undefined || body.length === 0) throw missing();
  if (!isJson(contentType)) throw new ValidationFailure([entryOf('model_attributes_type', body.toString(), ['body'])]);
  if (!isUtf8(body)) throw notJson(0, 'Expecting UTF-8');
  const text = body.toString().replace(/^\ufeff/, '');
  const fault = boundsFault(text);
  if (fault !== undefined) throw notJson(fault.at, `Expecting at most ${fault.most}`);
  const value = parse(text);
  if (value === null) throw missing();
  const lossy = lossyNumberIn(text);
  if (lossy !== undefined) throw lossyNumber(lossy);
  return value;
};

const isJson = (type = ''): boolean => /^application\/(?:[^;/\s]+\+)?json\s*(?:;|$)/i.test(type);

const missing = (): ValidationFailure => new ValidationFailure([entryOf('missing', null, ['body'])]);

const notJson = (offset: number, error: string): ValidationFailure =>
  new ValidationFailure([
    { type: 'json_invalid', loc: ['body', offset], msg: 'JSON decode error', input: {}, ctx: { error } },
  ]);

const lossyNumber = ({ written, path }: LossyNumber): ValidationFailure =>
  new ValidationFailure([
    {
      type: 'number_not_exact',
      loc: ['body', ...path],
      msg: `${written.slice(0, 40)} would be rounded: send a whole number of at most ${Number.MAX_SAFE_INTEGER}, or a text`,
      input: written.slice(0, 400),
    },
  ]);

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return refuseMistake(text);
  }
};

/** Reads the text again, up to the position where Python's parser would stop. */
const refuseMistake = (text: string): never => {
  const mistake = (index: number, error: string) => notJson(countCharacters(text.slice(0, index)), error);

  const endOf = (pattern: RegExp, index: number): number | undefined => {
    pattern.lastIndex = index;
    return pattern.test(text) ? pattern.lastIndex : undefined;
  };

  const skipSpace = (index: number): number => endOf(/[ \t\n\r]*/y, index) ?? index;

  const skipValue = (index: number): number => {
    if (text[index] === '"') return skipText(index);
    if (text[index] === '{') return skipParts(index, '}', skipMember);
    if (text[index] === '[') return skipParts(index, ']', skipValue);
    const end = endOf(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y, index);
    if (end === undefined) throw mistake(index, 'Expecting value');
    return end;
  };

  const skipParts = (opening: number, closing: string, skipPart: (index: number) => number): number => {
    let index = skipSpace(opening + 1);
    if (text[index] === closing) return index + 1;
    for (;;) {
      index = skipSpace(skipPart(index));
      if (text[index] === closing) return index + 1;
      if (text[index] !== ',') throw mistake(index, "Expecting ',' delimiter");
      index = skipSpace(index + 1);
    }
  };

  const skipMember = (index: number): number => {
    if (text[index] !== '"') throw mistake(index, 'Expecting property name enclosed in double quotes');
    const colon = skipSpace(skipText(index));
    if (text[colon] !== ':') throw mistake(colon, "Expecting ':' delimiter");
    return skipValue(skipSpace(colon + 1));
  };

  const skipText = (opening: number): number => {
    let index = opening + 1;
    for (;;) {
      const character = text[index];
      if (character === '"') return index + 1;
      if (character === undefined) throw mistake(opening, 'Unterminated string starting at');
      if (character < ' ') throw mistake(index, 'Invalid control character at');
      index = character === '\\' ? skipEscape(opening, index) : index + 1;
    }
  };

  const skipEscape = (opening: number, index: number): number => {
    if (index + 1 === text.length) throw mistake(opening, 'Unterminated string starting at');
    const end = endOf(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y, index);
    if (end !== undefined) return end;
    throw text[index + 1] === 'u' ? mistake(index + 1, 'Invalid \\uXXXX escape') : mistake(index, 'Invalid \\escape');
  };

  throw mistake(skipSpace(skipValue(skipSpace(0))), 'Extra data');
};
