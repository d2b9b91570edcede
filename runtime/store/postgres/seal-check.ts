/**
 * All processes of a database need the same secret: what one encrypts, each has to read. The first one stores an encrypted text, which
 * the others open at their start.
 */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { Seal } from '../seal.ts';
import type { Row } from './database.ts';
import type { Statement } from './statement.ts';

const TEXT = 'fermata';
/** No encrypted text is so short. */
const NONE = 'none';

const checks = z.array(z.object({ value: z.string() }));
const nodes = z.array(z.object({ address: z.string() }));

/** `node`: this process, which is registered. Throws `options_invalid` if other processes have another secret. */
export const checkSeal = async (
  ask: (statement: Statement) => Promise<Row[]>,
  { seal, node, name }: { readonly seal: Seal | undefined; readonly node: string; readonly name: string },
): Promise<void> => {
  const own = seal?.close(TEXT) ?? NONE;
  await ask({ name: 'seal', text: ADD, values: [own] });
  const read = async (text: string, values: unknown[] = []): Promise<string | undefined> =>
    checks.parse(await ask({ name: text === READ ? 'sealed' : 'reseal', text, values }))[0]?.value;
  let stored = await read(READ);
  if (stored === NONE && seal !== undefined) stored = (await read(REPLACE, [own, node])) ?? (await read(READ));
  if (stored === undefined) throw invalid(`The database ${name} was changed while it was opened. Start again.`);
  if (stored === NONE && seal === undefined) return;
  if (stored === NONE) {
    const others = nodes.parse(await ask({ name: 'others', text: OTHERS, values: [node] }));
    const who = others.map(({ address }) => address).join(', ');
    throw invalid(
      `The database ${name} is in use by servers without FERMATA_DATA_SECRET, and this one has it: ${who}. All servers of a database need the same one: stop those, and start them with it.`,
    );
  }
  if (seal?.open(stored) === TEXT) return;
  const fault = seal === undefined ? 'this server has none' : 'this server has another one';
  throw invalid(
    `The database ${name} is encrypted with a FERMATA_DATA_SECRET, and ${fault}. Start it with the same one. If that secret is lost, stop all servers and give up what is encrypted: DELETE FROM fermata.settings WHERE name = 'seal_check'. Users are then asked for consent again.`,
  );
};

const ADD = "INSERT INTO settings (name, value) VALUES ('seal_check', $1) ON CONFLICT DO NOTHING";

const READ = "SELECT value FROM settings WHERE name = 'seal_check' FOR SHARE";

const IS_OTHER = 'id <> $IT AND expires_at > clock_timestamp()';

/** A database without a secret gets one when no process uses it without. */
const REPLACE = `
  UPDATE settings SET value = $1 WHERE name = 'seal_check' AND value = '${NONE}'
    AND NOT EXISTS (SELECT FROM nodes WHERE ${IS_OTHER.replace('$IT', '$2')}) RETURNING value`;

const OTHERS = `SELECT address FROM nodes WHERE ${IS_OTHER.replace('$IT', '$1')} ORDER BY address`;

const invalid = (detail: string): Failure => new Failure('options_invalid', { detail });
