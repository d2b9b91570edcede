/** The database file of a store, opened beside it as another program opens it. */
import { join } from 'node:path';
import Database from 'libsql';

/** Its statements wait while the store writes. The caller closes it. */
export const openDatabase = (directory: string): Database.Database => {
  const database = new Database(join(directory, 'fermata.db'));
  database.exec('PRAGMA busy_timeout = 20000');
  return database;
};

export const execute = (directory: string, sql: string): void => {
  const database = openDatabase(directory);
  database.exec(sql);
  database.close();
};
