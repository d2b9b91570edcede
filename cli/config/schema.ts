/** The schema of the whole file. A new setting is one entry in one of its sections. */
import { z } from 'zod';
import { type Setting, settingsOf } from './setting.ts';
import { fermata } from './settings-of-fermata.ts';
import { general, sectionsOfNat } from './settings-of-nat.ts';

export const schema = z.strictObject({
  general,
  authentication: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ holds: 'a map of providers', isEntries: true, nullIsUnset: true }),
  fermata,
  ...sectionsOfNat,
});

/** All names of the file. */
export const names: readonly Setting[] = settingsOf(schema);

/** Every setting with a variable. */
export const settings: readonly Setting[] = names.filter((one) => !one.natOnly && !one.isEntries);

export type Values = z.output<typeof schema>;
