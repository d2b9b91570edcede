/**
 * Opens a notebook file for each user. All runs of a user share it. It is deleted when the user has been idle for a
 * while (`general.per_user_workflow_timeout`) or the server stops.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workflow } from 'fermata';
import { z } from 'zod';

export default workflow({
  name: 'notebook',
  input: z.object({ note: z.string().min(1) }),
  output: z.object({ notes: z.number(), file: z.string() }),
  perUser: {
    // Deferred functions run in reverse order, also if the build fails halfway.
    async build(_user, scope) {
      const folder = await mkdtemp(join(tmpdir(), 'fermata-notebook-'));
      scope.defer(() => rm(folder, { recursive: true }));
      const path = join(folder, 'notes.txt');
      const file = await open(path, 'a');
      scope.defer(() => file.close());
      return { path, file, notes: 0 };
    },
  },
  async run({ note }, ctx, notebook) {
    // A step, so that a replay does not write the note twice.
    const notes = await ctx.step('write', async () => {
      await notebook.file.appendFile(`${note}\n`);
      notebook.notes += 1;
      return notebook.notes;
    });
    return { notes, file: notebook.path };
  },
});
