import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFormFile } from '../../../server/files/multipart.ts';

const boundary = 'b0undary';
const type = `multipart/form-data; boundary=${boundary}`;

const part = (disposition: string, content: string, ...more: string[]): string =>
  [`--${boundary}`, `Content-Disposition: form-data; ${disposition}`, ...more, '', content, ''].join('\r\n');
const form = (...parts: string[]): string => `${parts.join('')}--${boundary}--\r\n`;
const read = async (text: string, contentType: string | undefined = type) => {
  const file = await readFormFile(contentType, Buffer.from(text, 'latin1'), 'file');
  return file && [file.contentType, file.data.toString('latin1')];
};

test('the file of the field is found, however the form is written', async () => {
  const plain = part('name="file"; filename="a.txt"', 'x\r\n--b0', 'Content-Type: image/png');
  const expected = ['image/png', 'x\r\n--b0'];

  assert.deepEqual(await read(form(plain)), expected);
  assert.deepEqual(await read(form(plain), `Multipart/Form-Data;boundary="${boundary}"`), expected);
  assert.deepEqual(await read(`preamble\r\n${form(plain)}epilogue`), expected);
  assert.deepEqual(await read(form(part('name=other', 'y'), plain, part('name="more"; filename="m"', 'z'))), expected);
  assert.deepEqual(await read(form(part("name=file; filename*=UTF-8''%c3%a9", 'y'), plain)), expected);
  assert.deepEqual(await read(form(part('filename="a"; name="file"', '', 'content-type: A/B; c=d'))), ['a/b', '']);
  assert.deepEqual(await read(form(part('name="file"; filename="a"', 'x'))), ['text/plain', 'x']);
});

test('what has no such file has none, and what cannot be read is told apart from it', async () => {
  const nothing = [form(), form(part('name="file"', 'text')), form(part('name="other"; filename="a"', 'x'))];

  for (const text of nothing) assert.equal(await read(text), undefined, text);
  assert.equal(await read('{}', 'application/json'), undefined);
  assert.equal(await readFormFile(undefined, undefined, 'file'), undefined);
  for (const text of ['', 'x', form(part('name="file"; filename="a"', 'x')).slice(0, -8)]) {
    await assert.rejects(read(text), Error, text);
  }
  await assert.rejects(readFormFile(type, undefined, 'file'));
  await assert.rejects(read(form(), 'multipart/form-data'), /[Bb]oundary/);
});

test('a form of very many parts is given up soon', async () => {
  await assert.rejects(read(form(part('name="a"', 'x').repeat(100_000))), /100 parts/);
});

test('a file that is full of what looks like boundaries is read as fast as any other', async () => {
  const data = `x--${boundary}`.repeat(900_000);
  const begin = performance.now();

  const file = await read(form(part('name="file"; filename="a"', data, 'Content-Type: text/plain; charset=latin1')));
  const epilogue = await read(
    `${form(part('name="file"; filename="a"', 'x'))}\r\n${`\r\n--${boundary}\r\n`.repeat(200_000)}`,
  );

  assert.deepEqual(file, ['text/plain; charset=latin1', data]);
  assert.deepEqual(epilogue, ['text/plain', 'x']);
  assert.ok(performance.now() - begin < 10_000);
});

test('any bytes come through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
      const data = new FormData();
      data.set('file', new Blob([Uint8Array.from(bytes)], { type: 'application/x-any' }), 'é".bin');
      const sent = new Response(data);
      const body = Buffer.from(await sent.arrayBuffer());

      const file = await readFormFile(sent.headers.get('content-type') ?? '', body, 'file');

      assert.deepEqual(file, { contentType: 'application/x-any', data: Buffer.from(bytes) });
    }),
    { numRuns: 50 },
  );
});

test('a damaged form ends in a file, in none, or in an error, and never in nothing', async () => {
  const whole = form(part('name="file"; filename="a"', 'x\r\n--b', 'Content-Type: image/png'), part('name="c"', 'd'));
  const piece = fc.constantFrom('\r', '\n', '\r\n', '--', boundary, '"', ';', ':', '\0', '');
  const edit = fc.tuple(fc.nat(whole.length), piece);

  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 6 }), fc.nat(whole.length), fc.boolean(), async (edits, end, cuts) => {
      const damaged = edits.reduce((text, [at, by]) => text.slice(0, at) + by + text.slice(at + 1), whole);

      await read(cuts ? damaged.slice(0, end) : damaged).catch((error: unknown) => assert.ok(error instanceof Error));
    }),
    { numRuns: 500 },
  );
});

test('a form that consists of its parts only is read in small pieces, and other work has its turn between them', async () => {
  // A part of this size costs the library ten times as much as its bytes.
  const flood = `--${boundary}\r\n\r\n`.repeat(4_000);
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);

  await assert.rejects(read(`preamble ${'x'.repeat(65_000)}\r\n${flood}`), /100 parts/);
  isOver = true;

  assert.ok(turns > 7, `${turns} turns`);
});
