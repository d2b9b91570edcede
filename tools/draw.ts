/** `npm run draw` draws the machines into `docs/machines`. The docs and `fermata graph` use these drawings. */
import { writeFile } from 'node:fs/promises';
import { builderMachine } from '../machines/builder.ts';
import { graphOf } from '../machines/drawing/graph.ts';
import { layoutOf } from '../machines/drawing/layout.ts';
import { svgOf } from '../machines/drawing/svg.ts';
import { executionMachine } from '../machines/execution.ts';
import { managerMachine } from '../machines/manager.ts';

for (const machine of [executionMachine, builderMachine, managerMachine]) {
  const picture = new URL(`../docs/machines/${machine.id}.svg`, import.meta.url);
  await writeFile(picture, svgOf(await layoutOf(graphOf(machine))));
}
