/** What holds for every setting, whichever there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { flagName, type Key, variableOf } from '../../../cli/config/key.ts';
import { foreign } from '../../../cli/config/nat-names.ts';
import { keys, readConfig, type ServerConfig } from '../../../cli/config/read.ts';
import { Failure } from '../../../runtime/index.ts';

type Name = keyof typeof keys;

const counts = fc.integer({ min: 1, max: 100_000 });
const durations = fc.constantFrom<unknown>('PT30M', '00:00:30', 1800, 'P1DT1H', 0.5);
const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 3 });
const pathOf = (name: string) => fc.constantFrom<unknown>(`/${name}`, `/api/${name}`, null);

/** Values that fit, for every setting; no two of them exclude each other. */
const fitting: { [Setting in Name]: fc.Arbitrary<unknown> } = {
  adapter: fc.constantFrom('uws', 'node'),
  host: fc.constantFrom('localhost', '0.0.0.0', '::1', 'a.example'),
  port: fc.integer({ min: 0, max: 65_535 }),
  rootPath: fc.constantFrom('/api', '/a/b'),
  method: fc.constant('POST'),
  path: pathOf('run'),
  websocketPath: pathOf('socket'),
  openaiApiPath: pathOf('talk'),
  openaiApiV1Path: pathOf('completions'),
  legacyPath: pathOf('old-run'),
  legacyOpenaiApiPath: pathOf('old-talk'),
  oauthCallbackPath: pathOf('back'),
  disableLegacyRoutes: fc.boolean(),
  enableInteractiveExtensions: fc.boolean(),
  stepMode: fc.constantFrom('default', 'custom', 'off'),
  stepEvents: fc.constantFrom(['LLM_END'], ['TOOL_START', 'TOOL_END']),
  allowOrigins: words,
  allowOriginRegex: fc.constant('https://.*'),
  allowMethods: fc.constant(['GET', 'POST']),
  allowHeaders: words,
  allowCredentials: fc.constant(false), // with any origin it is refused
  exposeHeaders: words,
  maxAgeS: counts,
  builderIdleMs: durations,
  monitorUsers: fc.boolean(),
  console: fc.boolean(),
  cancelOnDisconnect: fc.boolean(),
  data: fc.constantFrom('/var/executions', 'here'),
  memory: fc.constant(false),
  maxDataBytes: counts,
  dataSecret: fc.constant('a secret of some length'),
  maxConcurrency: counts,
  maxQueued: counts,
  maxBuilders: counts,
  retentionMs: durations,
  maxRecordBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  maxSettled: counts,
  restAfterMs: durations,
  hibernateAfterMs: durations,
  maxRecoveries: fc.integer({ min: 1, max: 100 }),
  parkedTimeoutMs: durations,
  promptGraceMs: durations,
  oauthTimeoutMs: durations,
  maxConsents: counts,
  maxJournalFacts: counts,
  maxJournalBytes: counts,
  stopTimeoutMs: durations,
  maxBodyBytes: counts,
  maxHeaderBytes: fc.integer({ min: 1_024, max: 100_000 }),
  requestTimeoutMs: durations,
  asyncJobs: fc.boolean(),
  objectStore: fc.constantFrom('memory', '/var/files'),
  maxFileBytes: counts,
  maxStoreBytes: counts,
  maxMessageBytes: counts,
  messagesPerSecond: counts,
  socketIdleMs: fc.constantFrom<unknown>('PT30S', 60),
  operatorKey: fc.constant('an operator key of some length'),
  identityHeader: fc.constant(undefined),
  acceptedCredentials: fc.constant(['session_cookie', 'jwt']),
  identityAuthentication: fc.constant(undefined),
  sharedAnonymousNames: fc.boolean(),
  trustProxy: fc.constantFrom<unknown>(['loopback'], ['10.0.0.0/8', '::1']),
  allowedHosts: fc.constant(['a.example', '.b.example']),
  userIds: fc.constantFrom('nat', 'by_kind'),
  jwtSecret: fc.constant('a shared secret of thirty-two bytes, or more'),
  jwtPublicKey: fc.constant(undefined),
  jwtPublicKeyFile: fc.constant(undefined),
  jwksUrl: fc.constant(undefined),
  jwksTimeoutMs: durations,
  jwtIssuer: words,
  jwtAudience: words,
  jwtAlgorithms: fc.constant(['HS256', 'HS512']),
  jwtAllowWithoutExpiry: fc.boolean(),
  jwtClockToleranceMs: durations,
  allowUnverifiedJwts: fc.constant(false),
  logLevel: fc.constantFrom('debug', 'silent'),
};

/** A few settings, each with a value and the place where it is set. */
const settings = fc.subarray(Object.keys(fitting) as Name[]).chain((names) =>
  fc.record({
    values: fc.record(Object.fromEntries(names.map((name) => [name, fitting[name]]))),
    places: fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom('file', 'variable', 'flag')]))),
  }),
);

type Values = Readonly<Record<string, unknown>>;

const keyOf = (name: string): Key<unknown> => keys[name as Name];

const fileOf = (values: Values): string => {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const steps = keyOf(name).path.split('.');
    let section = root;
    for (const step of steps.slice(0, -1)) section = (section[step] ??= {}) as Record<string, unknown>;
    section[steps.at(-1) ?? ''] = value;
  }
  return stringify(root);
};

/** A JWT needs a key: these are nothing without one. */
const complete = (values: Values): Values => {
  const isAboutJwt = ['jwtIssuer', 'jwtAudience', 'jwtAlgorithms'].some((name) => name in values);
  const given = isAboutJwt ? { jwtSecret: 'a shared secret of thirty-two bytes, or more', ...values } : values;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};

const inFile = (values: Values): ServerConfig => readConfig({ text: fileOf(values), env: {} });

test('any settings that fit are accepted together, and mean the same in the file, as variables and as options', () => {
  fc.assert(
    fc.property(settings, ({ values: given, places }) => {
      const values = complete(given);
      const placed = (...wanted: string[]) =>
        Object.entries(values).filter(([name]) => wanted.includes(placeOf(name, places[name])));
      const texts = (entries: [string, unknown][], nameFor: (key: Key<unknown>) => string) =>
        Object.fromEntries(entries.map(([name, value]) => [nameFor(keyOf(name)), String(value)]));

      const scattered = readConfig({
        text: fileOf(Object.fromEntries(placed('file'))),
        env: texts(placed('variable'), variableOf),
        flags: texts(placed('flag'), (key) => flagName(key) ?? ''),
      });

      assert.deepEqual(unplaced(scattered), unplaced(inFile(values)));
    }),
    { numRuns: 200 },
  );
});

/** In the file, one path takes the others away; and few settings are options. */
const placeOf = (name: string, wanted = 'file'): string => {
  if (keyOf(name).path.startsWith('general.front_end.workflow.')) return 'file';
  return wanted === 'flag' && flagName(keyOf(name)) === undefined ? 'variable' : wanted;
};

/** Warnings say where something stands. */
const unplaced = (config: ServerConfig) => ({
  ...config,
  warnings: config.warnings.map((warning) => warning.replace(/ \(.*\)$/, '')),
});

test('every setting is read: another value makes another configuration', () => {
  const others: { [Setting in Name]?: unknown } = {
    method: undefined, // only with other paths
    stepEvents: undefined, // only with mode custom
    jwtPublicKey: undefined,
    jwtPublicKeyFile: undefined,
    jwksUrl: undefined,
    jwksTimeoutMs: undefined, // only with a key
    jwtClockToleranceMs: undefined,
    jwtAllowWithoutExpiry: undefined,
    identityHeader: 'x-user',
    identityAuthentication: undefined, // only with entries that it names
    allowUnverifiedJwts: true,
    allowCredentials: true,
    memory: true,
  };
  const before = readConfig({ env: {} });
  for (const name of Object.keys(keys) as Name[]) {
    const value = name in others ? others[name] : differing(name);
    if (value === undefined) continue;

    assert.notDeepEqual(inFile(complete({ [name]: value })), before, name);
  }
});

const differing = (name: Name): unknown =>
  fc.sample(fitting[name], 50).find((value) => value !== null && keyOf(name).kind.parse(value) !== keyOf(name).initial);

const sections = ['', 'general', 'general.front_end', 'general.front_end.cors', 'fermata', 'fermata.jwt'];
const known = [...Object.values<Key<unknown>>(keys).map(({ path }) => path), ...foreign.keys()];
const isPartOf = (path: string): boolean =>
  [...known, 'authentication', 'general.front_end.endpoints'].some((full) => `${full}.`.startsWith(`${path}.`));

const unknownNames = fc
  .tuple(fc.constantFrom(...sections), fc.stringMatching(/^[a-z][a-z_]{0,24}$/))
  .map(([section, name]) => (section === '' ? name : `${section}.${name}`))
  .filter((path) => !isPartOf(path));

test('any name that is not a setting is refused by its name, wherever it stands', () => {
  fc.assert(
    fc.property(unknownNames, fc.constantFrom(null, 1, 'x', {}, []), (path, value) => {
      const text = stringify(path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value));

      assert.throws(
        () => readConfig({ text, env: {} }),
        (thrown) => {
          assert.ok(thrown instanceof Failure);
          return thrown.message.includes(`  ${path}: there is no such setting`);
        },
      );
    }),
    { numRuns: 200 },
  );
});

test('a file of any text is a configuration or a refusal, and nothing else', () => {
  const pieces = fc.constantFrom(
    'general',
    'fermata',
    'front_end',
    'port',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '"',
    "'",
    '|',
    '8000',
    '${',
    '!!binary ',
    '<<',
    ', ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        readConfig({ text: parts.join(''), env: {} });
      } catch (thrown) {
        assert.ok(thrown instanceof Failure, String(thrown));
      }
    }),
    { numRuns: 1_000 },
  );
});
