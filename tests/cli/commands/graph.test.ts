import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builderMachine } from '../../../machines/builder.ts';
import { graphOf } from '../../../machines/drawing/graph.ts';
import { layoutOf } from '../../../machines/drawing/layout.ts';
import { mermaidOf } from '../../../machines/drawing/mermaid.ts';
import { statelyOf } from '../../../machines/drawing/stately.ts';
import { svgOf } from '../../../machines/drawing/svg.ts';
import { executionMachine } from '../../../machines/execution.ts';
import { managerMachine } from '../../../machines/manager.ts';
import { type FermataProcess, fermata } from '../../support/process.ts';

const printed = async (process: FermataProcess): Promise<string> => {
  assert.equal(await process.ended, 0, process.stderr);
  return process.stdout;
};

test('every machine is drawn in every format', async (t) => {
  const [mermaid, json, svg] = await Promise.all([
    printed(fermata(t, ['graph'])),
    printed(fermata(t, ['graph', 'manager', '--format', 'json'])),
    printed(fermata(t, ['graph', 'builder', '--format', 'svg'])),
  ]);

  assert.equal(mermaid, `${mermaidOf(graphOf(executionMachine))}\n`);
  assert.deepEqual(JSON.parse(json), statelyOf(managerMachine));
  assert.equal(svg, svgOf(await layoutOf(graphOf(builderMachine))));
});
