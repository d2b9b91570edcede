/** Descriptions of the routes of files. */
import { type About, json, ref, refusal, refusedWithProblem } from '../http/about.ts';

const noFile = refusal('There is no such file.');
const foreign = refusal('Pages of this origin may not write files.');
const anyFile = { '*/*': {} };

export const aboutFile: About = {
  tag: 'files',
  summary: 'A file',
  answers: { 200: { description: 'Its bytes.', content: anyFile }, 404: noFile },
  credential: 'none',
};

export const aboutUpload = (creates: boolean): About => ({
  tag: 'files',
  summary: creates ? 'Creates a file' : 'Creates or replaces a file',
  body: { 'multipart/form-data': ref('FileUpload') },
  answers: {
    200: { description: 'It is stored.', content: json(ref('StoredFile')) },
    400: refusal('The path or the form is invalid.'),
    403: foreign,
    ...(creates && { 409: refusal('The file exists already.') }),
    413: refusedWithProblem('The file is too large.'),
    422: { description: 'The form has no file.', content: json(ref('ValidationRefusal')) },
    507: refusedWithProblem('The store is full.'),
  },
});

export const aboutDelete: About = {
  tag: 'files',
  summary: 'Deletes a file',
  answers: { 204: { description: 'Done.' }, 403: foreign, 404: noFile },
};
