import { executionPaths, tried } from './execution-model.ts';

console.time('p');
const ps = executionPaths();
console.timeEnd('p');
let edges = 0,
  refused = 0,
  steps = 0;
for (const p of ps)
  for (const e of tried(p.state)) {
    if (p.state.can(e)) {
      edges++;
      steps += p.events.length + 1;
    } else refused++;
  }
console.log(ps.length, edges, refused, steps, Math.max(...ps.map((p) => p.events.length)));
console.log(
  ps
    .map((p) => JSON.stringify(p.state.value) + p.events.length)
    .slice(0, 200)
    .join('\n'),
);
