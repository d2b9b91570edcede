/** Forms with files (RFC 7578): the one file that a route needs. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';

export interface FormFile {
  /** Lower-case media type, with no parameter except the charset. `text/plain` by default, as in the RFC. */
  readonly contentType: string;
  readonly data: Buffer;
}

/** Limits for further parts and for their headers. */
const limits = { parts: 100, headerPairs: 50, headerSize: 16_384, fieldNameSize: 200, fieldSize: 1 };

/**
 * The file in the field of that name, the last one of several. Undefined if there is none, or if the body is not such a
 * form. Rejects with an error if the body is such a form and cannot be read.
 */
export const readFormFile = (
  contentType: string | undefined,
  body: Buffer | undefined,
  field: string,
): Promise<FormFile | undefined> => {
  if (contentType === undefined || !/^multipart\/form-data\s*(;|$)/i.test(contentType))
    return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    let found: FormFile | undefined;
    const form = new Busboy({ headers: { 'content-type': contentType }, limits });
    form.on('file', (name: string | undefined, stream: BusboyFileStream, _filename, _encoding, type) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => name === field && chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        if (name === field) found = { contentType: type, data: Buffer.concat(chunks) };
      });
    });
    const pieces = Readable.from(piecesOf(body));
    form.on('partsLimit', () => {
      pieces.unpipe(form).destroy();
      reject(new Error(`a form may have ${limits.parts} parts`));
    });
    form.on('error', reject);
    form.on('finish', () => resolve(found && withCharset(found, contentType, body!, field)));
    pieces.pipe(form);
  });
};

/**
 * Small pieces, so that reading stops soon after a limit, and other work has its turn between them. The library reads all parts of
 * a piece at once: 64 KB of empty parts would take a tenth of a second.
 */
const pieceBytes = 8_192;

async function* piecesOf(body: Buffer | undefined): AsyncGenerator<Buffer, void> {
  for (let at = 0; body !== undefined && at < body.length; at += pieceBytes) {
    if (at > 0) await setImmediate();
    yield body.subarray(at, at + pieceBytes);
  }
}

/** Busboy ignores the charset of a part, so it is read from the heads of the parts. The last one counts. */
const withCharset = (file: FormFile, formType: string, body: Buffer, field: string): FormFile => {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(formType) ?? [];
  const delimiter = `--${quoted ?? plain}\r\n`;
  let charset: string | undefined;
  let at = body.indexOf(delimiter) === 0 ? 0 : body.indexOf(`\r\n${delimiter}`);
  for (let count = 0; at !== -1 && count < limits.parts; count += 1) {
    const window = body.toString('latin1', at, at + limits.headerSize);
    const head = window.slice(0, window.indexOf('\r\n\r\n'));
    const [, name] = /^content-disposition:.*?[; ]name="?([^";\r\n]*)/im.exec(head) ?? [];
    if (name === field) charset = /^content-type:.*?; *charset="?([\w.:+-]+)/im.exec(head)?.[1];
    at = body.indexOf(`\r\n${delimiter}`, at + 1);
  }
  return charset === undefined ? file : { ...file, contentType: `${file.contentType}; charset=${charset}` };
};
