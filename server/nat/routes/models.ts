/** The models that OpenAI's clients can ask for: the workflows that are served as chat completions, by the base of their path. */
import type { z } from 'zod';
import { refused } from '../../http/about.ts';
import { refusal } from '../../http/problem.ts';
import { json } from '../../http/problems.ts';
import type { Route } from '../../http/route.ts';
import { route } from '../../wire/route.ts';
import type { ServedWorkflow } from '../../wire/served.ts';
import { modelBody, modelListBody } from '../bodies.ts';
import { withOpenAiError } from '../chat/openai.ts';

type Model = z.infer<typeof modelBody>;

/** A path that does not end so says nothing of where its clients look for models. */
const COMPLETIONS = '/chat/completions';

/** `since`: epoch milliseconds from which on they are served. */
export const modelRoutes = (served: readonly ServedWorkflow[], since: number): Route[] => {
  const byBase = new Map<string, Map<string, Model>>();
  const settings = new Map<string, string>();
  for (const { workflow, paths, setting } of served) {
    const path = paths.openaiApiV1Path ?? '';
    if (paths.method === 'GET' || !path.endsWith(COMPLETIONS)) continue;
    const base = path.slice(0, -COMPLETIONS.length);
    const models = byBase.get(base) ?? new Map<string, Model>();
    if (!settings.has(base)) settings.set(base, `${setting}.openai_api_v1_path`);
    const created = Math.floor(since / 1000);
    byBase.set(base, models.set(workflow.name, { id: workflow.name, object: 'model', created, owned_by: 'fermata' }));
  }
  return [...byBase].flatMap(([base, models]) =>
    routesAt(base, models).map((route) => ({ ...route, setting: settings.get(base)! })),
  );
};

const routesAt = (base: string, models: ReadonlyMap<string, Model>): Route[] => [
  route({
    method: 'GET',
    path: `${base}/models`,
    reply: modelListBody,
    about: {
      tag: 'chat',
      credential: 'none',
      summary: 'The workflows with chat completions, in the form of OpenAI models',
      answers: { 200: 'The served workflows.' },
    },
    handle: () => json(200, { object: 'list', data: Array.from(models.values()) }),
  }),
  route({
    method: 'GET',
    path: `${base}/models/*`, // a name may have slashes
    reply: modelBody,
    about: {
      tag: 'chat',
      credential: 'none',
      summary: 'One of these workflows',
      answers: { 200: 'It is served.', 404: refused('There is no such workflow.') },
    },
    handle: ({ params: { '*': model = '' } }) => {
      const found = models.get(model);
      if (found !== undefined) return json(200, found);
      const detail = `There is no model ${model}; there are ${[...models.keys()].join(', ')}.`;
      return withOpenAiError(refusal(404, detail));
    },
  }),
];
