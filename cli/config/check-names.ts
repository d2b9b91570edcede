/** Refuses unknown names in the file and unknown variables: they are typing errors. */

import type { Variables } from './interpolate.ts';
import { isServiceLink, type Key, type Table, variableOf } from './key.ts';
import { isMap } from './kinds.ts';
import { foreign } from './nat-names.ts';
import { nearest } from './nearest.ts';
import { type ConfigReader, orMeant } from './reader.ts';

/** Entries of these are checked where they are read. */
const byEntry = ['authentication', 'general.front_end.endpoints'];

/** The variable with the path of the file. */
export const fileVariable = 'FERMATA_CONFIG';

export const checkNames = (reader: ConfigReader, keys: Table): void => {
  const settings = new Set(Object.values(keys).map(({ path }) => path));
  const names = [...settings, ...foreign.keys(), ...byEntry];
  const sections = new Set(names.flatMap(sectionsOf));
  const known = [...names, ...sections];

  const refuse = (path: readonly string[]): void => {
    const elsewhere = known.find((full) => full.split('.').at(-1) === path.at(-1));
    if (elsewhere === undefined) reader.refuseName(path, namesIn(path.slice(0, -1).join('.'), known));
    else reader.refuse(path, `there is no such setting${orMeant(elsewhere)}`);
  };

  const check = (section: readonly string[]): void => {
    const entries = Object.entries(reader.lookUp(section) as Readonly<Record<string, unknown>>);
    for (const [name, value] of entries) {
      const path = [...section, name];
      const full = path.join('.');
      const verdict = foreign.get(full);
      if (verdict !== undefined) reader.judge(verdict, path, value);
      else if (isMap(value) && sections.has(full)) check(path);
      else if (sections.has(full) && value !== null) reader.refuse(path, 'expected a map');
      else if (!sections.has(full) && !settings.has(full) && !byEntry.includes(full)) {
        refuse(path);
      }
    }
  };
  check([]);
};

const sectionsOf = (path: string): string[] => {
  const steps = path.split('.');
  return steps.slice(1).map((_, at) => steps.slice(0, at + 1).join('.'));
};

const namesIn = (section: string, known: readonly string[]): string[] => {
  const start = section === '' ? '' : `${section}.`;
  const inside = known.filter((full) => full.startsWith(start)).map((full) => full.slice(start.length));
  return inside.map((rest) => rest.replace(/\..*/, ''));
};

/** Errors in the names of our variables. Messages never contain values. */
export const unknownVariables = (variables: Variables, keys: Table): string[] => {
  const known = [fileVariable, ...Object.values(keys).map((key: Key<unknown>) => variableOf(key))];
  return Object.entries(variables)
    .filter(([name, value]) => name.startsWith('FERMATA_') && !known.includes(name) && !isServiceLink(name, value))
    .map(([name]) => `${name}: there is no such variable${orMeant(nearest(name, known))}`);
};
