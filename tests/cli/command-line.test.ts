import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommandLine } from '../../cli/command-line.ts';
import { settings } from '../../cli/config/schema.ts';
import { flagName, variableOf } from '../../cli/config/setting.ts';

/** Without the line breaks of the help, which fall anywhere. */
const printed = (...typed: string[]): { text: string; exitCode: number } => {
  const invocation = readCommandLine(typed);
  assert.ok(invocation.run === 'print');
  return { text: invocation.text.replace(/\s+/g, ' '), exitCode: invocation.exitCode };
};

test('serve takes a module, the file and options, in any order', () => {
  const invocation = readCommandLine([
    'serve',
    '--port',
    '80',
    'approval.ts',
    '--root-path=/api',
    '--config',
    'a.yaml',
  ]);

  assert.deepEqual(invocation, {
    run: 'serve',
    modules: ['approval.ts'],
    file: 'a.yaml',
    flags: { '--port': '80', '--root-path': '/api' },
  });
});

test('an option that is said by its name alone is a setting like the others', () => {
  const invocation = readCommandLine(['serve', 'a.ts', '--memory']);

  assert.deepEqual(invocation, { run: 'serve', modules: ['a.ts'], file: undefined, flags: { '--memory': 'true' } });
});

test('serve needs nothing but a module', () => {
  assert.deepEqual(readCommandLine(['serve', 'a.ts']), { run: 'serve', modules: ['a.ts'], file: undefined, flags: {} });
});

test('graph draws the execution as Mermaid, unless told otherwise', () => {
  assert.deepEqual(readCommandLine(['graph']), { run: 'graph', machine: 'execution', format: 'mermaid' });
  assert.deepEqual(readCommandLine(['graph', 'builder', '--format=svg']), {
    run: 'graph',
    machine: 'builder',
    format: 'svg',
  });
});

const slips: [typed: string[], said: RegExp, help?: string][] = [
  [['serv', 'a.ts'], /unknown command 'serv' \(Did you mean serve\?\)/, 'fermata --help'],
  [['serve', 'a.ts', '--prot', '80'], /unknown option '--prot' \(Did you mean --port\?\)/],
  [['serve', 'a.ts', '--root_path', '/a'], /unknown option '--root_path' \(Did you mean --root-path\?\)/],
  [['serve'], /missing required argument 'module'/],
  [['serve', 'a.ts', '--memory=false'], /--memory takes no value/],
  [['serve', 'a.ts', '--port'], /option '--port <number>' argument missing/],
  [['graph', 'server'], /Allowed choices are execution, builder, manager/, 'fermata graph --help'],
  [['graph', '--format', 'png'], /Allowed choices are mermaid, json, svg/, 'fermata graph --help'],
  [['a.ts'], /unknown command 'a\.ts' \(To serve a module: fermata serve a\.ts\)/, 'fermata --help'],
  [
    ['--port', '80'],
    /unknown option '--port' \(Options stand after a command: fermata serve a\.ts --port\)/,
    'fermata --help',
  ],
  [
    ['executions', 'retry', 'x', '--url', 'nonsense'],
    /Expected an http or https URL, such as http:\/\/localhost:8000/,
    'fermata executions retry --help',
  ],
  [['executions', 'list'], /unknown command 'list'/, 'fermata executions --help'],
  [['executions', 'show'], /missing required argument 'id'/, 'fermata executions show --help'],
  [['executions', 'export'], /either ids or --all/, 'fermata executions export --help'],
  [['executions', 'export', 'x', '--all'], /either ids or --all/, 'fermata executions export --help'],
  [['executions', 'rm'], /either ids or --settled-before/, 'fermata executions rm --help'],
  [
    ['executions', 'rm', 'x', '--settled-before', '1'],
    /either ids or --settled-before/,
    'fermata executions rm --help',
  ],
  [
    ['executions', 'rm', '--settled-before', 'long'],
    /Expected a duration such as P30D/,
    'fermata executions rm --help',
  ],
  [['executions', 'ls', '--limit', '0'], /Expected an integer of at least 1/, 'fermata executions ls --help'],
  [['executions', 'ls', '--status', 'done'], /Allowed choices are running, /, 'fermata executions ls --help'],
];

for (const [typed, said, help = 'fermata serve --help'] of slips) {
  test(`"fermata ${typed.join(' ')}" says what is wrong and where help is, with exit code 2`, () => {
    const { text, exitCode } = printed(...typed);

    assert.match(text, said);
    assert.ok(text.includes(`Help: ${help} `), text);
    assert.equal(exitCode, 2);
  });
}

test('fermata without anything shows its help, as an error', () => {
  const { text, exitCode } = printed();

  assert.match(text, /^Usage: fermata .* serve \[options\] <module...> serve a workflow/);
  assert.equal(exitCode, 2);
});

test('the help of serve names every option with what it holds, its default and its variable', () => {
  const { text, exitCode } = printed('serve', '--help');

  const options = settings.filter(({ flag }) => flag !== undefined);
  assert.ok(options.length > 3);
  for (const setting of options) {
    const { flag, description, holds, initial } = setting;
    const byDefault = initial === 'not set' ? '' : ` default ${initial};`;
    assert.ok(text.includes(`${flag} ${description} (${holds};${byDefault} ${variableOf(setting)})`), flag);
  }
  assert.equal(exitCode, 0);
});

test('the help of run and retry says what a setting means to them', () => {
  const run = printed('run', '--help').text;

  assert.match(run, /--data <directory> Stores the execution in this directory\. .*\(a text\)/);
  assert.doesNotMatch(run, /default \.\/\.fermata|default: \[\]/);
  assert.match(run, /--port <number> Port for the callback of a consent/);
  assert.match(printed('executions', 'retry', '--help').text, /--port <number> Port of the server/);
});

test('no secret can be given on the command line', () => {
  const secrets = settings.filter(({ secret }) => secret);

  assert.ok(secrets.length > 0);
  assert.deepEqual(new Set(secrets.map(flagName)), new Set([undefined]));
});

test('help is also a command', () => {
  assert.equal(printed('help').text, printed('--help').text);
  assert.equal(printed('help', 'serve').text, printed('serve', '--help').text);
  assert.equal(printed('executions', 'help', 'ls').text, printed('executions', 'ls', '--help').text);
  assert.equal(printed('help').exitCode, 0);
});

test('help and version are answers, with exit code 0', () => {
  assert.match(printed('--help').text, /^Usage: fermata/);
  assert.match(printed('--version').text, /^\d+\.\d+\.\d+ $/);
  assert.deepEqual([printed('--help').exitCode, printed('--version').exitCode], [0, 0]);
});
