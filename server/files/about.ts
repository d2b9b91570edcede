/** Descriptions of the routes of files. */
import { z } from 'zod';
import { bytes, refused, refusedBody, refusedWithProblem } from '../http/about.ts';
import type { AboutRoute } from '../wire/route.ts';

const noFile = refused('There is no such file.');
const foreign = refused('Pages of this origin may not write files.');

const form = z
  .object({ file: z.string().meta({ contentMediaType: 'application/octet-stream' }) })
  .meta({ id: 'FileUpload' });

export const aboutFile: AboutRoute = {
  tag: 'files',
  summary: 'A file',
  answers: { 200: { description: 'Its bytes.', content: bytes }, 404: noFile },
  credential: 'none',
};

export const aboutUpload = (creates: boolean): AboutRoute => ({
  tag: 'files',
  summary: creates ? 'Creates a file' : 'Creates or replaces a file',
  body: { 'multipart/form-data': form },
  answers: {
    200: 'It is stored.',
    400: refused('The path or the form is invalid.'),
    403: foreign,
    ...(creates && { 409: refused('The file exists already.') }),
    413: refusedWithProblem('The file is too large.'),
    422: refusedBody('The form has no file.'),
    507: refusedWithProblem('The store is full.'),
  },
});

export const aboutDelete: AboutRoute = {
  tag: 'files',
  summary: 'Deletes a file',
  answers: { 204: 'Done.', 403: foreign, 404: noFile },
};
