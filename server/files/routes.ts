/**
 * Files in an object store. Every client can read them. Writers need an identity only if there is an operator key,
 * because NAT's clients have no identity. Pages of other origins cannot write unless CORS allows them: a browser sends
 * forms to any server, with the user's cookies and without a preflight.
 */
import { z } from 'zod';
import { Failure } from '../../runtime/index.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import { isWelcome } from '../http/origin.ts';
import { problem, refusal } from '../http/problem.ts';
import { json } from '../http/problems.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import type { App } from '../protocol.ts';
import { route } from '../wire/route.ts';
import { aboutDelete, aboutFile, aboutUpload } from './about.ts';
import { type FormFile, readFormFile } from './multipart.ts';
import { isKey, keyFrom } from './object-key.ts';
import type { ObjectStore, OpenObject } from './object-store.ts';
import { StoreFullError } from './store-full-error.ts';

export interface StaticRouteDeps extends Pick<App, 'who' | 'cors' | 'operators'> {
  readonly store: ObjectStore;
  /** The path of one file. */
  readonly maxFileBytes: number;
}

const storedFile = z.object({ filename: z.string() }).meta({ id: 'StoredFile' });
type Stored = z.infer<typeof storedFile>;

/** Maximum bytes of a form besides its file. */
const FORM_BYTES = 65_536;

export const staticRoutes = (deps: StaticRouteDeps): Route[] => {
  const { store, maxFileBytes } = deps;
  const path = '/static/*';
  const maxBodyBytes = maxFileBytes + FORM_BYTES;

  const upload = async (
    call: Call,
    keep: (key: string, file: FormFile) => Promise<boolean>,
  ): Promise<Reply<Stored>> => {
    if (!(await mayWrite(call, deps))) return foreignPage;
    const key = keyFrom(call.params['*'] ?? '');
    if (key === undefined) return invalidKey;
    const file = await fileOf(call);
    if (file === undefined) return refusal(400, 'There was an error parsing the body');
    if (file.data.length > maxFileBytes) {
      return problem(413, 'Content Too Large', `A file may have ${maxFileBytes} bytes at most.`);
    }
    try {
      const isKept = await keep(key, { data: file.data, contentType: soundType(file.contentType) });
      return isKept ? json(200, { filename: key }) : refusal(409, `Key already exists: ${key}.`);
    } catch (thrown) {
      if (thrown instanceof StoreFullError) return problem(507, 'Insufficient Storage', thrown.message);
      throw thrown;
    }
  };

  return [
    route({
      method: 'POST',
      path,
      reply: storedFile,
      about: aboutUpload(true),
      maxBodyBytes,
      handle: (call) => upload(call, (key, file) => store.create(key, file)),
    }),
    route({
      method: 'PUT',
      path,
      reply: storedFile,
      about: aboutUpload(false),
      maxBodyBytes,
      handle: (call) => upload(call, (key, file) => store.put(key, file).then(() => true)),
    }),
    route({
      method: 'GET',
      path,
      about: aboutFile,
      isPublic: true,
      handle: async ({ params }) => {
        const key = keyOf(params);
        const object = key === undefined ? undefined : await store.open(key);
        return object === undefined ? noObject(params) : fileReply(key!, object);
      },
    }),
    route({
      method: 'DELETE',
      path,
      about: aboutDelete,
      handle: async (call) => {
        if (!(await mayWrite(call, deps))) return foreignPage;
        const key = keyOf(call.params);
        return key !== undefined && (await store.delete(key)) ? { status: 204 } : noObject(call.params);
      },
    }),
  ];
};

const invalidKey = refusal(400, 'Invalid file path.');
const foreignPage = refusal(403, 'Pages of this origin may not write files.');
const noObject = (params: Call['params']): Reply<never> => refusal(404, `No object found with key: ${params['*']}.`);

const keyOf = ({ '*': key = '' }: Call['params']): string | undefined => (isKey(key) ? key : undefined);

/** False for pages of other origins. Throws or rejects for callers that need an identity. */
const mayWrite = async (call: Call, { who, cors, operators }: StaticRouteDeps): Promise<boolean> => {
  const { origin, host } = call.headers;
  if (!isWelcome(origin, host, cors)) return false;
  const { userId, isOperator } = await who(call);
  if (!operators.isGuarded || userId !== undefined || isOperator) return true;
  throw new Failure('identity_required', { detail: 'Writing files needs an identity.' });
};

const fileOf = async ({ headers, body }: Call): Promise<FormFile | undefined> => {
  let file: FormFile | undefined;
  try {
    file = await readFormFile(headers['content-type'], body, 'file');
  } catch {
    return undefined;
  }
  if (file !== undefined) return file;
  throw new ValidationFailure([{ type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null }]);
};

/** The media type becomes a header of replies. */
const soundType = (given: string): string =>
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(; charset=[\w.:+-]{1,40})?$/.test(given)
    ? given
    : 'application/octet-stream';

const withCharset = (type: string): string =>
  type.startsWith('text/') && !type.includes('; charset=') ? `${type}; charset=utf-8` : type;

const fileReply = (key: string, { content, contentType }: OpenObject): Reply<never> => {
  const headers = {
    'content-type': withCharset(contentType),
    'content-disposition': attachment(key.slice(key.lastIndexOf('/') + 1)),
    // An uploaded file must not run as a script in pages of this origin.
    'x-content-type-options': 'nosniff',
  };
  if (content.length > 0) return { status: 200, headers, content };
  content.close();
  return { status: 200, headers, body: '' };
};

/** RFC 6266: an ASCII name for old clients, and the real name (RFC 8187). */
const attachment = (name: string): string => {
  const ascii = name.replace(/[^\x20-\x7e]|["%]/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};
