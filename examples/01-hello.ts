/** The smallest workflow: an input and a result. */
import { workflow } from 'fermata';
import { z } from 'zod';

export default workflow({
  name: 'hello',
  input: z.object({ name: z.string().min(1) }),
  output: z.object({ greeting: z.string() }),
  run: ({ name }) => ({ greeting: `Hello, ${name}!` }),
});
