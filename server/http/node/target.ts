/** The target of a request: a path, as servers get it, or a whole URL, as proxies get it (RFC 9112, 3.2). */

export interface Target {
  /** Percent-encoded. */
  readonly path: string;
  /** Without the question mark; `''` without a query. */
  readonly query: string;
  /** The host of a URL overrides `Host`. */
  readonly host: string | undefined;
}

const URL_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

export const readTarget = (given: string): Target => {
  const [, host, rest = ''] = URL_FORM.exec(given) ?? [];
  const target = host === undefined ? given : rest.startsWith('/') ? rest : `/${rest}`;
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: '', host };
  return { path: target.slice(0, mark), query: target.slice(mark + 1), host };
};
