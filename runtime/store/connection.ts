/** The database library of the store. */
import type Database from 'libsql';

export type Connection = InstanceType<typeof Database>;
