/** Reads the identity settings: operators, JWTs and their issuers. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure } from '../../runtime/index.ts';
import { createIdentifier } from '../../server/identity/identifier.ts';
import type { IssuerOptions } from '../../server/identity/issuers.ts';
import type { IdentityOptions } from '../../server/identity/options.ts';
import { issuer } from './credentials.ts';
import { whyUnreadable } from './file.ts';
import { isMap } from './kinds.ts';
import { camelled, present } from './option-names.ts';
import type { Reader } from './reader.ts';
import type { Values } from './schema.ts';

/** `folder` is the base of a relative `public_key_file`. */
export const readIdentity = (reader: Reader, values: Values, folder: string): IdentityOptions => {
  const { operator_key: operatorKey, user_ids: userIds, jwt: jwtValues } = values.fermata;
  const { identity_header: header, accepted_identity_credentials: accepted } = values.general.front_end;
  const operator = present({ operatorKey });
  const jwt = readJwt(reader, jwtValues, folder);
  const issuers = readIssuers(reader, values);
  const users = present({ jwt, issuers, header, accepted, userIds, allowUnverifiedJwts: jwtValues.allow_unverified });
  // In two parts, because each reports only its first problem.
  refuseOption(reader, () => createIdentifier(operator));
  refuseOption(reader, () => createIdentifier(users));
  return { ...operator, ...users };
};

const readJwt = (reader: Reader, values: Values['fermata']['jwt'], folder: string): IdentityOptions['jwt'] => {
  const { secret, publicKey, publicKeyFile, jwksUrl, issuer, audience, algorithms, ...others } = camelled(values);
  const checks = present({ issuer, audience, algorithms });
  const keys = [secret, publicKey, publicKeyFile, jwksUrl].filter((given) => given !== undefined);
  const path = ['fermata', 'jwt'];
  if (keys.length === 0 && Object.keys(checks).length === 0) return undefined;
  if (others.allowUnverified) {
    reader.refuse(path, 'allow_unverified excludes every other setting here');
    return undefined;
  }
  if (keys.length !== 1) {
    reader.refuse(path, 'needs exactly one of secret, public_key, public_key_file and jwks_url');
    return undefined;
  }
  const pem = publicKeyFile === undefined ? publicKey : readKeyFile(reader, resolve(folder, publicKeyFile));
  if (pem === '') return undefined;
  const times = { jwksTimeoutMs: others.jwksTimeout, clockToleranceS: others.clockTolerance / 1_000 };
  const lasting = others.allowWithoutExpiry ? { allowWithoutExpiry: true } : {};
  return { ...present({ secret, publicKey: pem, jwksUrl }), ...checks, ...times, ...lasting };
};

/** Empty without a valid one, after reporting the problem. */
const readKeyFile = (reader: Reader, file: string): string => {
  const path = ['fermata', 'jwt', 'public_key_file'];
  try {
    const key = readFileSync(file, 'utf8');
    if (key === '') reader.refuse(path, 'the file is empty');
    return key;
  } catch (thrown) {
    reader.refuse(path, whyUnreadable(thrown));
    return '';
  }
};

export const isIssuer = (entry: unknown): boolean => isMap(entry) && entry._type === 'jwt';

/** The issuers that `identity_authentication` names. Other entries have no effect. */
const readIssuers = (reader: Reader, { general, authentication }: Values): IssuerOptions[] | undefined => {
  const path = ['general', 'front_end', 'identity_authentication'];
  const { identity_authentication: names } = general.front_end;
  const known = Object.keys(authentication).filter((name) => isIssuer(authentication[name]));
  for (const name of known) {
    if (names?.includes(name)) continue;
    reader.warn(['authentication', name], `has no effect, since ${path.join('.')} does not name it`);
  }
  const issuers = names?.flatMap((name) => {
    if (!known.includes(name)) {
      reader.refuse(path, `expected names of entries of authentication with _type: jwt, got ${JSON.stringify(name)}`);
      return [];
    }
    const values = reader.read(issuer, ['authentication', name]);
    if (values === undefined) return [];
    const { _type, timeout: timeoutMs, leeway: leewayS, ...own } = values;
    return [{ ...camelled(own), timeoutMs, leewayS }];
  });
  return issuers?.length === 0 && names?.length !== 0 ? undefined : issuers; // all of them are refused already
};

const frontEnd = ['general', 'front_end'];
/** Of options whose setting has another name. */
const settingOf: Readonly<Record<string, readonly string[]>> = {
  header: [...frontEnd, 'identity_header'],
  accepted: [...frontEnd, 'accepted_identity_credentials'],
  issuers: [...frontEnd, 'identity_authentication'],
  jwt: ['fermata', 'jwt'],
  allowUnverifiedJwts: ['fermata', 'jwt', 'allow_unverified'],
};

/** Reports the problem of an option that `create` detects. Its message begins with the name of the option. */
export const refuseOption = (reader: Reader, create: () => unknown): void => {
  try {
    create();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const [, option = '', what = ''] = /^(\S+?):? (.*)$/s.exec(thrown.message) ?? [];
    const steps = option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).split('.');
    reader.refuse(settingOf[option] ?? ['fermata', ...steps], what.startsWith('excludes ') ? inSettings(what) : what);
  }
};

const inSettings = (what: string): string => what.replace(/\w+/g, (word) => settingOf[word]?.join('.') ?? word);
