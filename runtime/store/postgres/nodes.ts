/**
 * The processes that share the database: its nodes. Each has a row with a lease, by the clock of the database. The id is made anew
 * at each start, so no process is mistaken for the one before it.
 *
 * The lease decides which executions the others take. It never decides what is written: that is compared by number and owner.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { Archive } from '../archive.ts';
import type { Cluster, ClusterCounts, NodeView, ServedVersion } from '../cluster.ts';
import { explained } from '../explain.ts';
import type { Beating, Beats, Told } from './beats.ts';
import type { Row } from './database.ts';
import { Lease, type LeaseTime } from './lease.ts';
import type { Statement } from './statement.ts';

export interface NodeOptions {
  readonly urls: readonly string[];
  readonly leaseMs: number;
  readonly stallTimeoutMs: number;
  readonly time?: LeaseTime | undefined;
  readonly beat: (beating: Beating) => Beats;
}

const due = z.array(z.object({ id: z.string(), settled_at: z.number().nullable(), due_at: z.number() }));
const views = z.array(
  z.object({
    id: z.string(),
    address: z.string(),
    startedAt: z.number(),
    leaseMs: z.number(),
    serves: z.array(z.object({ workflow: z.string(), version: z.string() })),
    executions: z.int(),
  }),
);
const registered = z.tuple([z.object({ now: z.number() })]);
const taken = z.array(z.object({ id: z.string(), n: z.int() }));

export class Node implements Cluster {
  readonly id = randomUUID();
  readonly #options: NodeOptions;
  readonly #lease: Lease;
  readonly #query: (statement: Statement) => Promise<Row[]>;
  #serves: readonly ServedVersion[] | undefined;
  #beats: Beats | undefined;
  /** The last state that was reported. */
  #wasValid = true;
  /** It may own executions that it does not know of: they have left memory, or the reply to a take was lost. */
  #isUnsure = false;
  #hasLeft = false;
  lostWrites = 0;
  #taken = 0;
  /** How often its lease has ended: others may have taken what it owned before. */
  losses = 0;
  #changed: (isValid: boolean) => void = () => {};
  /** It has let go of this execution; undefined: of all. */
  hasLetGo: (executionId?: string) => void = () => {};
  #othersLetGo: () => void = () => {};

  /** `query` executes a statement, and rejects if the database cannot be reached. */
  constructor(query: (statement: Statement) => Promise<Row[]>, options: NodeOptions) {
    this.#query = query;
    this.#options = options;
    this.#lease = new Lease(options.leaseMs, options.time);
  }

  /** From now on the others take it for alive. */
  async join(): Promise<void> {
    await this.#register();
    const { urls, stallTimeoutMs: stallMs, beat } = this.#options;
    this.#beats = beat({ urls, node: this.id, lease: this.#lease, stallMs, told: (what) => this.#told(what) });
    await this.#beats.begun;
  }

  get isValid(): boolean {
    if (this.#hasLeft) return false;
    if (this.#lease.isValid) return this.#wasValid;
    this.#lost();
    return false;
  }

  get offsetMs(): number {
    return this.#lease.offsetMs;
  }

  onChange(changed: (isValid: boolean) => void): void {
    this.#changed = changed;
  }

  async serve(workflows: readonly ServedVersion[]): Promise<void> {
    this.#serves = workflows;
    await this.#register();
  }

  async take(limit: number): Promise<readonly string[]> {
    if (!this.isValid) return [];
    const isUnsure = this.#isUnsure;
    this.#isUnsure = false;
    let rows: Row[];
    try {
      rows = isUnsure ? await this.#ask({ name: 'own', text: OWN, values: [this.id] }) : [];
      rows.push(...(await this.#ask({ name: 'take', text: TAKE, values: [this.id, limit] })));
    } catch (error) {
      this.#isUnsure = true;
      throw error;
    }
    this.#taken += rows.length;
    return taken
      .parse(rows)
      .sort((a, b) => a.n - b.n)
      .map(({ id }) => id);
  }

  /** Each is given to one process: the claim is its due time. */
  async due(now: number, limit: number, claimedUntil?: number): Promise<Awaited<ReturnType<Archive['due']>>> {
    const rows = due.parse(
      await this.#ask({ name: 'due', text: DUE, values: [now, limit, this.id, claimedUntil ?? null] }),
    );
    return rows
      .sort((a, b) => a.due_at - b.due_at)
      .map(({ id, settled_at }) => ({ id, isSettled: settled_at !== null }));
  }

  async owns(executionId: string): Promise<boolean> {
    return (await this.#ask({ name: 'owns', text: OWNS, values: [executionId, this.id] })).length > 0;
  }

  get counts(): ClusterCounts {
    return { lostWrites: this.lostWrites, leaseLosses: this.losses, taken: this.#taken };
  }

  async nodes(): Promise<readonly NodeView[]> {
    const rows = views.parse(await this.#ask({ name: 'nodes', text: NODES, values: [] }));
    return rows.map((row) => ({ ...row, isThis: row.id === this.id }));
  }

  async handOver(executionId: string, version: ServedVersion, isServed: boolean): Promise<boolean> {
    const values = [executionId, this.id, !isServed, JSON.stringify([version])];
    const rows = await this.#ask({ name: 'hand over', text: HAND_OVER, values });
    if (rows.length > 0) this.hasLetGo(executionId);
    return rows.length > 0;
  }

  onLetGo(letGo: () => void): void {
    this.#othersLetGo = letGo;
  }

  othersLetGo(): void {
    if (!this.#hasLeft) this.#othersLetGo();
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    const rows = await this.#ask({ name: 'leave', text: LEAVE, values: [this.id] });
    if (rows.length > 0) this.hasLetGo();
  }

  /** What it still owns is taken by the others at once; if that cannot be written, when its lease ends. */
  async close(): Promise<void> {
    await this.#beats?.close();
    await this.leave().catch(() => {});
  }

  async #ask(statement: Statement): Promise<Row[]> {
    try {
      return await this.#query(statement);
    } catch (cause) {
      const detail = `The database cannot be asked at the moment: ${explained(cause)}`;
      throw new Failure('store_unavailable', { detail, cause, retryAfterMs: 1_000 });
    }
  }

  async #register(): Promise<void> {
    const extended = this.#lease.sending();
    const serves = this.#serves === undefined ? null : JSON.stringify(this.#serves);
    const values = [this.id, this.#lease.lengthMs, `${hostname()} ${process.pid}`, serves];
    const [{ now }] = registered.parse(await this.#ask({ name: 'register', text: REGISTER, values }));
    extended(now);
  }

  #told(what: Told): void {
    if (this.#hasLeft) return;
    if (what === 'late') this.#lost();
    else if (what === 'unknown') this.#forgotten();
    else if (!this.#wasValid && this.#lease.isValid) this.#tell(true);
  }

  /** Others take it for dead. */
  #forgotten(): void {
    this.#lost();
    this.#register().catch(() => {}); // its next extension fails too, and it is tried again
  }

  #lost(): void {
    if (this.#wasValid && !this.#hasLeft) this.#tell(false);
  }

  /** In a turn of its own: the caller may be in the middle of something. */
  #tell(isValid: boolean): void {
    this.#wasValid = isValid;
    if (isValid) this.#isUnsure = true;
    else this.losses += 1;
    setImmediate(() => this.#changed(isValid));
  }
}

/** A node that is dead for so long is not shown any more. */
const FORGOTTEN = "interval '1 hour'";

const REGISTER = `
  WITH gone AS (DELETE FROM nodes WHERE expires_at < clock_timestamp() - ${FORGOTTEN} AND id <> $1)
  INSERT INTO nodes (id, expires_at, started_at, address, serves)
  VALUES ($1, clock_timestamp() + $2::float8 * interval '1 ms', clock_timestamp(), $3, $4::jsonb)
  ON CONFLICT (id) DO UPDATE SET expires_at = EXCLUDED.expires_at, serves = EXCLUDED.serves
  RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`;

const NODES = `
  SELECT id, address, (extract(epoch FROM started_at) * 1000)::float8 AS "startedAt",
    (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS "leaseMs", coalesce(serves, '[]') AS serves,
    (SELECT count(*)::int FROM executions e WHERE e.node = nodes.id) AS executions
  FROM nodes WHERE expires_at > clock_timestamp() - ${FORGOTTEN} ORDER BY started_at, id`;

const LEAVE = `
  WITH gone AS (DELETE FROM nodes WHERE id = $1)
  UPDATE executions SET node = NULL WHERE node = $1 RETURNING id`;

const HAND_OVER = `
  UPDATE executions SET node = NULL WHERE id = $1 AND node = $2
    AND ($3::bool OR EXISTS (SELECT FROM nodes n WHERE n.expires_at > clock_timestamp() AND n.serves @> $4::jsonb))
  RETURNING id`;

const OWN = 'SELECT id, n FROM executions WHERE node = $1';

const OWNS = 'SELECT n FROM executions WHERE id = $1 AND node = $2';

/** Those that this process executes, or none. What the statement locks is skipped by others, and is not due for them afterwards. */
const DUE = `
  WITH d AS (
    SELECT n, due_at FROM executions WHERE due_at <= $1 AND (node IS NULL OR node = $3)
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  UPDATE executions e SET due_at = coalesce($4, d.due_at) FROM d WHERE e.n = d.n RETURNING e.id, e.settled_at, d.due_at`;

/**
 * Executions of owners without a lease, and those without an owner, each for one node. The owners are found one after the other by
 * the index, so the cost does not depend on the number of executions that others execute. An execution is taken by a node that
 * serves its version; if there is none, by one that serves its workflow. Any node takes an execution that cannot be replayed, and ends it.
 */
const TAKE = `
  WITH RECURSIVE owners AS (
    (SELECT node FROM executions WHERE node IS NOT NULL ORDER BY node LIMIT 1)
    UNION ALL
    SELECT (SELECT e.node FROM executions e WHERE e.node > o.node ORDER BY e.node LIMIT 1) FROM owners o WHERE o.node IS NOT NULL
  ),
  lost AS (
    SELECT node FROM owners WHERE node <> $1
      AND NOT EXISTS (SELECT FROM nodes n WHERE n.id = owners.node AND n.expires_at > clock_timestamp())
  ),
  left_behind AS (
    SELECT e.n FROM executions e WHERE e.node IN (SELECT node FROM lost) AND IS_FOR_ME LIMIT $2 FOR UPDATE OF e SKIP LOCKED
  ),
  let_go AS (
    SELECT e.n FROM executions e WHERE e.works AND e.node IS NULL AND IS_FOR_ME ORDER BY e.n LIMIT $2 FOR UPDATE OF e SKIP LOCKED
  )
  UPDATE executions e SET node = $1 FROM (SELECT n FROM left_behind UNION SELECT n FROM let_go) f WHERE e.n = f.n
  RETURNING e.id, e.n`
  .replaceAll(
    'IS_FOR_ME',
    `(NOT e.replays OR EXISTS (
      SELECT FROM nodes me WHERE me.id = $1 AND me.expires_at > clock_timestamp() AND (
        me.serves IS NULL OR me.serves @> VERSION OR (me.serves @> WORKFLOW AND NOT EXISTS (
          SELECT FROM nodes o WHERE o.expires_at > clock_timestamp() AND o.serves @> VERSION)))))`,
  )
  .replaceAll('VERSION', "jsonb_build_array(jsonb_build_object('workflow', e.workflow, 'version', e.version))")
  .replaceAll('WORKFLOW', "jsonb_build_array(jsonb_build_object('workflow', e.workflow))");
