/** The values of the vault in the database, and the names that one process has at a time. */
import { z } from 'zod';
import type { ValueChange } from '../changes.ts';
import { type Counts, sumOf } from '../counts.ts';
import type { Claims, StoredValues } from '../stored-vault.ts';
import type { VaultKind } from '../vault.ts';
import type { PostgresReader } from './reader.ts';

const valueRow = z.object({ value: z.string() });
const entryRow = z.object({ key: z.string(), value: z.string() });
const claimRow = z.object({ name: z.string() });

/** How long a claim outlives its process, and the interval in which a process renews its claims. */
const CLAIM = "interval '15 s'";
const RENEWED_MS = 5_000;

export class Values implements StoredValues, Claims {
  readonly claims: Claims = this;
  readonly #reader: PostgresReader;
  readonly #node: string;
  readonly #claimed = new Set<string>();
  #renewal: NodeJS.Timeout | undefined;

  constructor(reader: PostgresReader, node: string) {
    this.#reader = reader;
    this.#node = node;
  }

  async vault(kind: VaultKind, key: string): Promise<string | undefined> {
    const sql = 'SELECT value FROM vault WHERE kind = $1 AND key = $2';
    return (await this.#reader.rows(valueRow, 'value', sql, kind, key))[0]?.value;
  }

  async vaultEntries(kind: VaultKind, prefix: string, after: string, limit: number | undefined) {
    const sql =
      'SELECT key, value FROM vault WHERE kind = $1 AND key >= $2 AND key < $3 AND key > $4 ORDER BY key LIMIT $5';
    const rows = await this.#reader.rows(entryRow, 'values', sql, kind, prefix, `${prefix}\x7f`, after, limit ?? null);
    return rows.map(({ key, value }) => [key, value] as const);
  }

  /** Repeated after a reply that was lost, it gives what the process has. */
  async claim(name: string): Promise<boolean> {
    const sql = `
      INSERT INTO claims (name, node, until) VALUES ($1, $2, clock_timestamp() + ${CLAIM})
      ON CONFLICT (name) DO UPDATE SET node = EXCLUDED.node, until = EXCLUDED.until
      WHERE claims.node = EXCLUDED.node OR claims.until < clock_timestamp() RETURNING name`;
    const isClaimed = (await this.#reader.rows(claimRow, 'claim', sql, name, this.#node)).length > 0;
    if (!isClaimed) return false;
    this.#claimed.add(name);
    this.#renewal ??= setInterval(() => this.#renew(), RENEWED_MS).unref();
    return true;
  }

  /** A claim that cannot be deleted now ends by itself. */
  release(name: string): void {
    this.#claimed.delete(name);
    if (this.#claimed.size === 0) this.close();
    const sql = 'DELETE FROM claims WHERE name = $1 AND node = $2';
    this.#reader.rows(claimRow, 'release', sql, name, this.#node).catch(() => {});
  }

  close(): void {
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  /** A provider may take longer than a claim. */
  #renew(): void {
    const sql = `UPDATE claims SET until = clock_timestamp() + ${CLAIM} WHERE name = ANY($1) AND node = $2`;
    this.#reader.rows(claimRow, 'renew', sql, [...this.#claimed], this.#node).catch(() => {});
  }
}

/** The part of the write that changes values, and its parameters. `before`: the number of earlier parameters. */
export const valuesOf = (changes: readonly ValueChange[], before: number) => {
  const last = new Map<string, ValueChange>();
  for (const change of changes) {
    const place = `${change.kind} ${change.key}`;
    const earlier = last.get(place);
    if (earlier?.isAdded !== true) last.set(place, change);
    else if (change.isAdded) last.set(place, { ...change, text: added(earlier, change) });
  }
  const all = [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change); // so that processes rarely deadlock
  return {
    text: VALUES(before),
    parameters: [
      all.map(({ kind }) => kind),
      all.map(({ key }) => key),
      all.map(({ text }) => text ?? null),
      all.map(({ replaced }) => replaced ?? null),
      all.map(({ isAdded }) => isAdded ?? false),
    ],
  };
};

const added = ({ text: a }: ValueChange, { text: b }: ValueChange): string =>
  JSON.stringify(sumOf(JSON.parse(a!), JSON.parse(b!)));

const COUNTS: Readonly<Record<keyof Counts, string>> = {
  createdAt: 'least(a."createdAt", b."createdAt")',
  lastActivity: 'greatest(a."lastActivity", b."lastActivity")',
  totalRequests: 'a."totalRequests" + b."totalRequests"',
  errorCount: 'a."errorCount" + b."errorCount"',
  totalLatencyMs: 'a."totalLatencyMs" + b."totalLatencyMs"',
};
const sums = Object.entries(COUNTS).map(([name, sum]) => `'${name}', ${sum}`);
const columns = Object.keys(COUNTS).map((name) => `"${name}" float8`);

const VALUES = (before: number): string => `
  v AS (
    SELECT * FROM unnest($${before + 1}::text[], $${before + 2}::text[], $${before + 3}::text[], $${before + 4}::text[], $${before + 5}::bool[])
      AS v(kind, key, value, replaced, added)
  ),
  put AS (
    INSERT INTO vault (kind, key, value) SELECT kind, key, value FROM v
    WHERE value IS NOT NULL AND replaced IS NULL AND NOT added
    ON CONFLICT (kind, key) DO UPDATE SET value = EXCLUDED.value
  ),
  counted AS (
    INSERT INTO vault (kind, key, value) SELECT kind, key, value FROM v WHERE added
    ON CONFLICT (kind, key) DO UPDATE SET value = (
      SELECT json_build_object(${sums.join(', ')})::text
      FROM json_to_record(vault.value::json) AS a(${columns.join(', ')}),
        json_to_record(EXCLUDED.value::json) AS b(${columns.join(', ')})
    )
  ),
  replaced AS (
    UPDATE vault SET value = v.value FROM v
    WHERE v.value IS NOT NULL AND vault.kind = v.kind AND vault.key = v.key AND vault.value = v.replaced
  ),
  removed AS (
    DELETE FROM vault USING v
    WHERE v.value IS NULL AND vault.kind = v.kind AND vault.key = v.key AND (v.replaced IS NULL OR vault.value = v.replaced)
  )`;
