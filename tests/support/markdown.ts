/** What tests want to know of a page: its blocks of code, its tables, and where its links lead. */
import { readFile } from 'node:fs/promises';

export interface Block {
  /** What stands behind the fence, such as `sh run`. */
  readonly info: string;
  readonly code: string;
}

export interface Page {
  readonly url: URL;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Rows of the tables whose head is these cells. */
  rows(...head: readonly string[]): string[][];
  /** Files that the page links to, without what leads elsewhere. */
  readonly links: readonly URL[];
}

/** `path` is relative to the repository. */
export const readPage = async (path: string): Promise<Page> => {
  const url = new URL(`../../${path}`, import.meta.url);
  const text = await readFile(url, 'utf8');
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  const targets = [...prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
  return {
    url,
    text,
    blocks: [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = '', code = '']) => ({ info, code })),
    rows: (...head) => rowsOf(prose, head),
    links: targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => new URL(target, url)),
  };
};

const rowsOf = (prose: string, head: readonly string[]): string[][] => {
  const rows: string[][] = [];
  let isInside = false;
  for (const line of prose.split('\n')) {
    const cells = line.startsWith('|') ? cellsOf(line) : undefined;
    if (cells === undefined) isInside = false;
    else if (isInside && !line.startsWith('|---')) rows.push(cells);
    else isInside ||= cells.join('|') === head.join('|');
  }
  return rows;
};

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** What stands between the first backquotes of a cell. */
export const codeIn = (cell = ''): string => /`([^`]+)`/.exec(cell)?.[1] ?? '';

/** Matches the output that a block shows, where `…` stands for anything. */
export const patternOf = (shown: string): RegExp =>
  new RegExp(
    `^${shown
      .trim()
      .split('…')
      .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*')}$`,
  );
