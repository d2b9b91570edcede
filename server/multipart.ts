/** Forms with files (RFC 7578): the one file that a route asks for. */
import { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';

export interface FormFile {
  /** Lower-case media type, without parameters. `text/plain` where none was given, as the RFC says. */
  readonly contentType: string;
  readonly data: Buffer;
}

/** More parts, or larger headers of one, have nothing to do with the file that is looked for. */
const limits = { parts: 100, headerPairs: 50, headerSize: 16_384, fieldNameSize: 200, fieldSize: 1 };

/**
 * The file in the field of that name, the last one if there are several; undefined if there is none, or if the body is no
 * such form. Rejects with an error if it says that it is one, and cannot be read as one.
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
    form.on('finish', () => resolve(found));
    pieces.pipe(form);
  });
};

/** Small ones, so that reading stops soon where it is told to. */
const pieceBytes = 65_536;

function* piecesOf(body: Buffer | undefined): Generator<Buffer, void> {
  for (let at = 0; body !== undefined && at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}
