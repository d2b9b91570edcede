/** Whether replies are what an OpenAPI document says of them. */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { HttpReply } from './given.ts';

type Responses = Record<string, { $ref?: string; content?: Record<string, unknown> }>;
export type Document = {
  servers: { url: string }[];
  paths: Record<string, Record<string, { operationId: string; responses: Responses }>>;
  components: { responses: Responses; schemas: Record<string, unknown> };
};

/**
 * Gives a check of one reply. `operation` is a method and a path as the document has them. Only the statuses that it names
 * are good for `status`; those that may happen to every request are asked for by `isDefault`.
 */
export const replyCheckerOf = (document: Document) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'document', false, false);

  return (operation: string, { status, headers, body }: HttpReply, { isDefault = false } = {}): void => {
    const [method = '', path = ''] = operation.split(' ');
    const responses = document.paths[path]?.[method.toLowerCase()]?.responses;
    assert.ok(responses, `${operation} is described`);
    assert.equal(responses[status] === undefined, isDefault, `${operation} answers ${status}`);
    const at = isDefault
      ? ['components', 'responses', 'Refused']
      : ['paths', path, method.toLowerCase(), 'responses', `${status}`];
    const { content } = isDefault ? document.components.responses.Refused! : responses[status]!;
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    if (content === undefined) {
      assert.equal(body, undefined, `${operation} ${status} has no body`);
      return;
    }
    assert.ok(type in content, `${operation} ${status} may be ${type}`);

    const pointer = [...at, 'content', type, 'schema'].map(segmentOf).join('/');
    const validate = ajv.compile({ $ref: `document#/${pointer}` });

    assert.ok(validate(body), `${operation} ${status}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  };
};

const segmentOf = (name: string): string => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
