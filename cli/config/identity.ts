/** Reads the identity settings: operators, JWTs and their issuers, and a trusted proxy. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure } from '../../runtime/index.ts';
import { createNetwork } from '../../server/http/network.ts';
import { createIdentifier, type IdentityOptions } from '../../server/identity/identifier.ts';
import type { IssuerOptions } from '../../server/identity/issuers.ts';
import { whyUnreadable } from './file.ts';
import { issuerKeys } from './identity-keys.ts';
import type { ValuesOf } from './key.ts';
import { isMap } from './kinds.ts';
import type { natKeys } from './nat-keys.ts';
import type { ownKeys } from './own-keys.ts';
import { present } from './present.ts';
import type { ConfigReader } from './reader.ts';

type Values = ValuesOf<typeof ownKeys> & ValuesOf<typeof natKeys>;

export const readNetwork = (reader: ConfigReader, { host, trustProxy, allowedHosts }: Values) => {
  try {
    createNetwork({ host, trustProxy, allowedHosts });
  } catch (thrown) {
    reader.refuse(['fermata', 'trust_proxy'], Failure.from(thrown).message.replace(/^trustProxy /, ''));
  }
  return { trustProxy, allowedHosts };
};

/** `folder` is the base of a relative `public_key_file`. */
export const readIdentity = (reader: ConfigReader, values: Values, folder: string): IdentityOptions => {
  const { operatorKey, userIds, allowUnverifiedJwts, identityHeader: header, acceptedCredentials: accepted } = values;
  const operator = present({ operatorKey });
  const jwt = readJwt(reader, values, folder);
  const users = present({ jwt, issuers: readIssuers(reader, values), header, accepted, userIds, allowUnverifiedJwts });
  // In two parts, because each reports only its first problem.
  for (const part of [operator, users]) {
    const problem = identityProblem(part);
    if (problem !== undefined) reader.refuse(problem.path, problem.what);
  }
  return { ...operator, ...users };
};

const readJwt = (reader: ConfigReader, values: Values, folder: string): IdentityOptions['jwt'] => {
  const { jwtSecret: secret, jwtPublicKey, jwtPublicKeyFile, jwksUrl, allowUnverifiedJwts } = values;
  const checks = present({ issuer: values.jwtIssuer, audience: values.jwtAudience, algorithms: values.jwtAlgorithms });
  const keys = [secret, jwtPublicKey, jwtPublicKeyFile, jwksUrl].filter((given) => given !== undefined);
  const isMeant = keys.length > 0 || Object.keys(checks).length > 0;
  const path = ['fermata', 'jwt'];
  if (!isMeant) return undefined;
  if (allowUnverifiedJwts) {
    reader.refuse(path, 'allow_unverified excludes every other setting here');
    return undefined;
  }
  if (keys.length !== 1) {
    reader.refuse(path, 'needs exactly one of secret, public_key, public_key_file and jwks_url');
    return undefined;
  }
  const publicKey =
    jwtPublicKeyFile === undefined ? jwtPublicKey : readKeyFile(reader, resolve(folder, jwtPublicKeyFile));
  if (publicKey === '') return undefined;
  const { jwksTimeoutMs, jwtClockToleranceMs, jwtAllowWithoutExpiry } = values;
  const times = { jwksTimeoutMs, clockToleranceS: jwtClockToleranceMs / 1_000 };
  const lasting = jwtAllowWithoutExpiry ? { allowWithoutExpiry: true } : {};
  return { ...present({ secret, publicKey, jwksUrl }), ...checks, ...times, ...lasting };
};

const issuerType = 'jwt';

export const isIssuer = (entry: unknown): boolean => isMap(entry) && entry._type === issuerType;

/** The issuers that `identity_authentication` names. Other entries have no effect. */
const readIssuers = (reader: ConfigReader, { identityAuthentication: names }: Values): IssuerOptions[] | undefined => {
  const path = ['general', 'front_end', 'identity_authentication'];
  const found = reader.lookUp(['authentication']);
  const entries = isMap(found) ? found : {};
  for (const name of Object.keys(entries)) {
    if (!isIssuer(entries[name]) || names?.includes(name)) continue;
    reader.warn(['authentication', name], `has no effect, since ${path.join('.')} does not name it`);
  }
  if (names === undefined) return undefined;
  return names.flatMap((name) => {
    if (!Object.hasOwn(entries, name) || !isIssuer(entries[name])) {
      reader.refuse(path, `expected names of entries of authentication with _type: jwt, got ${JSON.stringify(name)}`);
      return [];
    }
    const values = reader.entry(issuerKeys, ['authentication', name], new Map([['_type', () => 'accepted']]));
    return values === undefined ? [] : [{ ...values, scopes: [...values.scopes] }];
  });
};

/** Empty without a valid one, after reporting the problem. */
const readKeyFile = (reader: ConfigReader, file: string): string => {
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

const frontEnd = ['general', 'front_end'];
const inFile: Readonly<Record<string, readonly string[]>> = {
  operatorKey: ['fermata', 'operator_key'],
  'jwt.publicKey': ['fermata', 'jwt', 'public_key'],
  'jwt.jwksUrl': ['fermata', 'jwt', 'jwks_url'],
  header: [...frontEnd, 'identity_header'],
  accepted: [...frontEnd, 'accepted_identity_credentials'],
  issuers: [...frontEnd, 'identity_authentication'],
};

/** Problems that the options detect themselves. Their messages begin with the name of the option. */
const identityProblem = (options: IdentityOptions): { path: string[]; what: string } | undefined => {
  try {
    createIdentifier(options);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const [name = '', ...what] = thrown.message.split(' ');
    const option = name.replace(/:$/, '');
    return { path: [...(inFile[option] ?? ['fermata', ...option.split('.')])], what: what.join(' ') };
  }
};
