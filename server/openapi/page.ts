/** The reference of the routes as a page. It has no script and loads nothing, and its policy allows no more. */
import { createHash } from 'node:crypto';
import type { JsonSchema } from '../../runtime/index.ts';
import { type Answer, type Content, type Parameter, problem, tags } from '../http/about.ts';
import { escapeHtml as shown } from '../http/escape-html.ts';
import type { Route } from '../http/route.ts';
import { type Described, type DocumentOptions, describedRoutes, templateOf } from './document.ts';
import { Schemas } from './schemas.ts';

/** Throws like `openApiOf`. */
export const pageOf = (routes: readonly Route[], options: DocumentOptions): string => {
  const title = shown(`${options.title} ${options.version}`);
  const described = describedRoutes(routes);
  const schemas = new Schemas();
  schemas.contentOf(problem);
  const sections = Object.entries(tags).flatMap(([tag, meaning]) => {
    const those = described.filter(({ about }) => about.tag === tag);
    return those.length === 0
      ? []
      : [`<h2>${tag}</h2>\n<p>${meaning}</p>\n${those.map((one) => operation(one, schemas)).join('')}`];
  });
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title}</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <h1>${title}</h1>
    <p>For programs: <a href="${shown(options.rootPath)}/openapi.json">openapi.json</a></p>
    ${sections.join('\n')}
    <h2>schemas</h2>
    ${Object.entries(schemas.all).map(schemaEntry).join('')}
  </body>
</html>
`;
};

const STYLE = `
  :root { color-scheme: light dark; }
  body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  summary { padding: 0.3rem 0; cursor: pointer; }
  details > :not(summary) { margin-left: 1.2rem; }
  table { border-collapse: collapse; }
  th, td { padding: 0.2rem 1rem 0.2rem 0; text-align: left; vertical-align: top; }
  pre { overflow-x: auto; }
`;

/** Only this style is allowed. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const operation = ({ method, path, about }: Described, schemas: Schemas): string => {
  const { summary, description, parameters = [], body, answers } = about;
  return `<details><summary><code><b>${method}</b> ${shown(templateOf(path))}</code> ${shown(summary)}</summary>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
${body === undefined ? '' : `<p>Takes ${contentOf(body, schemas)}</p>`}
<table>
${parameters.map(parameterRow).join('')}${Object.entries(answers)
  .map((answer) => answerRow(answer, schemas))
  .join('')}</table></details>
`;
};

const parameterRow = ({ name, in: place, description, schema }: Parameter): string =>
  `<tr><th>${shown(name)}</th><td>${place}: ${prose(description)}</td><td>${schemaOf(schema)}</td></tr>\n`;

const answerRow = ([status, { description, content }]: [string, Answer], schemas: Schemas): string =>
  `<tr><th>${status}</th><td>${prose(description)}</td><td>${content === undefined ? '' : contentOf(content, schemas)}</td></tr>\n`;

const contentOf = (content: Content, schemas: Schemas): string =>
  Object.entries(schemas.contentOf(content))
    .map(([type, { schema }]) => `<code>${shown(type)}</code>: ${schemaOf(schema)}`)
    .join('<br>');

const schemaOf = (schema: JsonSchema): string => {
  const { $ref, type } = schema;
  const choices = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(choices)) return (choices as JsonSchema[]).map(schemaOf).join(' or ');
  if (typeof $ref === 'string') return linked($ref);
  const isPlain = typeof type === 'string' && Object.keys(schema).length === 1;
  return `<code>${isPlain ? type : shown(JSON.stringify(schema))}</code>`;
};

const schemaEntry = ([name, schema]: [string, JsonSchema]): string =>
  `<details><summary>${shown(name)}</summary><pre id="${shown(name)}">${linked(JSON.stringify(schema, null, 2))}</pre></details>\n`;

/** Text between backticks is code. */
const prose = (text: string): string => shown(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** A link to a schema finds it unfolded: browsers open the element of the target. */
const linked = (json: string): string =>
  shown(json).replace(/#\/components\/schemas\/([\w.-]+)/g, '<a href="#$1">$1</a>');
