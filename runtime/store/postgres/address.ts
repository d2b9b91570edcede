/** The address of a database. */
import { Failure } from '../../errors.ts';

export interface Address {
  readonly urls: readonly string[];
  /** For messages: hosts and database, without user and password. */
  readonly name: string;
}

/** `postgres://user:password@first:5432,second:5432/database?sslmode=require` */
export const readAddress = (url: string): Address => {
  const [, scheme, login = '', hosts = '', rest = ''] =
    /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*)@)?([^/?#]*)([^#]*)$/i.exec(url) ?? [];
  const database = /^\/([^?/]+)/.exec(rest)?.[1];
  if (scheme === undefined || database === undefined) {
    const detail =
      'data: expected postgres://user:password@host:port/database, with several hosts separated by commas.';
    throw new Failure('options_invalid', { detail });
  }
  const urls = hosts.split(',').map((host) => `postgres://${login}${host || 'localhost'}${rest}`);
  return { urls, name: `${hosts || 'localhost'}/${decodeURIComponent(database)}` };
};

export const isPostgres = (data: string): boolean => /^postgres(ql)?:/i.test(data);
