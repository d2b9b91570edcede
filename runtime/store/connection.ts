/** The library that reads and writes the file of a store. */
import type Database from 'libsql';

export type Connection = InstanceType<typeof Database>;
