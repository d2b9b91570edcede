/** What holds for every setting, whichever there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { readConfig, type ServerConfig } from '../../../cli/config/read.ts';
import { names, settings } from '../../../cli/config/schema.ts';
import { flagName, type Setting, variableOf } from '../../../cli/config/setting.ts';
import { Failure } from '../../../runtime/index.ts';

const counts = fc.integer({ min: 1, max: 100_000 });
const durations = fc.constantFrom<unknown>('PT30M', '00:00:30', 1800, 'P1DT1H', 0.5);
const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 3 });
const pathOf = (name: string) => fc.constantFrom<unknown>(`/${name}`, `/api/${name}`, null);

/** Values that fit, for every setting; no two of them exclude each other. */
const fitting: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'fermata.adapter': fc.constantFrom('uws', 'node'),
  'general.front_end.host': fc.constantFrom('localhost', '0.0.0.0', '::1', 'a.example'),
  'general.front_end.port': fc.integer({ min: 0, max: 65_535 }),
  'general.front_end.root_path': fc.constantFrom('/api', '/a/b'),
  'general.front_end.workflow.method': fc.constant('POST'),
  'general.front_end.workflow.path': pathOf('run'),
  'general.front_end.workflow.websocket_path': pathOf('socket'),
  'general.front_end.workflow.openai_api_path': pathOf('talk'),
  'general.front_end.workflow.openai_api_v1_path': pathOf('completions'),
  'general.front_end.workflow.legacy_path': pathOf('old-run'),
  'general.front_end.workflow.legacy_openai_api_path': pathOf('old-talk'),
  'general.front_end.oauth2_callback_path': pathOf('back'),
  'general.front_end.disable_legacy_routes': fc.boolean(),
  'general.front_end.enable_interactive_extensions': fc.boolean(),
  'general.front_end.step_adaptor.mode': fc.constantFrom('default', 'custom', 'off'),
  'general.front_end.step_adaptor.custom_event_types': fc.constantFrom(['LLM_END'], ['TOOL_START', 'TOOL_END']),
  'general.front_end.cors.allow_origins': words,
  'general.front_end.cors.allow_origin_regex': fc.constant('https://.*'),
  'general.front_end.cors.allow_methods': fc.constant(['GET', 'POST']),
  'general.front_end.cors.allow_headers': words,
  'general.front_end.cors.allow_credentials': fc.constant(false), // with any origin it is refused
  'general.front_end.cors.expose_headers': words,
  'general.front_end.cors.max_age': counts,
  'general.per_user_workflow_timeout': durations,
  'general.enable_per_user_monitoring': fc.boolean(),
  'fermata.console': fc.boolean(),
  'fermata.cancel_on_disconnect': fc.boolean(),
  'fermata.data': fc.constantFrom('/var/executions', 'here'),
  'fermata.memory': fc.constant(false),
  'fermata.max_data_bytes': counts,
  'fermata.data_secret': fc.constant('a secret of some length'),
  'fermata.max_concurrency': counts,
  'fermata.max_queued': counts,
  'fermata.max_builders': counts,
  'fermata.retention': durations,
  'fermata.max_record_bytes': fc.integer({ min: 1, max: 2 ** 40 }),
  'fermata.max_settled': counts,
  'fermata.rest_after': durations,
  'fermata.hibernate_after': durations,
  'fermata.max_recoveries': fc.integer({ min: 1, max: 100 }),
  'fermata.parked_timeout': durations,
  'fermata.prompt_grace': durations,
  'fermata.oauth_timeout': durations,
  'fermata.bind_consents': fc.boolean(),
  'fermata.consent_return_origins': fc.constantFrom(['https://app.example'], 'https://a.example,https://b.example'),
  'fermata.token_retention': durations,
  'fermata.max_consents': counts,
  'fermata.max_journal_facts': counts,
  'fermata.max_journal_bytes': counts,
  'fermata.stop_timeout': durations,
  'fermata.lease': durations,
  'fermata.stall_timeout': durations,
  'fermata.max_body_bytes': counts,
  'fermata.max_header_bytes': fc.integer({ min: 1_024, max: 100_000 }),
  'fermata.request_timeout': durations,
  'fermata.async_jobs': fc.boolean(),
  'fermata.object_store': fc.constantFrom('memory', '/var/files'),
  'fermata.max_file_bytes': counts,
  'fermata.max_store_bytes': counts,
  'fermata.websocket.max_message_bytes': counts,
  'fermata.websocket.messages_per_second': counts,
  'fermata.websocket.idle_timeout': fc.constantFrom<unknown>('PT30S', 60),
  'fermata.operator_key': fc.constant('an operator key of some length'),
  'general.front_end.identity_header': fc.constant(undefined),
  'general.front_end.accepted_identity_credentials': fc.constant(['session_cookie', 'jwt']),
  'general.front_end.identity_authentication': fc.constant(undefined),
  'fermata.shared_anonymous_names': fc.boolean(),
  'fermata.trust_proxy': fc.constantFrom<unknown>(['loopback'], ['10.0.0.0/8', '::1']),
  'fermata.allowed_hosts': fc.constant(['a.example', '.b.example']),
  'fermata.user_ids': fc.constantFrom('nat', 'by_kind'),
  'fermata.jwt.secret': fc.constant('a shared secret of thirty-two bytes, or more'),
  'fermata.jwt.public_key': fc.constant(undefined),
  'fermata.jwt.public_key_file': fc.constant(undefined),
  'fermata.jwt.jwks_url': fc.constant(undefined),
  'fermata.jwt.jwks_timeout': durations,
  'fermata.jwt.issuer': words,
  'fermata.jwt.audience': words,
  'fermata.jwt.algorithms': fc.constant(['HS256', 'HS512']),
  'fermata.jwt.allow_without_expiry': fc.boolean(),
  'fermata.jwt.clock_tolerance': durations,
  'fermata.jwt.allow_unverified': fc.constant(false),
  'fermata.log_level': fc.constantFrom('debug', 'silent'),
};

/** A few settings, each with a value and the place where it is set. */
const some = fc.subarray(Object.keys(fitting)).chain((names) =>
  fc.record({
    values: fc.record(Object.fromEntries(names.map((name) => [name, fitting[name]!]))),
    places: fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom('file', 'variable', 'flag')]))),
  }),
);

type Values = Readonly<Record<string, unknown>>;

const settingOf = (name: string): Setting => settings.find((one) => one.name === name)!;

const fileOf = (values: Values): string => {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const steps = name.split('.');
    let section = root;
    for (const step of steps.slice(0, -1)) section = (section[step] ??= {}) as Record<string, unknown>;
    section[steps.at(-1) ?? ''] = value;
  }
  return stringify(root);
};

/** A JWT needs a key: these are nothing without one. */
const complete = (values: Values): Values => {
  const isAboutJwt = ['fermata.jwt.issuer', 'fermata.jwt.audience', 'fermata.jwt.algorithms'].some(
    (name) => name in values,
  );
  const given = isAboutJwt
    ? { 'fermata.jwt.secret': 'a shared secret of thirty-two bytes, or more', ...values }
    : values;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};

const inFile = (values: Values): ServerConfig => readConfig({ text: fileOf(values), env: {} });

test('any settings that fit are accepted together, and mean the same in the file, as variables and as options', () => {
  fc.assert(
    fc.property(some, ({ values: given, places }) => {
      const values = complete(given);
      const placed = (...wanted: string[]) =>
        Object.entries(values).filter(([name]) => wanted.includes(placeOf(name, places[name])));
      const texts = (entries: [string, unknown][], nameFor: (setting: Setting) => string) =>
        Object.fromEntries(entries.map(([name, value]) => [nameFor(settingOf(name)), String(value)]));

      const scattered = readConfig({
        text: fileOf(Object.fromEntries(placed('file'))),
        env: texts(placed('variable'), variableOf),
        flags: texts(placed('flag'), (setting) => flagName(setting) ?? ''),
      });

      assert.deepEqual(unplaced(scattered), unplaced(inFile(values)));
    }),
    { numRuns: 200 },
  );
});

/** In the file, one path takes the others away; and few settings are options. */
const placeOf = (name: string, wanted = 'file'): string => {
  if (name.startsWith('general.front_end.workflow.')) return 'file';
  return wanted === 'flag' && flagName(settingOf(name)) === undefined ? 'variable' : wanted;
};

/** Warnings say where something stands, and name the variable or option that sets it. */
const unplaced = (config: ServerConfig) => ({
  ...config,
  warnings: config.warnings.map((warning) => warning.replace(/^[^:]*:| \(.*\)$/g, '')),
});

test('every setting is read: another value makes another configuration', () => {
  const others: Readonly<Record<string, unknown>> = {
    'general.front_end.workflow.method': undefined, // only with other paths
    'general.front_end.step_adaptor.custom_event_types': undefined, // only with mode custom
    'fermata.jwt.public_key': undefined,
    'fermata.jwt.public_key_file': undefined,
    'fermata.jwt.jwks_url': undefined,
    'fermata.jwt.jwks_timeout': undefined, // only with a key
    'fermata.jwt.clock_tolerance': undefined,
    'fermata.jwt.allow_without_expiry': undefined,
    'general.front_end.identity_header': 'x-user',
    'general.front_end.identity_authentication': undefined, // only with entries that it names
    'fermata.jwt.allow_unverified': true,
    'general.front_end.cors.allow_credentials': true,
    'fermata.memory': true,
  };
  const before = readConfig({ env: {} });
  assert.deepEqual(settings.map(({ name }) => name).sort(), Object.keys(fitting).sort());
  for (const { name } of settings) {
    const value = name in others ? others[name] : differing(name);
    if (value === undefined) continue;

    assert.notDeepEqual(inFile(complete({ [name]: value })), before, name);
  }
});

const differing = (name: string): unknown => {
  const { schema } = settingOf(name);
  const initial = schema.safeParse(undefined).data;
  return fc.sample(fitting[name]!, 50).find((value) => value !== null && schema.safeParse(value).data !== initial);
};

const sections = ['', 'general', 'general.front_end', 'general.front_end.cors', 'fermata', 'fermata.jwt'];
const isPartOf = (path: string): boolean => names.some(({ name }) => `${name}.`.startsWith(`${path}.`));

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
