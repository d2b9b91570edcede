/**
 * Mail: facts for executions that another process executes.
 *
 * M1  A fact is written together with the outcome of its letter, in one statement, which builds on the last fact of the execution.
 *     So of two processes that offer the fact of a letter, one is refused.
 * M2  A letter is offered by the process that executes the execution, or by any process while none does.
 * M3  A refusal is written only while the execution has the facts that refuse it.
 */
import { z } from 'zod';
import type { Letter, Mail, MailOutcome } from '../archive.ts';
import type { PostgresReader } from './reader.ts';

const letterRow = z.object({ key: z.string(), id: z.string(), fact: z.string() });
const outcomeRow = z.object({ key: z.string(), outcome: z.boolean().nullable(), free: z.boolean() });
const keyRow = z.object({ key: z.string() });

export class PostgresMail implements Mail {
  readonly #reader: PostgresReader;
  readonly #node: string;
  readonly remind: (executionId: string) => void;
  readonly #answers = new WeakMap<object, string>();

  constructor(reader: PostgresReader, node: string, hint: (executionId: string) => void) {
    this.#reader = reader;
    this.#node = node;
    this.remind = hint;
  }

  async post({ key, executionId, fact }: Letter): Promise<void> {
    const sql =
      'INSERT INTO mail (key, n, fact) SELECT $1, n, $3 FROM executions WHERE id = $2 ON CONFLICT (key) DO NOTHING';
    await this.#reader.rows(keyRow, 'post', sql, key, executionId, JSON.stringify(fact));
    this.remind(executionId);
  }

  async open(executionIds?: readonly string[]): Promise<readonly Letter[]> {
    const values = executionIds === undefined ? [this.#node] : [this.#node, executionIds];
    const which = executionIds === undefined ? '' : 'AND e.id = ANY($2)';
    const sql = `
      SELECT m.key, e.id, m.fact FROM mail m JOIN executions e USING (n)
      WHERE m.outcome IS NULL AND (e.node IS NULL OR e.node = $1) ${which} ORDER BY m.n, m.key`;
    const rows = await this.#reader.rows(letterRow, `mail ${which}`, sql, ...values);
    return rows.map(({ key, id, fact }) => ({ key, executionId: id, fact: JSON.parse(fact) as Letter['fact'] }));
  }

  async outcomes(keys: readonly string[]): Promise<ReadonlyMap<string, MailOutcome>> {
    const sql = `
      SELECT m.key, m.outcome, e.node IS NULL OR e.node = $2 AS free FROM mail m JOIN executions e USING (n)
      WHERE m.key = ANY($1)`;
    const rows = await this.#reader.rows(outcomeRow, 'outcomes', sql, keys, this.#node);
    return new Map(rows.map(({ key, outcome, free }) => [key, outcomeOf(outcome, free)]));
  }

  answers(fact: object, key: string): void {
    this.#answers.set(fact, key);
  }

  /** The key of the letter that a fact answers. */
  keyOf(fact: object): string | undefined {
    return this.#answers.get(fact);
  }

  async refuse({ key, executionId }: Letter, seq: number): Promise<void> {
    const sql = `
      WITH held AS (
        SELECT n FROM executions WHERE id = $2 AND (node = $4 OR (node IS NULL AND seq = $3)) FOR SHARE
      )
      UPDATE mail SET outcome = false FROM held WHERE mail.n = held.n AND mail.key = $1 AND mail.outcome IS NULL`;
    await this.#reader.rows(keyRow, 'refuse', sql, key, executionId, seq, this.#node);
    this.remind(executionId);
  }

  async remove(key: string): Promise<void> {
    await this.#reader.rows(keyRow, 'read mail', 'DELETE FROM mail WHERE key = $1', key);
  }
}

const outcomeOf = (outcome: boolean | null, isFree: boolean): MailOutcome => {
  if (outcome !== null) return outcome ? 'accepted' : 'refused';
  return isFree ? 'free' : 'sent';
};
