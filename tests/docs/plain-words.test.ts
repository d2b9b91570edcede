/** Comments, messages and docs use the field's terms: "no caller", "the owner", "committed", and not riddles in their place. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);

/** What is out, and what to write instead. */
const out: readonly [word: RegExp, instead: string][] = [
  [/\b(nobody|no one)\b/i, 'no caller, no client, no subscriber: say which'],
  [/\b(somebody|someone|anybody|everybody)\b/i, 'the caller, the owner, a person, any client: say which'],
  [/\b(whoever|whosoever)\b/i, 'the caller who, a subscriber that: say which'],
  [/\b(?:is|are|was|were|been|be) told\b/i, 'is notified, published to, informed'],
  [/\b(?:is|are|was|were|been|be) let go\b/i, 'is released, stopped, closed'],
  [/\bpuppets?\b/i, 'controlled workflow'],
  [/\btheatre\b/i, 'many executions'],
  [/\bput out\b/i, 'printed, emitted'],
  [/\bsays? no\b/i, 'refuses'],
  [/(?:^|[.!?] |\*\* )Who (?:does|is|has|comes|may|asks|reads|waits|knows|can|leaves)\b(?![^.!?]*\?)/, 'start with the subject: "A caller who ..."'],
  [/(?:^|[.!?] )What (?:is|was|has|does|a|an|the|it|they|nobody)\b(?![^.!?|]*\?)[^.!?|]*\b(?:is|are|was|were|goes|stays|counts|comes|gets|has)\b/, 'start with the subject, not with a relative clause'],
];
